import type { Cancel, Clock, Random } from '../net/clock';
import type { Greeting, SocketMaker } from '../net/link';
import { Connection, type Status } from '../net/socket';
import type { Event } from '../protocol/codec';
import type { ServerEvent } from '../protocol/generated';
import { firstOpen } from './holes';
import type { Memory } from './memory';
import { EMPTY, type Exit, type Message, type Model, type Trust, type Way } from './model';
import { Outbox, type Outgoing } from './outbox';
import { CommandError, problem } from './problem';
import { expireTyping, leave, reduce } from './reduce';
import { Requests } from './requests';
import { RoomLister } from './room_lister';
import { mergeHistory, position } from './timeline';
import { TypingNotifier } from './typing_notifier';

export interface Deps {
  url: string;
  WebSocket: SocketMaker;
  clock: Clock;
  random: Random;
  uuid: () => string;
  memory: Memory;
}

/** All that is on the screen follows from this. A change makes a new one. */
export interface View {
  model: Model;
  status: Status;
  /** What the browser thinks of the network. */
  online: boolean;
  outgoing: readonly Outgoing[];
  /** The person has chosen a name, or chosen not to. */
  welcomed: boolean;
  trust: Trust;
  /** After a reload: the room that is being returned to. */
  returning: string | null;
}

/** Told when the server asks to wait before a request is tried again. */
export type Postponed = (why: { text: string }, until: number) => void;

const PAGE = 50;
/** What the server says of a name that it does not take. */
const BAD_NAME: ReadonlySet<string> = new Set(['invalid_name', 'too_long', 'empty']);

/**
 * Brings the parts together: the connection feeds the reducer, the outbox and the requests, and
 * after each event what follows from the new state is done. It knows no DOM.
 */
export class ChatStore {
  readonly #connection: Connection;
  readonly #outbox: Outbox;
  readonly #requests: Requests;
  readonly #lister: RoomLister;
  readonly #typing: TypingNotifier;
  readonly #subscribers = new Set<(view: View) => void>();
  #view: View;
  #forgetTypists: Cancel = () => {};
  #healing = false;
  /** Watchers are told later, of several changes at once. */
  #held = false;
  /** Counts connections, so that what one of them started does not act on the next. */
  #life = 0;

  constructor(private readonly deps: Deps) {
    const { clock, random, memory } = deps;
    this.#connection = new Connection(deps, {
      hello: () => this.#hello(),
      event: (event) => this.#take(event),
      status: (status) => this.#statusChanged(status),
      refused: (error) => this.#refused(error),
      forgetSession: () => memory.identify({ session: undefined }),
      busy: () => this.#requests.changing,
      moving: (is) => (is ? this.#requests.moving() : this.#requests.moved()),
      moved: (events) => this.#moved(events),
    });
    this.#view = {
      model: EMPTY,
      status: this.#connection.status,
      online: true,
      outgoing: [],
      welcomed: memory.identity.welcomed ?? false,
      returning: memory.place?.name ?? null,
      trust: {
        nodeId: null,
        roundTripMs: null,
        skewMs: null,
        completeUpTo: 0,
        newest: 0,
        healed: 0,
        lost: 0,
        connections: 0,
        waiting: 0,
      },
    };
    this.#requests = new Requests({
      clock,
      random,
      transmit: (command) => this.#connection.send(command),
    });
    this.#outbox = new Outbox({
      clock,
      random,
      transmit: (command) => this.#connection.send(command),
      changed: (outgoing) => {
        memory.unsent = outgoing.filter((entry) => entry.state !== 'sent');
        this.#show({ outgoing });
      },
    });
    this.#lister = new RoomLister({
      clock,
      ask: (cursor) => this.#request({ type: 'LIST_ROOMS', limit: PAGE, ...cursor }),
      found: (list) => this.#show({ model: { ...this.#view.model, list } }),
      inLobby: () => this.#view.model.room === null,
    });
    this.#typing = new TypingNotifier(clock, (typing) => {
      if (this.#view.model.room?.live) this.#connection.send({ type: 'TYPING', typing });
    });
    this.#outbox.restore(memory.unsent);
  }

  /** The contract of Svelte's stores. */
  subscribe(run: (view: View) => void): () => void {
    run(this.#view);
    this.#subscribers.add(run);
    return () => this.#subscribers.delete(run);
  }

  get view(): View {
    return this.#view;
  }

  connect(): void {
    this.#connection.connect();
  }

  /** What the browser says about network and page. */
  pageBecame(what: 'online' | 'offline' | 'visible' | 'hidden'): void {
    if (what === 'online' || what === 'offline') this.#show({ online: what === 'online' });
    else this.#lister.visible(what === 'visible');
    if (what !== 'hidden') this.#connection.check();
  }

  async welcome(name: string | null, postponed?: Postponed): Promise<void> {
    if (name !== null) await this.rename(name, postponed);
    this.deps.memory.identify({ welcomed: true });
    this.#show({ welcomed: true });
  }

  async rename(username: string, postponed?: Postponed): Promise<void> {
    const reply = await this.#request({ type: 'UPDATE_USERNAME', username }, postponed);
    if (reply.type !== 'ACK') return;
    const taken = reply.username ?? username;
    const { session } = reply;
    this.deps.memory.identify({ username: taken, ...(session === undefined ? {} : { session }) });
    const { model } = this.#view;
    if (model.me) this.#show({ model: { ...model, me: { ...model.me, username: taken } } });
  }

  async createRoom(name: string, postponed?: Postponed): Promise<void> {
    await this.#request({ type: 'CREATE_ROOM', name }, postponed);
  }

  async joinRoom(roomId: number, postponed?: Postponed): Promise<void> {
    try {
      await this.#request({ type: 'JOIN_ROOM', roomId }, postponed);
    } catch (error) {
      // The server may have taken us out of the former room before it refused the new one.
      this.#returnTo(this.#view.model.room?.live === false);
      throw error;
    }
  }

  async leaveRoom(postponed?: Postponed): Promise<void> {
    const roomId = this.#view.model.room?.roomId;
    if (roomId === undefined) return;
    await this.#request({ type: 'LEAVE_ROOM', roomId }, postponed);
  }

  /** Gives a message of one's own another text. */
  edit(_seq: number, _body: string): void {}

  /** Takes a message of one's own away. */
  remove(_seq: number): void {}

  /** Puts an emoji to a message, or takes one's own away. */
  react(_seq: number, _emoji: string, _on: boolean): void {}

  /** Fetches one message that is not here, for a quotation; null when it cannot be had. */
  async lookUp(_seq: number): Promise<Message | null> {
    return null;
  }

  /** Loads older messages until the position is here. False when it cannot be had. */
  async loadBack(_seq: number): Promise<boolean> {
    return false;
  }

  /** Asks for all members of the room, page by page. */
  async loadMembers(): Promise<void> {}

  /** What happened to a message, as far as this page knows. */
  way(_seq: number): Way | null {
    return null;
  }

  /** `replyTo`: the position of the message that it answers. */
  say(body: string, _replyTo?: number): void {
    const roomId = this.#view.model.room?.roomId;
    if (roomId === undefined) return;
    this.#typing.stopped(true);
    this.#outbox.add(this.deps.uuid(), roomId, body);
  }

  retry(id: string): void {
    this.#outbox.retry(id);
  }

  discard(id: string): void {
    this.#outbox.discard(id);
  }

  typed(text: string): void {
    this.#typing.changed(text.trim() === '');
    const roomId = this.#view.model.room?.roomId;
    if (roomId !== undefined) this.deps.memory.saveDraft(roomId, text);
  }

  draft(roomId: number): string {
    return this.deps.memory.draft(roomId);
  }

  /** False when the list is as long as it may be. */
  moreRooms(): boolean {
    return this.#lister.more();
  }

  /** Somebody begins or ends to look at the list of rooms. */
  watchRooms(watched: boolean): void {
    this.#lister.watched(watched);
  }

  async loadOlder(): Promise<void> {
    const { room } = this.#view.model;
    if (!room || room.fromStart) return;
    await this.#fetch(room.roomId, { before: room.base });
  }

  /** Asks for the messages that were missed, hole by hole. */
  async heal(): Promise<void> {
    if (this.#healing) return;
    this.#healing = true;
    const life = this.#life;
    try {
      for (;;) {
        const { room } = this.#view.model;
        const hole = room?.live ? firstOpen(room.holes) : undefined;
        if (!room || !hole) break;
        await this.#fetch(room.roomId, { after: hole.from - 1 });
        if (life !== this.#life) break;
      }
    } catch {
      // The hole stays on the screen, with a button that comes here again.
    } finally {
      this.#healing = false;
    }
  }

  dismissNotice(key: number): void {
    const { model } = this.#view;
    const notices = model.notices.filter((notice) => notice.key !== key);
    this.#show({ model: { ...model, notices } });
  }

  dismissExit(): void {
    this.#show({ model: { ...this.#view.model, exit: null } });
  }

  #hello(): Greeting {
    const { session, username } = this.deps.memory.identity;
    const { room } = this.#view.model;
    return {
      ...(session === undefined ? {} : { session }),
      ...(username === undefined ? {} : { username }),
      // Without a session there is nothing that the server could resume. And after a reload there
      // is no timeline to add to: the newest messages are wanted, not those since a position.
      ...(room && session !== undefined
        ? { resume: { roomId: room.roomId, epoch: room.epoch, seq: position(room) } }
        : {}),
    };
  }

  /** One event is one change to whoever watches, however many parts of the state it touches. */
  #take(event: ServerEvent): void {
    this.#atOnce(() => this.#digest(event));
  }

  /** So is all that a new connection has said until it is where the one before was. */
  #moved(events: readonly ServerEvent[]): void {
    this.#atOnce(() => {
      // What is not acknowledged goes out again with ROOM_JOINED.
      this.#outbox.suspend();
      this.#requests.abandoned();
      for (const event of events) this.#digest(event);
      this.#requests.moved();
    });
  }

  #atOnce(act: () => void): void {
    if (this.#held) return act();
    this.#held = true;
    try {
      act();
    } finally {
      this.#held = false;
      this.#show({});
    }
  }

  #digest(event: ServerEvent): void {
    this.#show({ model: reduce(this.#view.model, event, this.deps.clock.now()) });
    this.#requests.take(event);
    this.#outbox.take(event);
    switch (event.type) {
      case 'CONNECT':
        this.deps.memory.identify({ session: event.session });
        this.#lister.refresh();
        this.#restore();
        break;
      case 'ROOM_JOINED':
        this.deps.memory.place = { roomId: event.room.roomId, name: event.room.name };
        this.#show({ returning: null });
        this.#outbox.settle(this.#view.model.room);
        this.#outbox.flush(event.room.roomId);
        this.#lister.refresh();
        break;
      case 'ROOM_LEFT':
        this.#typing.stopped(true);
        this.#outbox.fail(event.roomId, problem('not_in_room'));
        if (!this.#view.model.room) this.deps.memory.place = null;
        this.#lister.refresh();
        break;
      case 'TYPING':
        this.#watchTypists();
        break;
    }
    const { room } = this.#view.model;
    this.#outbox.settle(room);
    if (room?.live && firstOpen(room.holes)) void this.heal();
  }

  #statusChanged(status: Status): void {
    if (status.phase !== 'ready') {
      this.#life += 1;
      this.#requests.disconnected();
      this.#outbox.suspend();
      this.#lister.pause();
      const { model } = this.#view;
      const room = model.room && { ...model.room, live: false, typing: [] };
      this.#show({ status, model: { ...model, room } });
    } else {
      this.#show({ status });
    }
  }

  /** The server's answer to CONNECT was an error. */
  #refused(error: Event<'ERROR'>): void {
    if (error.code === 'room_not_found') this.#roomOver('gone');
    // Limits may have changed since the name was chosen. With it, no CONNECT would ever succeed.
    if (BAD_NAME.has(error.code)) this.deps.memory.identify({ username: undefined });
  }

  /**
   * A server that still knows us puts us back by itself, right after CONNECT. The answer to PING
   * comes after that; if we are in no room by then, the grace is over and we join anew.
   */
  #restore(): void {
    const { room } = this.#view.model;
    if (!room && !this.deps.memory.place) return;
    const life = this.#life;
    this.#request({ type: 'PING' }).then(
      () => this.#returnTo(life === this.#life && !this.#view.model.room?.live),
      () => {},
    );
  }

  #returnTo(wanted: boolean): void {
    const roomId = this.#view.model.room?.roomId ?? this.deps.memory.place?.roomId;
    if (!wanted || roomId === undefined || !this.#connection.ready) return;
    this.#request({ type: 'JOIN_ROOM', roomId }).catch((error) => {
      if (error instanceof CommandError && error.problem.code !== 'disconnected') {
        this.#roomOver('gone');
      }
    });
  }

  #roomOver(reason: Exit['reason']): void {
    const { model } = this.#view;
    const { place } = this.deps.memory;
    const roomId = model.room?.roomId ?? place?.roomId;
    if (roomId === undefined) return;
    const exit = { roomId, name: model.room?.name ?? place?.name ?? '', reason };
    this.deps.memory.place = null;
    this.#show({ model: { ...leave(model, reason), exit }, returning: null });
    this.#outbox.fail(roomId, problem('room_over'));
    this.#lister.refresh();
  }

  async #fetch(roomId: number, asked: { before: number } | { after: number }): Promise<void> {
    const reply = await this.#request({ type: 'FETCH_HISTORY', roomId, limit: PAGE, ...asked });
    const { model } = this.#view;
    if (model.room?.roomId !== roomId || reply.type !== 'HISTORY') return;
    this.#show({ model: { ...model, room: mergeHistory(model.room, asked, reply) } });
    this.#outbox.settle(this.#view.model.room);
  }

  #request(...args: Parameters<Requests['send']>): Promise<ServerEvent> {
    return this.#requests.send(...args);
  }

  /** Typists who never say that they stopped are forgotten in time. */
  #watchTypists(): void {
    this.#forgetTypists();
    const untils = this.#view.model.room?.typing.map((typist) => typist.until) ?? [];
    if (untils.length === 0) return;
    const { clock } = this.deps;
    this.#forgetTypists = clock.after(Math.min(...untils) - clock.now(), () => {
      this.#show({ model: expireTyping(this.#view.model, clock.now()) });
      this.#watchTypists();
    });
  }

  #show(change: Partial<View>): void {
    this.#view = { ...this.#view, ...change };
    if (this.#held) return;
    for (const run of this.#subscribers) run(this.#view);
  }
}
