import type { Live, Minute, Server } from '../protocol/generated';

/** How much of the live figures is kept. */
export const LIVE_MS = 5 * 60_000;
export const HOUR_MS = 60 * 60_000;
/** A frame a second, and some for the gaps between. */
const CAPACITY = 330;
/** Between two readings; longer than that, nobody knows what was in between. */
const GAP_MS = 15_000;

export const MEASURES = ['connections', 'messagesIn', 'messagesOut', 'deliveryMs'] as const;
export type Measure = (typeof MEASURES)[number];

/** Of one node, or of all: each second. */
export interface Rates {
  messagesIn: number;
  messagesOut: number;
  bytesIn: number;
  bytesOut: number;
}

interface Reading {
  server: Server;
  rates: Rates | null;
}

type NodePoint = Record<Measure, number | null>;

export interface Point {
  at: number;
  nodes: ReadonlyMap<string, NodePoint>;
}

/** What a chart draws: one line a node, over the same times. */
export interface Series {
  /** In milliseconds, ascending. */
  times: number[];
  nodes: { nodeId: string; values: (number | null)[] }[];
}

/** The newest `capacity` values. */
export class Ring<T> {
  #values: T[] = [];
  #start = 0;

  constructor(readonly capacity: number) {}

  get size(): number {
    return this.#values.length;
  }

  push(value: T): void {
    if (this.#values.length < this.capacity) {
      this.#values.push(value);
      return;
    }
    this.#values[this.#start] = value;
    this.#start = (this.#start + 1) % this.capacity;
  }

  /** Oldest first. */
  list(): T[] {
    return [...this.#values.slice(this.#start), ...this.#values.slice(0, this.#start)];
  }
}

/** What the live figures were, and how fast they change. */
export class Figures {
  #points = new Ring<Point>(CAPACITY);
  #before = new Map<string, Reading>();
  #lastAt = 0;

  add(live: Live): void {
    // Two feeds can overlap for a moment. Further back, it is another clock: what was before has no place on its line.
    if (live.at <= this.#lastAt) {
      if (this.#lastAt - live.at < GAP_MS) return;
      this.#points = new Ring(CAPACITY);
      this.#lastAt = 0;
    }
    const asleep = live.at - this.#lastAt > GAP_MS;
    if (asleep && this.#points.size > 0) {
      this.#points.push({ at: this.#lastAt + 1, nodes: new Map() });
    }
    this.#lastAt = live.at;
    const next = new Map<string, Reading>();
    const nodes = new Map<string, NodePoint>();
    for (const server of live.servers) {
      const before = this.#before.get(server.nodeId);
      const rates = before ? since(before, server) : null;
      next.set(server.nodeId, { server, rates });
      nodes.set(server.nodeId, {
        connections: server.connections,
        messagesIn: rates?.messagesIn ?? null,
        messagesOut: rates?.messagesOut ?? null,
        deliveryMs: server.deliveryMs,
      });
    }
    this.#before = next;
    this.#points.push({ at: live.at, nodes });
  }

  /** Of the whole cluster; null until two readings are there. */
  get rates(): Rates | null {
    const known = [...this.#before.values()].flatMap(({ rates }) => rates ?? []);
    if (known.length === 0) return null;
    const sum = (of: keyof Rates) => known.reduce((total, rates) => total + rates[of], 0);
    return {
      messagesIn: sum('messagesIn'),
      messagesOut: sum('messagesOut'),
      bytesIn: sum('bytesIn'),
      bytesOut: sum('bytesOut'),
    };
  }

  ratesOf(nodeId: string): Rates | null {
    return this.#before.get(nodeId)?.rates ?? null;
  }

  points(): Point[] {
    return this.#points.list().filter(({ at }) => at > this.#lastAt - LIVE_MS);
  }
}

/**
 * By the times at which the node spoke: it counts all the time but tells every few seconds, so two
 * frames between which it said nothing mean "as before", not "none".
 */
function since(before: Reading, now: Server): Rates | null {
  const { server: then, rates } = before;
  // It started anew, and so did its counters.
  if (then.startedAt !== now.startedAt) return null;
  const seconds = (now.lastSeenAt - then.lastSeenAt) / 1000;
  if (seconds <= 0) return rates;
  const rate = (of: 'messagesReceived' | 'messagesDelivered' | 'bytesReceived' | 'bytesSent') =>
    Math.max(0, now[of] - then[of]) / seconds;
  return {
    messagesIn: rate('messagesReceived'),
    messagesOut: rate('messagesDelivered'),
    bytesIn: rate('bytesReceived'),
    bytesOut: rate('bytesSent'),
  };
}

const MINUTE_MS = 60_000;

/** The last hour in the shape of the live figures. A minute in which nobody spoke is a gap. */
export function pointsOfHour(minutes: readonly Minute[]): Point[] {
  const points: Point[] = [];
  for (const minute of minutes) {
    const last = points.at(-1);
    if (last && minute.at - last.at > 1.5 * MINUTE_MS) {
      points.push({ at: last.at + MINUTE_MS, nodes: new Map() });
    }
    const nodes = minute.nodes.map((node): [string, NodePoint] => [
      node.nodeId,
      {
        connections: node.connections,
        messagesIn: node.messagesReceived / 60,
        messagesOut: node.messagesDelivered / 60,
        deliveryMs: node.deliveryMs,
      },
    ]);
    points.push({ at: minute.at, nodes: new Map(nodes) });
  }
  return points;
}

/** All nodes that the points know, by name. */
export function nodeIds(points: readonly Point[]): string[] {
  return [...new Set(points.flatMap(({ nodes }) => [...nodes.keys()]))].sort(byName);
}

const COLLATOR = new Intl.Collator('en', { numeric: true });
export const byName = (a: string, b: string): number => COLLATOR.compare(a, b);

export function seriesOf(points: readonly Point[], measure: Measure): Series {
  return {
    times: points.map(({ at }) => at),
    nodes: nodeIds(points).map((nodeId) => ({
      nodeId,
      values: points.map(({ nodes }) => nodes.get(nodeId)?.[measure] ?? null),
    })),
  };
}

/** Round numbers for an axis from none to `max`, at most five of them above none. */
export function ticks(max: number): number[] {
  if (!(max > 0)) return [0, 1];
  const rough = max / 5;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 2.5, 5, 10].map((digit) => digit * power).find((size) => size >= rough)!;
  const count = Math.ceil(max / step - 1e-9);
  // Multiplied, not added up: 0.1 + 0.2 is no round number.
  return Array.from({ length: count + 1 }, (_, index) => Number((index * step).toPrecision(12)));
}

export interface Course {
  nodeId: string;
  /** At `times`, as near as there is a value; the last is now. */
  values: (number | null)[];
  lowest: number | null;
  highest: number | null;
}

/** A chart in a few numbers, for a table: `steps` moments of the span that ends with the newest point. */
export function courses(series: Series, spanMs: number, steps = 6): Course[] {
  const end = series.times.at(-1) ?? 0;
  const step = spanMs / (steps - 1);
  return series.nodes.map(({ nodeId, values }) => {
    const known = values.filter((value) => value !== null);
    return {
      nodeId,
      values: Array.from({ length: steps }, (_, index) => {
        const wanted = end - spanMs + index * step;
        return nearest(series.times, values, wanted, step / 2);
      }),
      lowest: known.length > 0 ? Math.min(...known) : null,
      highest: known.length > 0 ? Math.max(...known) : null,
    };
  });
}

function nearest(
  times: readonly number[],
  values: readonly (number | null)[],
  wanted: number,
  within: number,
): number | null {
  let best: number | null = null;
  let distance = within;
  for (const [index, time] of times.entries()) {
    const off = Math.abs(time - wanted);
    const value = values[index] ?? null;
    if (value !== null && off <= distance) {
      best = value;
      distance = off;
    }
  }
  return best;
}

/** How many messages a minute each room has, from its newest position as the page has read it. */
export class RoomRates {
  readonly #readings = new Map<number, { at: number; seq: number }[]>();

  read(rooms: readonly { roomId: number; seq: number }[], at: number): void {
    for (const { roomId, seq } of rooms) {
      const readings = this.#readings.get(roomId) ?? [];
      const last = readings.at(-1);
      // A timeline that began anew begins with few messages.
      if (last && (seq < last.seq || at - last.at > 2 * MINUTE_MS)) readings.length = 0;
      readings.push({ at, seq });
      while (readings.length > 2 && at - readings[0]!.at > MINUTE_MS) readings.shift();
      this.#readings.set(roomId, readings);
    }
    // Rooms that nobody looks at any more.
    for (const [roomId, readings] of this.#readings) {
      if (at - readings.at(-1)!.at > 10 * MINUTE_MS) this.#readings.delete(roomId);
    }
  }

  /** Null until there were two readings. */
  perMinute(roomId: number): number | null {
    const readings = this.#readings.get(roomId);
    const [first, last] = [readings?.[0], readings?.at(-1)];
    if (!first || !last || last.at <= first.at) return null;
    return ((last.seq - first.seq) * MINUTE_MS) / (last.at - first.at);
  }
}
