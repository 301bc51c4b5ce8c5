import type { Clock, Random } from '../net/clock';
import type { ClientCommand, ServerEvent } from '../protocol/generated';
import { CommandError, isTransient, problem, type Problem } from './problem';
import { Retry } from './retry';

/** Commands that one event answers. Messages have the outbox, which outlives a connection. */
export type Request = Exclude<
  ClientCommand,
  { type: 'CONNECT' } | { type: 'SEND_MESSAGE' } | { type: 'TYPING' }
>;

/** Joining may also say ROOM_LEFT, of the former room and under the same id: that is no answer. */
const ANSWERS: Record<Request['type'], ServerEvent['type']> = {
  CREATE_ROOM: 'ROOM_JOINED',
  JOIN_ROOM: 'ROOM_JOINED',
  LEAVE_ROOM: 'ROOM_LEFT',
  UPDATE_USERNAME: 'ACK',
  FETCH_HISTORY: 'HISTORY',
  LIST_ROOMS: 'ROOMS',
  PING: 'PONG',
};

interface Waiting {
  command: Request & { id: string };
  retry: Retry;
  resolve(event: ServerEvent): void;
  reject(error: CommandError): void;
  postponed(why: Problem, until: number): void;
}

export class Requests {
  readonly #waiting = new Map<string, Waiting>();
  #count = 0;

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
      this.#waiting.set(id, { command: { ...command, id }, retry, resolve, reject, postponed });
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
    for (const id of [...this.#waiting.keys()]) {
      this.#finish(id)?.reject(new CommandError(problem('disconnected')));
    }
  }

  #transmit(id: string): void {
    const waiting = this.#waiting.get(id);
    if (!waiting) return;
    waiting.retry.sent();
    if (!this.deps.transmit(waiting.command))
      this.#finish(id)?.reject(new CommandError(problem('disconnected')));
  }

  #finish(id: string): Waiting | undefined {
    const waiting = this.#waiting.get(id);
    waiting?.retry.stop();
    this.#waiting.delete(id);
    return waiting;
  }
}
