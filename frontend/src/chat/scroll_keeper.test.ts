import { expect, it } from 'vitest';
import { ScrollKeeper } from './scroll_keeper';

const box = (scrollTop: number, scrollHeight: number) => ({
  scrollTop,
  scrollHeight,
  clientHeight: 400,
});

it('stays at the end', () => {
  const keeper = new ScrollKeeper();
  const element = box(600, 1_000);
  keeper.scrolled(element);
  keeper.before(element);
  element.scrollHeight = 1_100;
  keeper.after(element, false);
  expect(element.scrollTop).toBe(1_100);
});

it('does not move somebody who reads further up', () => {
  const keeper = new ScrollKeeper();
  const element = box(200, 1_000);
  keeper.scrolled(element);
  keeper.before(element);
  element.scrollHeight = 1_100;
  keeper.after(element, false);
  expect(element.scrollTop).toBe(200);
  expect(keeper.following).toBe(false);
});

it('keeps the text in place when older messages come in above', () => {
  const keeper = new ScrollKeeper();
  const element = box(0, 1_000);
  keeper.scrolled(element);
  keeper.before(element);
  element.scrollHeight = 1_800;
  keeper.after(element, true);
  expect(element.scrollTop).toBe(800);
});
