import type { Clock, Random } from '../net/clock';
import type { ClientCommand, ServerEvent } from '../protocol/generated';
import { CommandError, isTransient, problem, type Problem } from './problem';
import { Retry } from './retry';

/** Commands that one event answers. Messages have the outbox, which outlives a connection. */
export type Request = Exclude<
  ClientCommand,
  | { type: 'CONNECT' }
  | { type: 'SEND_MESSAGE' }
  | { type: 'EDIT_MESSAGE' }
  | { type: 'DELETE_MESSAGE' }
  | { type: 'REACT' }
  | { type: 'TYPING' }
>;

/** Joining may also say ROOM_LEFT, of the former room and under the same id: that is no answer. */
const ANSWERS: Record<Request['type'], ServerEvent['type']> = {
  CREATE_ROOM: 'ROOM_JOINED',
  JOIN_ROOM: 'ROOM_JOINED',
  LEAVE_ROOM: 'ROOM_LEFT',
  UPDATE_USERNAME: 'ACK',
  FETCH_HISTORY: 'HISTORY',
  LIST_ROOMS: 'ROOMS',
  LIST_MEMBERS: 'MEMBERS',
  PING: 'PONG',
};

/** What these change is part of CONNECT. */
const CHANGES: ReadonlySet<Request['type']> = new Set([
  'CREATE_ROOM',
  'JOIN_ROOM',
  'LEAVE_ROOM',
  'UPDATE_USERNAME',
]);

interface Waiting {
  command: Request & { id: string };
  /** `held`: for the end of a move; `postponed`: the server asked to wait. */
  state: 'sent' | 'held' | 'postponed';
  retry: Retry;
  resolve(event: ServerEvent): void;
  reject(error: CommandError): void;
  postponed(why: Problem, until: number): void;
}

export class Requests {
  readonly #waiting = new Map<string, Waiting>();
  #count = 0;
  #moving = false;

  constructor(
    private readonly deps: {
      clock: Clock;
      random: Random;
      transmit(command: ClientCommand): boolean;
    },
  ) {}

  /**
   * The event that answers the command. `postponed` is told when the server asked to wait; the
   * command is sent again by itself then.
   */
  send(
    command: Request,
    postponed: (why: Problem, until: number) => void = () => {},
  ): Promise<ServerEvent> {
    const id = `${command.type.toLowerCase()}-${++this.#count}`;
    return new Promise((resolve, reject) => {
      const retry = new Retry(this.deps, {
        send: () => this.#transmit(id),
        giveUp: () => this.#finish(id)?.reject(new CommandError(problem('no_answer'))),
      });
      const asked = { ...command, id };
      this.#waiting.set(id, { command: asked, state: 'sent', retry, resolve, reject, postponed });
      this.#transmit(id);
    });
  }

  take(event: ServerEvent): void {
    const id = 'id' in event && typeof event.id === 'string' ? event.id : null;
    const waiting = id === null ? undefined : this.#waiting.get(id);
    if (!waiting || id === null) return;
    if (event.type !== 'ERROR') {
      if (event.type === ANSWERS[waiting.command.type]) this.#finish(id)?.resolve(event);
    } else if (isTransient(event)) {
      waiting.state = 'postponed';
      waiting.postponed(problem(event.code), waiting.retry.postponed(event.retryAfterMs));
    } else {
      this.#finish(id)?.reject(new CommandError(problem(event.code), event.message));
    }
  }

  /**
   * The connection is gone. Nothing is repeated on the next one: to be put into a room half a
   * minute later would be a surprise, and whoever asked can ask again.
   */
  disconnected(): void {
    this.#moving = false;
    for (const id of [...this.#waiting.keys()]) {
      this.#finish(id)?.reject(new CommandError(problem('disconnected')));
    }
  }

  /** A CONNECT that is under way, or about to be, could undo what is not yet answered. */
  get changing(): boolean {
    return [...this.#waiting.values()].some(({ command }) => CHANGES.has(command.type));
  }

  /**
   * Another connection is being made while this one lives. It resumes what is now, so what would
   * change that waits until it is there.
   */
  moving(): void {
    this.#moving = true;
  }

  /** The connection that was to bring the answers is let go of for the other one. */
  abandoned(): void {
    for (const waiting of this.#waiting.values()) {
      if (waiting.state === 'sent') waiting.state = 'held';
    }
  }

  /** What waited goes out, on the other connection or, if that is not to be, on the same as ever. */
  moved(): void {
    this.#moving = false;
    for (const [id, { state }] of [...this.#waiting]) {
      // The same id again, which is safe: the answer may have been lost.
      if (state === 'held') this.#transmit(id);
    }
  }

  #transmit(id: string): void {
    const waiting = this.#waiting.get(id);
    if (!waiting) return;
    waiting.retry.sent();
    const isHeld = this.#moving && CHANGES.has(waiting.command.type);
    waiting.state = isHeld ? 'held' : 'sent';
    if (isHeld || this.deps.transmit(waiting.command)) return;
    if (this.#moving) waiting.state = 'held';
    else this.#finish(id)?.reject(new CommandError(problem('disconnected')));
  }

  #finish(id: string): Waiting | undefined {
    const waiting = this.#waiting.get(id);
    waiting?.retry.stop();
    this.#waiting.delete(id);
    return waiting;
  }
}
