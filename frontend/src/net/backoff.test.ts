import { describe, expect, it } from 'vitest';
import { RECONNECT, RETRY, addedJitter, fullJitter } from './backoff';

describe('full jitter', () => {
  it('doubles its upper end from 0.5 s to 30 s', () => {
    const ends = [0, 1, 2, 3, 4, 5, 6, 7, 100].map((n) => fullJitter(RECONNECT, n, () => 1));
    expect(ends).toEqual([500, 1000, 2000, 4000, 8000, 16_000, 30_000, 30_000, 30_000]);
  });

  it('may be nothing at all', () => {
    expect(fullJitter(RECONNECT, 9, () => 0)).toBe(0);
  });
});

describe('added jitter', () => {
  it('never comes before its time', () => {
    expect(addedJitter(RETRY, 0, () => 0)).toBe(5_000);
    expect(addedJitter(RETRY, 0, () => 1)).toBe(6_250);
    expect(addedJitter(RETRY, 3, () => 0)).toBe(40_000);
  });
});
