import { locale } from '../i18n';
import type { Member } from '../state/model';

/** Without accents and case, as people search. */
export function fold(text: string): string {
  return text.normalize('NFKD').replace(/\p{M}/gu, '').toLowerCase();
}

/** To fold ten thousand names for each letter of a search would be felt. */
const folded = new WeakMap<Member, string>();
function foldedName(member: Member): string {
  let name = folded.get(member);
  if (name === undefined) folded.set(member, (name = fold(member.username)));
  return name;
}

/** Those whose name has all the words of a search in it, or whose number it is. */
export function search(members: readonly Member[], query: string): readonly Member[] {
  const words = fold(query.replace(/^\s*@/, '')).split(/\s+/).filter(Boolean);
  if (words.length === 0) return members;
  const number = /^\d+$/.test(query.trim()) ? Number(query) : null;
  return members.filter(
    (member) =>
      member.clientId === number || words.every((word) => foldedName(member).includes(word)),
  );
}

/**
 * Members in the order of their names, oneself first. What was in order stays in its place, so that
 * somebody who comes or goes costs no new sorting of all.
 */
export class Roll {
  #members: Member[] = [];
  #collator = new Intl.Collator(locale.tag, { sensitivity: 'base', numeric: true });

  of(members: readonly Member[], myId: number | undefined): readonly Member[] {
    const now = new Map(members.map((member) => [member.clientId, member]));
    const kept: Member[] = [];
    for (const { clientId } of this.#members) {
      const member = now.get(clientId);
      if (member) kept.push(member);
      now.delete(clientId);
    }
    const rank = ({ clientId }: Member) => (clientId === myId ? 0 : 1);
    this.#members = [...kept, ...now.values()].sort(
      (a, b) =>
        rank(a) - rank(b) ||
        this.#collator.compare(a.username, b.username) ||
        a.clientId - b.clientId,
    );
    return this.#members;
  }
}
