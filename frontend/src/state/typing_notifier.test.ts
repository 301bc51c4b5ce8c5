import { beforeEach, expect, it } from 'vitest';
import { FakeClock } from '../net/fake_socket';
import { TypingNotifier } from './typing_notifier';

let clock: FakeClock;
let said: { typing: boolean; at: number }[];
let notifier: TypingNotifier;

beforeEach(() => {
  clock = new FakeClock();
  said = [];
  notifier = new TypingNotifier(clock, (typing) => said.push({ typing, at: clock.now() }));
});

const words = () => said.map(({ typing }) => typing);

it('repeats itself while somebody goes on typing, each 3 s', async () => {
  for (let key = 0; key < 70; key += 1) {
    notifier.changed(false);
    await clock.pass(100);
  }
  expect(words()).toEqual([true, true, true]);
});

it('says once that they stopped, unless a message says it', () => {
  notifier.changed(false);
  notifier.changed(true);
  notifier.changed(true);
  expect(words()).toEqual([true, false]);
});

it('leaves it to the message to say that they stopped', () => {
  notifier.changed(false);
  notifier.stopped(true);
  expect(words()).toEqual([true]);
});

it('says it late rather than never when too much was said before', async () => {
  for (let message = 0; message < 3; message += 1) {
    notifier.changed(false);
    notifier.stopped(true);
  }
  notifier.changed(false);
  expect(words()).toEqual([true, true]);
  await clock.pass(2_100);
  expect(words()).toEqual([true, true, true]);
  notifier.stopped(true);
  notifier.changed(false);
  notifier.stopped(true);
  await clock.pass(10_000);
  expect(words()).toEqual([true, true, true]);
});

it('never says more than the server allows', async () => {
  for (let round = 0; round < 300; round += 1) {
    notifier.changed(false);
    if (round % 2) notifier.stopped(round % 3 === 0);
    await clock.pass(100);
  }
  for (const [index, { at }] of said.entries()) {
    const third = said[index + 2];
    if (third) expect(third.at - at).toBeGreaterThanOrEqual(2_000);
  }
  expect(said.length).toBeGreaterThan(5);
});
