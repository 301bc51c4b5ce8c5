import { expect, it } from 'vitest';
import { FakeClock } from '../net/fake_socket';
import { TypingNotifier } from './typing_notifier';

it('says rarely that somebody types, and once that they stopped', async () => {
  const clock = new FakeClock();
  const said: boolean[] = [];
  const notifier = new TypingNotifier(clock, (typing) => said.push(typing));
  for (let key = 0; key < 40; key += 1) {
    notifier.changed(false);
    await clock.pass(100);
  }
  expect(said).toEqual([true, true]);
  notifier.changed(true);
  notifier.changed(true);
  expect(said).toEqual([true, true, false]);
  notifier.changed(false);
  notifier.stopped(true);
  expect(said).toEqual([true, true, false, true]);
});
