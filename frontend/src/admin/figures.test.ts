import { describe, expect, it } from 'vitest';
import type { NodeMinute } from '../protocol/generated';
import { courses, Figures, pointsOfHour, Ring, RoomRates, seriesOf, ticks } from './figures';
import { live, server } from './fixture';

it('a ring keeps the newest', () => {
  const ring = new Ring<number>(3);
  for (const value of [1, 2, 3, 4, 5]) ring.push(value);
  expect(ring.list()).toEqual([3, 4, 5]);
  expect(ring.size).toBe(3);
});

describe('rates', () => {
  const at = (time: number, received: number, more = {}) =>
    server('a', {
      lastSeenAt: time,
      messagesReceived: received,
      bytesSent: received * 100,
      ...more,
    });

  it('come from two readings', () => {
    const figures = new Figures();
    figures.add(live(1_000, [at(1_000, 100)]));
    expect(figures.rates).toBeNull();
    figures.add(live(3_000, [at(3_000, 150)]));
    expect(figures.rates).toEqual({ messagesIn: 25, messagesOut: 0, bytesIn: 0, bytesOut: 2_500 });
    expect(figures.ratesOf('a')?.messagesIn).toBe(25);
  });

  it('last while a node says nothing new', () => {
    const figures = new Figures();
    figures.add(live(1_000, [at(1_000, 0)]));
    figures.add(live(4_000, [at(4_000, 30)]));
    figures.add(live(5_000, [at(4_000, 30)]));
    expect(figures.rates?.messagesIn).toBe(10);
    figures.add(live(7_000, [at(7_000, 30)]));
    expect(figures.rates?.messagesIn).toBe(0);
  });

  it('begin anew with a node, and add up over all', () => {
    const figures = new Figures();
    const other = (time: number, received: number) => ({ ...at(time, received), nodeId: 'b' });
    figures.add(live(1_000, [at(1_000, 100), other(1_000, 0)]));
    figures.add(live(2_000, [at(2_000, 5, { startedAt: 1_500 }), other(2_000, 7)]));
    expect(figures.ratesOf('a')).toBeNull();
    expect(figures.rates?.messagesIn).toBe(7);
    figures.add(live(3_000, [at(3_000, 8, { startedAt: 1_500 }), other(3_000, 14)]));
    expect(figures.rates?.messagesIn).toBe(10);
  });

  it('ignore what is older than what is known', () => {
    const figures = new Figures();
    figures.add(live(2_000, [at(2_000, 10)]));
    figures.add(live(1_000, [at(1_000, 0)]));
    expect(figures.points().map((point) => point.at)).toEqual([2_000]);
    figures.add(live(100_000, [at(100_000, 10)]));
    figures.add(live(50_000, [at(50_000, 10)]));
    expect(figures.points().map((point) => point.at)).toEqual([50_000]);
  });
});

describe('the course of things', () => {
  it('has a line for each node, with gaps where it was not there', () => {
    const figures = new Figures();
    figures.add(live(1_000, [server('b', { connections: 1 })]));
    figures.add(live(2_000, [server('b', { connections: 2 }), server('a', { connections: 9 })]));
    figures.add(live(3_000, [server('a', { connections: 8 })]));
    expect(seriesOf(figures.points(), 'connections')).toEqual({
      times: [1_000, 2_000, 3_000],
      nodes: [
        { nodeId: 'a', values: [null, 9, 8] },
        { nodeId: 'b', values: [1, 2, null] },
      ],
    });
  });

  it('is five minutes long, and torn where the page was asleep', () => {
    const figures = new Figures();
    figures.add(live(1_000, [server('a')]));
    figures.add(live(200_000, [server('a')]));
    expect(seriesOf(figures.points(), 'connections').nodes[0]?.values).toEqual([0, null, 0]);
    figures.add(live(302_000, [server('a')]));
    expect(figures.points().some(({ at }) => at <= 2_000)).toBe(false);
  });

  it('of the hour is by the second too', () => {
    const node: NodeMinute = {
      nodeId: 'a',
      connections: 3,
      rooms: 1,
      messagesReceived: 120,
      messagesDelivered: 600,
      bytesReceived: 0,
      bytesSent: 0,
      slowConsumersClosed: 0,
      queuedBytes: 0,
      eventLoopLagMs: 0,
      roundTripMs: 0,
      deliveryMs: null,
    };
    const points = pointsOfHour([
      { at: 0, nodes: [node] },
      { at: 180_000, nodes: [node] },
    ]);
    expect(seriesOf(points, 'messagesIn')).toEqual({
      times: [0, 60_000, 180_000],
      nodes: [{ nodeId: 'a', values: [2, null, 2] }],
    });
    expect(seriesOf(points, 'messagesOut').nodes[0]?.values).toEqual([10, null, 10]);
  });

  it('fits into a few numbers', () => {
    const times = Array.from({ length: 301 }, (_, second) => second * 1_000);
    const series = { times, nodes: [{ nodeId: 'a', values: times.map((at) => at / 1_000) }] };
    expect(courses(series, 300_000)).toEqual([
      { nodeId: 'a', values: [0, 60, 120, 180, 240, 300], lowest: 0, highest: 300 },
    ]);
    const short = { times: [1_000], nodes: [{ nodeId: 'a', values: [null] }] };
    expect(courses(short, 300_000)[0]).toMatchObject({ lowest: null, highest: null });
  });
});

it('an axis has round numbers', () => {
  expect(ticks(1_780)).toEqual([0, 500, 1_000, 1_500, 2_000]);
  expect(ticks(2.6)).toEqual([0, 1, 2, 3]);
  expect(ticks(0.3)).toEqual([0, 0.1, 0.2, 0.3]);
  expect(ticks(5)).toEqual([0, 1, 2, 3, 4, 5]);
  expect(ticks(0)).toEqual([0, 1]);
  expect(ticks(Number.NaN)).toEqual([0, 1]);
  for (const max of [1, 7, 11, 13, 99, 101, 12_345, 1e9, 0.004]) {
    const marks = ticks(max);
    expect(marks.at(-1)).toBeGreaterThanOrEqual(max);
    expect(marks.length).toBeLessThanOrEqual(6);
  }
});

describe('messages of a room', () => {
  it('are counted between two readings', () => {
    const rates = new RoomRates();
    rates.read([{ roomId: 1, seq: 10 }], 0);
    expect(rates.perMinute(1)).toBeNull();
    rates.read([{ roomId: 1, seq: 20 }], 10_000);
    expect(rates.perMinute(1)).toBe(60);
    expect(rates.perMinute(2)).toBeNull();
  });

  it('look back a minute, and begin anew with the timeline', () => {
    const rates = new RoomRates();
    for (let second = 0; second <= 120; second += 10) {
      rates.read([{ roomId: 1, seq: second < 60 ? 0 : second }], second * 1_000);
    }
    expect(rates.perMinute(1)).toBe(60);
    rates.read([{ roomId: 1, seq: 3 }], 130_000);
    expect(rates.perMinute(1)).toBeNull();
  });
});
