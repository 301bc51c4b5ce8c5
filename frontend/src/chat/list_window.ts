/**
 * Which part of a long timeline is on the page. It is cut at fixed positions, not at counts, so that
 * loading older messages moves no cut and a measured height stays true.
 */
export interface Part {
  /** Positions from `id * POSITIONS`, that many of them. */
  id: number;
  /** Where its messages are in the list, the end excluded. */
  start: number;
  end: number;
}

/** Positions from `from`, to `to` excluded; 0 and Infinity at the ends of what is here. */
export interface Span {
  from: number;
  to: number;
}

export const POSITIONS = 25;
/** As many as one looks through with the browser's own search. */
export const MOUNTED = 300;
/** So many are on the page beyond what is seen: several screens, so that scrolling meets no blank. */
const AHEAD = 75;

export const ALL: Span = { from: 0, to: Infinity };

export function parts(messages: readonly { seq: number }[]): Part[] {
  const list: Part[] = [];
  let last: Part | undefined;
  for (let at = 0; at < messages.length; at += 1) {
    const id = Math.floor(messages[at]!.seq / POSITIONS);
    if (last?.id === id) last.end = at + 1;
    else list.push((last = { id, start: at, end: at + 1 }));
  }
  return list;
}

/** The part that has this position, or the next one that is there. */
export function partAt(list: readonly Part[], seq: number): number {
  const id = Math.floor(seq / POSITIONS);
  const at = list.findIndex((part) => part.id >= id);
  return at < 0 ? list.length - 1 : at;
}

/**
 * The span to show to somebody who looks at `seq`: the former one as far as it goes, for each change
 * draws rows, with enough on both sides, and no more than may be mounted.
 */
export function fit(list: readonly Part[], former: Span, seq: number): Span {
  if (list.length === 0) return ALL;
  const centre = partAt(list, seq);
  const size = (from: number, to: number) => list[to]!.end - list[from]!.start;
  let [first, last] = [partAt(list, former.from), partAt(list, former.to - 1)];
  // Elsewhere altogether.
  if (centre < first - 1 || centre > last + 1) first = last = centre;
  first = Math.min(first, centre);
  last = Math.max(last, centre);
  while (first > 0 && size(first, centre) < AHEAD) first -= 1;
  while (last < list.length - 1 && size(centre, last) < AHEAD) last += 1;
  // Too many: from the side that has more to give.
  while (size(first, last) > MOUNTED) {
    const [above, below] = [centre - first, last - centre];
    if (above === 0 && below === 0) break;
    if (above > below) first += 1;
    else last -= 1;
  }
  // Room for more: most of what is here is often all there is.
  while (first > 0 && size(first - 1, last) <= MOUNTED) first -= 1;
  while (last < list.length - 1 && size(first, last + 1) <= MOUNTED) last += 1;
  const span = {
    from: first === 0 ? 0 : list[first]!.id * POSITIONS,
    to: last === list.length - 1 ? Infinity : (list[last]!.id + 1) * POSITIONS,
  };
  return span.from === former.from && span.to === former.to ? former : span;
}

/** Where the messages of a span are in the list, the end excluded. */
export function extent(list: readonly Part[], { from, to }: Span): { start: number; end: number } {
  const inside = list.filter(({ id }) => (id + 1) * POSITIONS > from && id * POSITIONS < to);
  return { start: inside[0]?.start ?? 0, end: inside.at(-1)?.end ?? 0 };
}

/** How high parts are that are not on the page: as measured, or as is usual. */
export class Heights {
  readonly #known = new Map<number, { messages: number; height: number }>();
  #average = 44;

  measured(id: number, messages: number, height: number): void {
    this.#known.set(id, { messages, height });
    this.#average += (height / messages - this.#average) / 8;
  }

  /** The page became narrower or wider: nothing is as high as it was. */
  forget(): void {
    this.#known.clear();
  }

  of({ id, start, end }: Part): number {
    const { messages, height } = this.#known.get(id) ?? { messages: 0, height: 0 };
    return Math.max(0, height + (end - start - messages) * this.#average);
  }

  sum(list: readonly Part[]): number {
    return list.reduce((sum, part) => sum + this.of(part), 0);
  }

  /** The part at a distance from the top of the list. */
  at(list: readonly Part[], distance: number): Part | undefined {
    let left = distance;
    return list.find((part) => (left -= this.of(part)) < 0) ?? list.at(-1);
  }
}
