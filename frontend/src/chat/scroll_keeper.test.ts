import { beforeEach, expect, it } from 'vitest';
import { ScrollKeeper, firstSeen, type Drawn } from './scroll_keeper';

let keeper: ScrollKeeper;
beforeEach(() => {
  keeper = new ScrollKeeper();
});

/** A list on a screen of 400 px; each row is `[key, height]`, and null is one that holds no place. */
class Box {
  clientHeight = 400;
  #top = 0;
  constructor(public rows: [string | null, number][]) {}
  get scrollHeight() {
    return this.rows.reduce((sum, [, height]) => sum + height, 0);
  }
  get scrollTop() {
    return this.#top;
  }
  set scrollTop(top) {
    this.#top = Math.max(0, Math.min(top, this.scrollHeight - this.clientHeight));
  }
  get drawn(): Drawn {
    const top = (at: number) =>
      this.rows.slice(0, at).reduce((sum, [, height]) => sum + height, 0) - this.#top;
    return {
      length: this.rows.length,
      key: (at) => this.rows[at]![0],
      top,
      bottom: (at) => top(at) + this.rows[at]![1],
    };
  }
  topOf(key: string) {
    return this.drawn.top(this.rows.findIndex(([k]) => k === key));
  }
}
const tall = (count: number): [string, number][] =>
  Array.from({ length: count }, (_, at) => [`m${at}`, 100]);
const scrollTo = (box: Box, top: number) => {
  box.scrollTop = top;
  keeper.scrolled(box, box.drawn);
};

it('stays at the end', () => {
  const box = new Box(tall(10));
  keeper.toEnd(box);
  box.rows.push(['new', 100]);
  keeper.settle(box, box.drawn);
  expect(box.scrollTop).toBe(700);
});

it('stays at the end though it grows before the browser says that it scrolled', () => {
  const box = new Box(tall(10));
  keeper.toEnd(box);
  box.rows.push(['new', 300]);
  keeper.scrolled(box, box.drawn);
  expect(keeper.following).toBe(true);
});

it('does not move somebody who reads further up', () => {
  const box = new Box(tall(10));
  keeper.toEnd(box);
  scrollTo(box, 200);
  box.rows.push(['new', 100]);
  keeper.settle(box, box.drawn);
  expect(box.scrollTop).toBe(200);
  expect(keeper.following).toBe(false);
});

it('is not at the end where there is more than is on the page', () => {
  const box = new Box(tall(10));
  box.scrollTop = 600;
  keeper.scrolled(box, box.drawn, true);
  expect(keeper.following).toBe(false);
});

it('keeps the text in place when older messages come in above', () => {
  const box = new Box([['day', 40], ...tall(10)]);
  box.rows[0]![0] = null;
  keeper.toEnd(box);
  scrollTo(box, 0);
  expect(box.topOf('m0')).toBe(40);
  // The day that stood above goes to the new top.
  box.rows = [[null, 40], ['older', 150], ['old', 30], ...tall(10)];
  keeper.settle(box, box.drawn);
  expect(box.topOf('m0')).toBe(40);
});

it('keeps it when rows above change their height, and on and on', () => {
  const box = new Box(tall(20));
  keeper.toEnd(box);
  scrollTo(box, 750);
  for (const height of [140, 20, 333]) {
    box.rows[2]![1] = height;
    keeper.settle(box, box.drawn);
    expect(box.topOf('m7')).toBe(-50);
  }
});

it('leaves a place that is gone alone', () => {
  const box = new Box(tall(20));
  keeper.toEnd(box);
  scrollTo(box, 750);
  box.rows = tall(20).map(([key, height]) => [`x${key}`, height]);
  keeper.settle(box, box.drawn);
  expect(box.scrollTop).toBe(750);
});

it('finds the first row that is seen', () => {
  const box = new Box(tall(20));
  box.scrollTop = 750;
  expect(firstSeen(box.drawn)).toBe(7);
  box.rows = [];
  expect(firstSeen(box.drawn)).toBe(0);
});
