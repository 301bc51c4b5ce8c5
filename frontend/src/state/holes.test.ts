import { expect, it } from 'vitest';
import { lose, withHole, without } from './holes';

const open = (from: number, to: number) => ({ from, to, lost: false });
const lost = (from: number, to: number) => ({ from, to, lost: true });

it('splits where something is filled in', () => {
  expect(without([open(1, 9)], 4, 5)).toEqual([open(1, 3), open(6, 9)]);
  expect(without([open(1, 9)], 0, 20)).toEqual([]);
  expect(without([open(1, 3)], 4, 5)).toEqual([open(1, 3)]);
});

it('joins neighbours of one kind', () => {
  expect(withHole([open(1, 3), open(6, 9)], open(4, 5))).toEqual([open(1, 9)]);
  expect(withHole([open(1, 3)], lost(4, 5))).toEqual([open(1, 3), lost(4, 5)]);
  expect(withHole([open(1, 3)], open(5, 4))).toEqual([open(1, 3)]);
});

it('loses only what was open', () => {
  expect(lose([open(1, 9)], 3, 4)).toEqual([open(1, 2), lost(3, 4), open(5, 9)]);
  expect(lose([lost(1, 2), open(5, 6)], 1, 9)).toEqual([lost(1, 2), lost(5, 6)]);
});
