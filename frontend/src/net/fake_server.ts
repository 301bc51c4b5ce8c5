import type { ClientCommand, ErrorCode, ServerEvent } from '../protocol/generated';
import type { Clock } from './clock';
import { asRead, message, type Listed } from './fake_log';

/** The server's end of one connection. */
export interface Line {
  send(frame: string): void;
  close(code: number): void;
}

/** What a transport calls: the client's frames, and its end. */
export interface Port {
  receive(frame: string): void;
  lost(): void;
}

interface Client {
  clientId: number;
  username: string;
  roomId: number | null;
  line: Line | null;
}

interface Room {
  roomId: number;
  name: string;
  ownerId: number;
  createdAt: number;
  epoch: string;
  seq: number;
  members: number[];
  log: Listed[];
  sent: Map<string, number>;
}

type Joined = Extract<ServerEvent, { type: 'ROOM_JOINED' }>;

export interface FakeOptions {
  clock: Pick<Clock, 'now'>;
  nodeId?: string;
  heartbeatMs?: number;
  logMax?: number;
  /** How many members ROOM_JOINED names. */
  membersNamed?: number;
  /** What ACK says of the budget. */
  budget?: { remaining: number; oneMoreMs: number };
  /** Every command passes here first; true means that the test has dealt with it. */
  intercept?: (command: ClientCommand, reply: (event: ServerEvent) => void) => boolean;
}

/**
 * A whole server in memory, as simple as the wire contract allows: one node, no timers, no limits.
 * Tests drive the page against it, over a fake WebSocket here or through the browser's.
 */
export class FakeServer {
  readonly rooms = new Map<number, Room>();
  readonly clients = new Map<number, Client>();
  intercept: NonNullable<FakeOptions['intercept']>;
  #ids = 10_000;
  #epochs = 0;

  constructor(private readonly options: FakeOptions) {
    this.intercept = options.intercept ?? (() => false);
  }

  accept(line: Line): Port {
    let client: Client | null = null;
    return {
      receive: (frame) => {
        const command = JSON.parse(frame) as ClientCommand;
        const reply = (event: ServerEvent) => line.send(JSON.stringify(event));
        if (this.intercept(command, reply)) return;
        if (command.type === 'CONNECT') {
          // Known before it is told so: it may answer at once.
          client = this.#identify(command, line);
          this.#welcome(client, command);
        } else if (client?.line === line) this.#command(client, command, reply);
        else line.close(1008);
      },
      lost: () => {
        if (client?.line === line) this.#unplug(client);
      },
    };
  }

  /** The connection is lost, and the membership goes on for its grace. */
  #unplug(client: Client): void {
    client.line = null;
    const room = client.roomId === null ? undefined : this.rooms.get(client.roomId);
    if (room) this.#all(room, this.#presence(room, { reconnecting: [client.clientId] }));
  }

  #presence(room: Room, who: { reconnecting?: number[]; back?: number[] }): ServerEvent {
    return { type: 'PRESENCE', roomId: room.roomId, ...who };
  }

  /** An admin takes a message away. */
  deleteMessage(roomId: number, seq: number): void {
    const room = this.rooms.get(roomId);
    const target = room && message(room.log, seq);
    if (!room || !target) return;
    const change = { kind: 'delete', seq, byAdmin: true } as const;
    const what = { id: `admin-${seq}`, sender: target.sender, body: '(deleted)', change };
    this.#all(room, { type: 'NEW_MESSAGE', ...this.#append(room, what) });
  }

  /** RESUME_GRACE is over for whoever is not connected. */
  expire(): void {
    for (const client of this.clients.values()) if (!client.line) this.#leave(client);
  }

  /** Closes a client's connection from the server's side. */
  close(clientId: number, code: number): void {
    const client = this.clients.get(clientId);
    const line = client?.line;
    if (client) client.line = null;
    line?.close(code);
  }

  /** A restart of a server that keeps nothing. */
  forgetEverything(code = 1012): void {
    const lines = [...this.clients.values()].map((client) => client.line);
    this.clients.clear();
    this.rooms.clear();
    for (const line of lines) line?.close(code);
  }

  deleteRoom(roomId: number): void {
    for (const clientId of [...(this.rooms.get(roomId)?.members ?? [])]) {
      const client = this.clients.get(clientId)!;
      this.#leave(client);
      this.#tell(client, { type: 'ROOM_LEFT', roomId, reason: 'room_deleted' });
    }
  }

  /** An event to one client, or to all of them. */
  push(event: ServerEvent, clientId?: number): void {
    for (const client of this.clients.values()) {
      if (clientId === undefined || client.clientId === clientId) this.#tell(client, event);
    }
  }

  /** What somebody who joins now would be shown. */
  snapshot(roomId: number): Joined | undefined {
    const room = this.rooms.get(roomId);
    return room && this.#joined(room, newest(room), true);
  }

  #identify(command: Extract<ClientCommand, { type: 'CONNECT' }>, line: Line): Client {
    const known = /^session-(\d+)$/.exec(command.session ?? '')?.[1];
    const found = this.clients.get(Number(known));
    const clientId = found?.clientId ?? (known ? Number(known) : ++this.#ids);
    const client = found ?? { clientId, username: `User ${clientId}`, roomId: null, line: null };
    const former = client.line;
    client.line = line;
    const room = client.roomId === null ? undefined : this.rooms.get(client.roomId);
    if (room && !former) this.#all(room, this.#presence(room, { back: [clientId] }), clientId);
    if (former && former !== line) former.close(4009);
    if (command.username) client.username = command.username;
    this.clients.set(clientId, client);
    return client;
  }

  #welcome(client: Client, command: Extract<ClientCommand, { type: 'CONNECT' }>): void {
    const { id } = command;
    const { clientId } = client;
    this.#tell(client, {
      type: 'CONNECT',
      ...(id === undefined ? {} : { id }),
      clientId,
      username: client.username,
      session: `session-${clientId}`,
      sessionExpiresAt: this.options.clock.now() + 86_400_000,
      nodeId: this.options.nodeId ?? 'b1946ac9-node-1',
      resumed: client.roomId !== null,
      heartbeatMs: this.options.heartbeatMs ?? 25_000,
      limits: { messageChars: 2000, usernameChars: 16, roomNameChars: 16, frameBytes: 16_384 },
    });
    this.#resume(client, command);
  }

  #resume(client: Client, { id, resume }: Extract<ClientCommand, { type: 'CONNECT' }>): void {
    const wanted = resume?.roomId ?? client.roomId;
    if (wanted === null) return;
    const room = this.rooms.get(wanted);
    // Who did not say where it was gets what answers nothing.
    const answer = id === undefined || !resume ? {} : { id };
    if (!room) {
      const error = { code: 'room_not_found', message: 'no such room' } as const;
      return this.#tell(client, { type: 'ERROR', ...answer, ...error });
    }
    if (client.roomId !== wanted) this.#enter(client, room);
    if (!resume || resume.epoch !== room.epoch) {
      const fresh = this.#joined(room, newest(room), !resume);
      return this.#tell(client, { ...fresh, ...answer });
    }
    const missed = asRead(room.log).filter(({ seq }) => seq > resume.seq);
    const oldest = missed[0]?.seq ?? room.seq + 1;
    const gap = oldest > resume.seq + 1 ? { from: resume.seq + 1, to: oldest - 1 } : undefined;
    const joined = this.#joined(room, missed, !gap);
    this.#tell(client, { ...joined, ...answer, ...(gap ? { gap } : {}) });
  }

  #command(client: Client, command: ClientCommand, reply: (event: ServerEvent) => void): void {
    const id = 'id' in command && command.id !== undefined ? { id: command.id } : {};
    const fail = (code: ErrorCode) => reply({ type: 'ERROR', ...id, code, message: code });
    const room = client.roomId === null ? undefined : this.rooms.get(client.roomId);
    switch (command.type) {
      case 'PING':
        return reply({ type: 'PONG', ...id, at: this.options.clock.now() });
      case 'CREATE_ROOM':
      case 'JOIN_ROOM': {
        const target =
          command.type === 'CREATE_ROOM'
            ? this.#create(client, command.name)
            : this.rooms.get(command.roomId);
        if (!target) return fail('room_not_found');
        if (room && room !== target) {
          this.#leave(client);
          reply({ type: 'ROOM_LEFT', ...id, roomId: room.roomId, reason: 'moved' });
        }
        this.#enter(client, target);
        return reply({ ...this.#joined(target, newest(target), true), ...id });
      }
      case 'LEAVE_ROOM':
        if (!room) return fail('not_in_room');
        this.#leave(client);
        return reply({ type: 'ROOM_LEFT', ...id, roomId: room.roomId, reason: 'left' });
      case 'SEND_MESSAGE':
        if (!room || (command.roomId ?? room.roomId) !== room.roomId) return fail('not_in_room');
        return this.#post(client, room, command, reply);
      case 'EDIT_MESSAGE':
      case 'DELETE_MESSAGE':
      case 'REACT':
        if (command.roomId !== undefined && command.roomId !== room?.roomId) {
          return fail(this.rooms.has(command.roomId) ? 'forbidden' : 'room_not_found');
        }
        if (!room) return fail('not_in_room');
        return this.#change(client, room, command, reply);
      case 'LIST_MEMBERS': {
        if (!room) return fail('not_in_room');
        const { cursor = '0', limit = 50 } = command;
        const after = room.members
          .filter((member) => member > Number(cursor))
          .sort((a, b) => a - b);
        const page = after.slice(0, limit);
        const next = after.length > limit ? `${page.at(-1)}` : null;
        const members = page.map((member) => this.#person(member));
        const { roomId } = room;
        const memberCount = room.members.length;
        return reply({ type: 'MEMBERS', ...id, roomId, members, memberCount, cursor: next });
      }
      case 'UPDATE_USERNAME':
        client.username = command.username;
        reply({ type: 'ACK', ...id, username: client.username });
        if (room) {
          const { clientId, username } = client;
          this.#members(room, { renamed: [{ clientId, username }] });
        }
        return;
      case 'TYPING': {
        if (!room) return;
        const { clientId, username } = client;
        const { typing } = command;
        return this.#all(room, { type: 'TYPING', roomId: room.roomId, clientId, username, typing });
      }
      case 'FETCH_HISTORY': {
        if (!room) return fail('not_in_room');
        const { before = Infinity, after, limit = 50 } = command;
        const found = asRead(room.log).filter(({ seq }) => seq < before && seq > (after ?? 0));
        const messages = after === undefined ? found.slice(-limit) : found.slice(0, limit);
        const more = found.length > messages.length;
        const { roomId, epoch } = room;
        return reply({ type: 'HISTORY', ...id, roomId, epoch, messages, more });
      }
      case 'LIST_ROOMS': {
        const { cursor = '0', limit = 50 } = command;
        const all = [...this.rooms.values()].slice(Number(cursor));
        const rooms = all.slice(0, limit).map(({ roomId, name, members, createdAt }) => {
          return { roomId, name, memberCount: members.length, createdAt };
        });
        const next = all.length > limit ? String(Number(cursor) + limit) : null;
        return reply({ type: 'ROOMS', ...id, rooms, cursor: next });
      }
      case 'CONNECT':
        return fail('bad_request');
    }
  }

  #post(
    client: Client,
    room: Room,
    { id, body, replyTo }: Extract<ClientCommand, { type: 'SEND_MESSAGE' }>,
    reply: (event: ServerEvent) => void,
  ): void {
    const answered = replyTo === undefined ? {} : { replyTo };
    this.#take(client, room, { id, body, ...answered }, reply);
  }

  #change(
    client: Client,
    room: Room,
    command: Extract<ClientCommand, { type: 'EDIT_MESSAGE' | 'DELETE_MESSAGE' | 'REACT' }>,
    reply: (event: ServerEvent) => void,
  ): void {
    const { id, seq } = command;
    const target = message(room.log, seq);
    const isOwn = target?.sender.clientId === client.clientId;
    const isRepeated = room.sent.has(`${client.clientId} ${id}`);
    if (!isRepeated && (!target || target.deleted || (command.type !== 'REACT' && !isOwn))) {
      return reply({ type: 'ERROR', id, code: 'forbidden', message: 'forbidden' });
    }
    switch (command.type) {
      case 'EDIT_MESSAGE':
        return this.#take(
          client,
          room,
          { id, body: command.body, change: { kind: 'edit', seq } },
          reply,
        );
      case 'DELETE_MESSAGE':
        return this.#take(
          client,
          room,
          { id, body: '(deleted)', change: { kind: 'delete', seq } },
          reply,
        );
      case 'REACT': {
        const kind = command.on ? 'react' : 'unreact';
        return this.#take(client, room, { id, body: command.emoji, change: { kind, seq } }, reply);
      }
    }
  }

  /** Gives it a place, or says which one it has. */
  #take(
    client: Client,
    room: Room,
    what: Pick<Listed, 'id' | 'body' | 'replyTo' | 'change'>,
    reply: (event: ServerEvent) => void,
  ): void {
    const { id } = what;
    const { roomId } = room;
    const key = `${client.clientId} ${id}`;
    const before = room.sent.get(key);
    const sentAt = this.options.clock.now();
    const { budget } = this.options;
    const more = budget ? { budget } : {};
    if (before !== undefined) {
      return reply({ type: 'ACK', id, roomId, seq: before, sentAt, duplicate: true, ...more });
    }
    const { clientId, username } = client;
    // It has its place before its author is told: who is told may say the next thing at once.
    const entry = this.#append(room, { ...what, sender: { clientId, username } });
    const { seq } = entry;
    room.sent.set(key, seq);
    reply({ type: 'ACK', id, roomId, seq, sentAt, duplicate: false, ...more });
    this.#all(room, { type: 'NEW_MESSAGE', ...entry });
  }

  #append(room: Room, what: Pick<Listed, 'id' | 'body' | 'sender' | 'replyTo' | 'change'>): Listed {
    const sentAt = this.options.clock.now();
    const entry = { roomId: room.roomId, seq: ++room.seq, ...what, sentAt };
    room.log.push(entry);
    room.log.splice(0, room.log.length - (this.options.logMax ?? 1000));
    return entry;
  }

  #person(clientId: number): { clientId: number; username: string } {
    return { clientId, username: this.clients.get(clientId)?.username ?? `User ${clientId}` };
  }

  #create(owner: Client, name: string): Room {
    const room: Room = {
      roomId: ++this.#ids,
      name,
      ownerId: owner.clientId,
      createdAt: this.options.clock.now(),
      epoch: `epoch-${++this.#epochs}`,
      seq: 0,
      members: [],
      log: [],
      sent: new Map(),
    };
    this.rooms.set(room.roomId, room);
    return room;
  }

  #enter(client: Client, room: Room): void {
    if (room.members.includes(client.clientId)) return;
    this.#leave(client);
    client.roomId = room.roomId;
    const { clientId, username } = client;
    room.members.push(clientId);
    this.#members(room, { joined: [{ clientId, username }] }, clientId);
  }

  #leave(client: Client): void {
    const room = client.roomId === null ? undefined : this.rooms.get(client.roomId);
    client.roomId = null;
    if (!room) return;
    room.members = room.members.filter((member) => member !== client.clientId);
    if (room.members.length === 0) this.rooms.delete(room.roomId);
    this.#members(room, { left: [client.clientId] });
  }

  #joined(room: Room, messages: Listed[], recovered: boolean): Joined {
    const { roomId, name, ownerId, createdAt, epoch, seq } = room;
    const members = room.members.slice(0, this.options.membersNamed ?? 200);
    const info = { roomId, name, ownerId, createdAt, memberCount: room.members.length };
    const named = members.map((clientId) => this.#person(clientId));
    return { type: 'ROOM_JOINED', room: info, epoch, seq, members: named, messages, recovered };
  }

  #members(
    room: Room,
    change: Partial<Extract<ServerEvent, { type: 'USER_EVENT' }>>,
    except?: number,
  ): void {
    const { roomId, members } = room;
    const event = { type: 'USER_EVENT', roomId, memberCount: members.length, ...change } as const;
    for (const clientId of members) {
      if (clientId !== except) this.#tell(this.clients.get(clientId)!, event);
    }
  }

  #all(room: Room, event: ServerEvent, except?: number): void {
    for (const clientId of room.members) {
      if (clientId !== except) this.#tell(this.clients.get(clientId)!, event);
    }
  }

  #tell(client: Client, event: ServerEvent): void {
    client.line?.send(JSON.stringify(event));
  }
}

function newest({ log }: Room): Listed[] {
  return asRead(log).slice(-50);
}
