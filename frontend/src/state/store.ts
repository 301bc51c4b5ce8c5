import type { Cancel, Clock, Random } from '../net/clock';
import type { Greeting, SocketMaker } from '../net/link';
import { Connection, type Status } from '../net/socket';
import type { Event } from '../protocol/codec';
import type { ServerEvent } from '../protocol/generated';
import { t } from '../i18n';
import { indexOf } from './changes';
import { firstOpen } from './holes';
import { Keeper, type Vault } from './keeper';
import { MemberLister } from './member_lister';
import type { Memory } from './memory';
import { EMPTY, type Exit, type Message, type Model, type Trust, type Way } from './model';
import { Outbox, type Outgoing } from './outbox';
import { Past } from './past';
import { CommandError, problem } from './problem';
import { Pulse } from './pulse';
import { expireTyping, leave, noticed, reduce } from './reduce';
import { Requests } from './requests';
import { RoomLister } from './room_lister';
import { position } from './timeline';
import { NO_TRUST, trustIn } from './trust';
import { TypingNotifier } from './typing_notifier';
import { Ways } from './ways';

export interface Deps {
  url: string;
  WebSocket: SocketMaker;
  clock: Clock;
  random: Random;
  uuid: () => string;
  memory: Memory;
  /** Where the outbox outlives a crash; without it, what outlives a reload has to do. */
  vault?: Vault | null;
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
  readonly #keeper: Keeper;
  readonly #members: MemberLister;
  readonly #past: Past;
  readonly #pulse: Pulse;
  readonly #ways = new Ways();
  readonly #subscribers = new Set<(view: View) => void>();
  #view: View;
  #forgetTypists: Cancel = () => {};
  /** Watchers are told later, of several changes at once. */
  #held = false;
  /** Counts connections, so that what one of them started does not act on the next. */
  #life = 0;
  #connections = 0;

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
      measured: (sentAt, at) => {
        this.#pulse.answered(sentAt, at);
        this.#outbox.timed();
        this.#show({});
      },
    });
    this.#view = {
      model: EMPTY,
      status: this.#connection.status,
      online: true,
      outgoing: [],
      welcomed: memory.identity.welcomed ?? false,
      returning: memory.place?.name ?? null,
      trust: NO_TRUST,
    };
    this.#pulse = new Pulse(clock, {
      ping: () => this.#connection.ping(),
      woke: () => this.#connection.check(),
    });
    const found = (room: Model['room']) => this.#show({ model: { ...this.#view.model, room } });
    this.#members = new MemberLister({
      ask: (roomId, page) => this.#request({ type: 'LIST_MEMBERS', roomId, ...page }),
      room: () => this.#view.model.room,
      found: (members, membersComplete) => {
        const { room } = this.#view.model;
        if (room) found({ ...room, members, membersComplete });
      },
    });
    this.#past = new Past({
      ask: (roomId, asked, limit) =>
        this.#request({ type: 'FETCH_HISTORY', roomId, limit, ...asked }),
      room: () => this.#view.model.room,
      changed: (room) => {
        found(room);
        this.#outbox.settle(room);
      },
      life: () => this.#life,
    });
    this.#keeper = new Keeper({
      memory,
      vault: deps.vault ?? null,
      clock,
      lost: () => this.#say(t.trust.notKept),
      late: (entries) => this.#outbox.restore(entries),
    });
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
        this.#show({ outgoing });
        return this.#keeper.save(outgoing);
      },
      serverNow: () => this.#pulse.now(),
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
    const former = this.#keeper.load();
    if (former instanceof Promise) {
      this.#outbox.hold();
      void former.then((entries) => this.#outbox.restore(entries));
    } else this.#outbox.restore(former);
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
    else {
      this.#lister.visible(what === 'visible');
      this.#pulse.visible(what === 'visible');
    }
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
  edit(seq: number, body: string): void {
    this.#act('edit', seq, body);
  }

  /** Takes a message of one's own away. */
  remove(seq: number): void {
    this.#act('delete', seq, '');
  }

  /** Puts an emoji to a message, or takes one's own away. */
  react(seq: number, emoji: string, on: boolean): void {
    this.#act(on ? 'react' : 'unreact', seq, emoji);
  }

  /** Gives a message of one's own that has no position yet another text. */
  revise(id: string, body: string): void {
    this.#outbox.revise(id, this.deps.uuid(), body);
  }

  /** Fetches one message that is not here, for a quotation; null when it cannot be had. */
  lookUp(seq: number): Promise<Message | null> {
    return this.#past.lookUp(seq);
  }

  /** Loads older messages until the position is here. False when it cannot be had. */
  loadBack(seq: number): Promise<boolean> {
    return this.#past.backTo(seq);
  }

  /** Asks for all members of the room, page by page. */
  loadMembers(): Promise<void> {
    return this.#members.load();
  }

  /** What happened to a message, as far as this page knows. */
  way(seq: number): Way | null {
    const messages = this.#view.model.room?.messages ?? [];
    const message = messages[indexOf(messages, seq)];
    return message ? { numbered: message.sentAt, ...this.#ways.of(seq) } : null;
  }

  /** `replyTo`: the position of the message that it answers. False when too many wait already. */
  say(body: string, replyTo?: number): boolean {
    const roomId = this.#view.model.room?.roomId;
    if (roomId === undefined) return false;
    this.#typing.stopped(true);
    const draft = { id: this.deps.uuid(), roomId, body };
    const taken = this.#outbox.add(replyTo === undefined ? draft : { ...draft, replyTo });
    if (!taken) this.#say(t.trust.tooManyWait);
    return taken;
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

  loadOlder(): Promise<void> {
    return this.#past.older();
  }

  /** Asks for the messages that were missed, hole by hole. */
  heal(): Promise<void> {
    return this.#past.heal();
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
    this.#follow(event);
    this.#show({ model: reduce(this.#view.model, event, this.deps.clock.now()) });
    this.#requests.take(event);
    this.#outbox.take(event);
    switch (event.type) {
      case 'CONNECT':
        this.deps.memory.identify({ session: event.session });
        this.#lister.refresh();
        this.#pulse.connected(true);
        this.#restore();
        void this.#keeper
          .adopt(event.clientId)
          .then((entries) => entries.length > 0 && this.#outbox.restore(entries));
        break;
      case 'ROOM_JOINED':
        this.deps.memory.place = { roomId: event.room.roomId, name: event.room.name };
        this.#show({ returning: null });
        this.#outbox.settle(this.#view.model.room);
        this.#outbox.flush(event.room.roomId);
        this.#lister.refresh();
        this.#members.again();
        break;
      case 'USER_EVENT':
        this.#members.take(event);
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

  /** Notes when what happened to a message, while it is still known whose it is. */
  #follow(event: ServerEvent): void {
    const now = this.deps.clock.now();
    const { model, outgoing } = this.#view;
    const taken = (id: string | undefined) => {
      const at = outgoing.find((entry) => entry.id === id)?.at;
      return at === undefined ? {} : { accepted: at };
    };
    if (event.type === 'ROOM_JOINED') this.#ways.in(event.room.roomId, event.epoch);
    if (event.type === 'CONNECT') this.#connections += 1;
    if (event.type === 'NEW_MESSAGE' && event.roomId === model.room?.roomId) {
      const isOwn = event.sender.clientId === model.me?.clientId;
      this.#ways.note(event.seq, { ...(isOwn ? taken(event.id) : {}), delivered: now });
    }
    if (event.type === 'ACK' && event.seq !== undefined && event.roomId === model.room?.roomId) {
      this.#ways.note(event.seq, { ...taken(event.id), acknowledged: now });
    }
    if (event.type === 'ERROR' && event.code === 'rate_limited' && this.#outbox.has(event.id)) {
      const budget = { remaining: 0, oneMoreAt: now + (event.retryAfterMs ?? 0) };
      this.#show({ model: { ...model, budget } });
    }
  }

  #act(act: 'edit' | 'delete' | 'react' | 'unreact', of: number, body: string): void {
    const roomId = this.#view.model.room?.roomId;
    if (roomId === undefined) return;
    const taken = this.#outbox.add({ id: this.deps.uuid(), roomId, body, act, of });
    if (!taken) this.#say(t.trust.tooManyWait);
  }

  /** Something that this page itself has to say. */
  #say(text: string): void {
    this.#show({ model: noticed(this.#view.model, text, 'warning') });
  }

  #statusChanged(status: Status): void {
    if (status.phase !== 'ready') {
      this.#life += 1;
      this.#requests.disconnected();
      this.#outbox.suspend();
      this.#lister.pause();
      this.#pulse.connected(false);
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
    const former = this.#view;
    const next = { ...former, ...change };
    const trust = trustIn(former, next, this.#connections, this.#pulse);
    this.#view = { ...next, trust };
    if (this.#held) return;
    for (const run of this.#subscribers) run(this.#view);
  }
}
