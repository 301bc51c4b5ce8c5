import { expect, it } from 'vitest';
import { verdict } from './close_codes';

const half = () => 0.5;

it.each([
  [1000, 'reconnect'],
  [1002, 'reconnect'],
  [1007, 'reconnect'],
  [1008, 'reconnect'],
  [4009, 'take_over'],
  [4010, 'nothing'],
  [4011, 'reconnect'],
])('%i is not retried and offers %s', (code, offer) => {
  expect(verdict(code, 0, half)).toEqual({ retry: false, offer });
});

it.each([1006, 1009, 1011, 1013, 4001, 4008, 4040, 4999])('%i backs off', (code) => {
  expect(verdict(code, 0, half)).toMatchObject({ retry: true, delayMs: 250, firm: false });
  expect(verdict(code, 3, half)).toMatchObject({ retry: true, delayMs: 2_000 });
});

it('4003 forgets the session', () => {
  expect(verdict(4003, 0, half)).toMatchObject({ retry: true, forgetSession: true });
});

it('4029 waits 30 s, and nothing shortens it', () => {
  expect(verdict(4029, 0, half)).toMatchObject({ retry: true, delayMs: 30_000, firm: true });
});

it('1012 is spread over a second, then backs off', () => {
  expect(verdict(1012, 0, half)).toMatchObject({ retry: true, delayMs: 500 });
  expect(verdict(1012, 5, half)).toMatchObject({ retry: true, delayMs: 8_000 });
});
