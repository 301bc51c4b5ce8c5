import type { Member, RoomSummary } from '../state/model';

export interface Candidate {
  key: string;
  /** What is put in the place of sign and query. */
  text: string;
  label: string;
  detail: string;
}

export const MOST = 8;

const folded = (text: string) => text.normalize('NFKD').replaceAll(/\p{M}/gu, '').toLowerCase();

/** Members whose name, or one word of it, begins with what was written. Who spoke last comes first. */
export function members(
  people: Iterable<Member>,
  query: string,
  me: number | undefined,
): Candidate[] {
  const wanted = folded(query);
  const found: Candidate[] = [];
  for (const { clientId, username } of people) {
    const name = folded(username);
    if (clientId === me || !(name.startsWith(wanted) || name.includes(` ${wanted}`))) continue;
    found.push({
      key: `${clientId}`,
      text: `@${username} `,
      label: username,
      detail: `#${clientId}`,
    });
    if (found.length === MOST) break;
  }
  return found;
}

/** Rooms by number or by name. */
export function rooms(list: readonly RoomSummary[], query: string): Candidate[] {
  const wanted = folded(query);
  return list
    .filter(({ roomId, name }) => `${roomId}`.startsWith(wanted) || folded(name).includes(wanted))
    .slice(0, MOST)
    .map(({ roomId, name }) => ({
      key: `${roomId}`,
      text: `#${roomId} `,
      label: name,
      detail: `#${roomId}`,
    }));
}

/** Nothing is left to complete once it is written out: Enter sends then. */
export function unlessWritten(found: Candidate[], written: string): Candidate[] {
  const is = ({ text }: Candidate) => text.trim().toLowerCase() === written.toLowerCase();
  return found.length === 1 && is(found[0]!) ? [] : found;
}
