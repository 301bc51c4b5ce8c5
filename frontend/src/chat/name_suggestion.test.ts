import { describe, expect, it } from 'vitest';
import { suggestName } from './name_suggestion';

describe('a suggested name', () => {
  it('is the same for the same chance', () => {
    expect(suggestName(() => 0.5)).toBe(suggestName(() => 0.5));
    expect(suggestName(() => 0.1)).not.toBe(suggestName(() => 0.9));
  });

  it('fits the limit, whatever chance brings', () => {
    for (let first = 0; first < 1; first += 0.01) {
      for (let second = 0; second < 1; second += 0.01) {
        const chances = [first, second];
        const name = suggestName(() => chances.shift()!);
        expect(name).toMatch(/^[A-Z][a-z]+ [A-Z][a-z]+$/);
        expect(name.length).toBeLessThanOrEqual(16);
      }
    }
  });
});
