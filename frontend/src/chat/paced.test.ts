import { expect, it } from 'vitest';
import { Paced } from './paced';

it('passes the first at once, then the newest of each frame', () => {
  const passed: number[] = [];
  const frames: (() => void)[] = [];
  const paced = new Paced<number>(
    (value) => passed.push(value),
    (act) => frames.push(act),
  );
  const frame = () => frames.splice(0).forEach((act) => act());

  paced.offer(1);
  expect(passed).toEqual([1]);
  paced.offer(2);
  paced.offer(3);
  expect(passed).toEqual([1]);
  frame();
  expect(passed).toEqual([1, 3]);
  frame();
  expect(frames).toEqual([]);
  paced.offer(4);
  expect(passed).toEqual([1, 3, 4]);
});
