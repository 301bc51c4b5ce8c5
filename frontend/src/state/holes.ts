/** Positions, both ends included, whose messages are not here. */
export interface Hole {
  from: number;
  to: number;
  /** The server no longer has them; otherwise they are still being asked for. */
  lost: boolean;
}

/** The holes without `from..to`. */
export function without(holes: readonly Hole[], from: number, to: number): Hole[] {
  return holes.flatMap((hole) => {
    if (to < hole.from || from > hole.to) return [hole];
    const rest: Hole[] = [];
    if (hole.from < from) rest.push({ ...hole, to: from - 1 });
    if (hole.to > to) rest.push({ ...hole, from: to + 1 });
    return rest;
  });
}

/** The holes and `from..to`, in order. What was there before is replaced where they overlap. */
export function withHole(holes: readonly Hole[], hole: Hole): Hole[] {
  if (hole.from > hole.to) return [...holes];
  const all = [...without(holes, hole.from, hole.to), hole].sort((a, b) => a.from - b.from);
  return all.reduce<Hole[]>((joined, next) => {
    const last = joined.at(-1);
    if (last && last.lost === next.lost && last.to + 1 === next.from) {
      joined[joined.length - 1] = { ...last, to: next.to };
    } else joined.push(next);
    return joined;
  }, []);
}

/** What was still open in `from..to` will never come. */
export function lose(holes: readonly Hole[], from: number, to: number): Hole[] {
  return holes.reduce<Hole[]>(
    (all, hole) => {
      const start = Math.max(hole.from, from);
      const end = Math.min(hole.to, to);
      if (hole.lost || start > end) return all;
      return withHole(all, { from: start, to: end, lost: true });
    },
    [...holes],
  );
}

export function firstOpen(holes: readonly Hole[]): Hole | undefined {
  return holes.find((hole) => !hole.lost);
}
