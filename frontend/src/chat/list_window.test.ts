import { describe, expect, it } from 'vitest';
import { ALL, MOUNTED, POSITIONS, extent, fit, Heights, parts, type Span } from './list_window';

const messages = (from: number, to: number, step = 1) => {
  const list: { seq: number }[] = [];
  for (let seq = from; seq <= to; seq += step) list.push({ seq });
  return list;
};
/** The positions of the first and the last message of a span, and how many there are. */
const shown = (list: { seq: number }[], span: Span) => {
  const { start, end } = extent(parts(list), span);
  return { first: list[start]!.seq, last: list[end - 1]!.seq, count: end - start };
};

describe('the window', () => {
  it('shows all of a short list', () => {
    const list = messages(1, 120);
    expect(fit(parts(list), ALL, Infinity)).toEqual(ALL);
    expect(shown(list, ALL).count).toBe(120);
  });

  it('shows the end of a long one, as many as may be', () => {
    const list = messages(1, 10_000);
    const span = fit(parts(list), ALL, Infinity);
    const { last, count } = shown(list, span);
    expect(last).toBe(10_000);
    expect(count).toBeGreaterThan(MOUNTED - POSITIONS);
    expect(count).toBeLessThanOrEqual(MOUNTED);
  });

  it('follows somebody who scrolls, in small steps, both ways, always full on both sides', () => {
    const list = messages(1, 10_000);
    const all = parts(list);
    let span = fit(all, ALL, Infinity);
    const visit = (seq: number) => {
      const next = fit(all, span, seq);
      const [before, now] = [shown(list, span), shown(list, next)];
      expect(Math.abs(now.first - before.first)).toBeLessThanOrEqual(2 * POSITIONS);
      expect(now.count).toBeLessThanOrEqual(MOUNTED);
      expect(now.count).toBeGreaterThan(MOUNTED - 2 * POSITIONS);
      if (seq > 100) expect(seq - now.first).toBeGreaterThanOrEqual(50);
      if (seq < 9_900) expect(now.last - seq).toBeGreaterThanOrEqual(50);
      span = next;
    };
    for (let seq = 10_000; seq > 0; seq -= POSITIONS) visit(seq);
    expect(span.from).toBe(0);
    for (let seq = 1; seq <= 10_000; seq += POSITIONS) visit(seq);
    expect(span.to).toBe(Infinity);
  });

  it('does not change for a step to and fro', () => {
    const all = parts(messages(1, 10_000));
    const there = fit(all, ALL, 5_000);
    const on = fit(all, there, 5_000 + POSITIONS);
    expect(fit(all, on, 5_000)).toBe(on);
    expect(fit(all, on, 5_000 + POSITIONS)).toBe(on);
  });

  it('jumps to what is far away without drawing what lies between', () => {
    const list = messages(1, 10_000);
    const span = fit(parts(list), fit(parts(list), ALL, Infinity), 300);
    const { first, last, count } = shown(list, span);
    expect(first).toBeLessThan(230);
    expect(last).toBeGreaterThan(370);
    expect(count).toBeLessThanOrEqual(MOUNTED);
  });

  it('stays as it is when older messages are loaded above, but for the room that it has', () => {
    const before = parts(messages(5_000, 9_999));
    const span = fit(before, ALL, 7_000);
    expect(fit(parts(messages(4_950, 9_999)), span, 7_000)).toBe(span);
  });

  it('grows with a timeline that is read at its end, and drops what is far above', () => {
    let span = fit(parts(messages(1, 10)), ALL, Infinity);
    for (let end = 11; end < 1_000; end += 7) {
      span = fit(parts(messages(1, end)), span, Infinity);
      const { last, count } = shown(messages(1, end), span);
      expect(last).toBe(end);
      expect(count).toBeLessThanOrEqual(MOUNTED);
    }
  });

  it('is filled by messages, not by positions: most may be changes of others', () => {
    const list = messages(1, 20_000, 19);
    const { count } = shown(list, fit(parts(list), ALL, 10_000));
    expect(count).toBeGreaterThan(MOUNTED - POSITIONS);
  });

  it('is nothing of nothing', () => {
    expect(fit([], ALL, Infinity)).toBe(ALL);
    expect(extent([], ALL)).toEqual({ start: 0, end: 0 });
  });
});

describe('heights', () => {
  const all = parts(messages(0, 99));

  it('are what was measured, and a guess for what was not', () => {
    const heights = new Heights();
    const guess = heights.sum(all);
    expect(guess).toBeGreaterThan(0);
    heights.measured(1, POSITIONS, 1_000);
    expect(heights.of(all[1]!)).toBe(1_000);
    heights.forget();
    expect(heights.of(all[1]!)).not.toBe(1_000);
  });

  it('guess for what came to a measured part since', () => {
    const heights = new Heights();
    heights.measured(1, 5, 200);
    expect(heights.of(all[1]!)).toBeGreaterThan(200);
  });

  it('say what is at a distance', () => {
    const heights = new Heights();
    for (const { id } of all) heights.measured(id, POSITIONS, 1_000);
    expect(heights.at(all, 0)?.id).toBe(0);
    expect(heights.at(all, 2_500)?.id).toBe(2);
    expect(heights.at(all, 99_999)?.id).toBe(3);
    expect(heights.at([], 5)).toBeUndefined();
  });
});
