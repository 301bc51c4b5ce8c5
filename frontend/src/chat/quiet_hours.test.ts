import { expect, it } from 'vitest';
import { clockOf, minuteOf } from './quiet_hours';

it('times come back from what they were written as', () => {
  for (let minute = 0; minute < 24 * 60; minute += 1) {
    expect(minuteOf(clockOf(minute))).toBe(minute);
  }
  expect(clockOf(7 * 60 + 5)).toBe('07:05');
});

it.each(['', '24:00', '12:60', 'noon'])('%j is no time', (text) => {
  expect(minuteOf(text)).toBeNull();
});
