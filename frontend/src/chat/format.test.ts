import { expect, it } from 'vitest';
import { dayName, hue, initials, people, seconds } from './format';

it('shortens names to initials', () => {
  expect(initials('Ada Lovelace')).toBe('AL');
  expect(initials('ada')).toBe('A');
  expect(initials('👩‍🚀 x')).toBe('👩X');
  expect(initials('  ')).toBe('');
});

it('gives neighbours different colours', () => {
  const hues = [10_001, 10_002, 10_003].map(hue);
  expect(new Set(hues).size).toBe(3);
  expect(Math.abs(hues[0]! - hues[1]!)).toBeGreaterThan(60);
});

it('names days', () => {
  const now = new Date(2026, 4, 5, 12).getTime();
  expect(dayName(now - 1, now)).toBe('Today');
  expect(dayName(now - 86_400_000, now)).toBe('Yesterday');
  expect(dayName(now - 3 * 86_400_000, now)).toContain('2');
});

it('counts down to one second, never to none', () => {
  expect(seconds(2_001, 0)).toBe('3 s');
  expect(seconds(0, 5_000)).toBe('1 s');
  expect(people(1)).toBe('1 person');
});
