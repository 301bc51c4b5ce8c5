import type { Event } from '../protocol/codec';
import type { ErrorCode } from '../protocol/generated';

/** Why something that the person asked for did not happen, in words for that person. */
export interface Problem {
  /** The server's code, or one of the page's own. */
  code: ErrorCode | 'disconnected' | 'no_answer' | 'room_over' | 'uncertain';
  text: string;
}

/** Keyed by code, so that the compiler asks for the words of a new one. */
const WORDS: Record<Problem['code'], string> = {
  bad_request: 'The server did not accept this.',
  not_connected: 'You are not connected yet.',
  not_in_room: 'You are not in this room any more.',
  room_not_found: 'There is no such room. It may have ended.',
  room_full: 'This room is full.',
  too_long: 'This is too long.',
  empty: 'There is nothing in it.',
  invalid_name: 'This name cannot be used.',
  rate_limited: 'That was a little fast.',
  forbidden: 'You are not allowed to do this.',
  unavailable: 'The server cannot do this right now.',
  internal: 'Something went wrong on the server.',
  disconnected: 'The connection was lost before the answer came. Try again.',
  no_answer: 'The server did not answer.',
  room_over: 'The room ended before this was sent.',
  uncertain: 'We cannot know whether this was sent. A retry may post it a second time.',
};

export function problem(code: Problem['code']): Problem {
  // A newer server may know more codes than this page.
  return { code, text: WORDS[code] ?? 'This did not work.' };
}

/** Thrown at whoever made the request. */
export class CommandError extends Error {
  override name = 'CommandError';
  constructor(
    readonly problem: Problem,
    readonly detail = '',
  ) {
    super(problem.text);
  }
}

/** What an ERROR means for the command it answers. */
export function isTransient({ code }: Pick<Event<'ERROR'>, 'code'>): boolean {
  return code === 'rate_limited' || code === 'unavailable';
}
