import { describe, expect, it } from 'vitest';
import { networkFirst, outdated, PREFIX, treatment } from './policy';

const origin = 'https://chat.example';
const assets = new Set(['/assets/start-abc.js', '/favicon.svg']);
const get = (path: string, mode = 'cors') => ({ method: 'GET', mode, url: origin + path });

describe('the worker', () => {
  it.each([
    ['/', 'navigate', 'page'],
    ['/?lang=en', 'navigate', 'page'],
    ['/r/48213', 'navigate', 'page'],
    ['/admin/', 'navigate', 'leave'],
    ['/api/rooms', 'navigate', 'leave'],
    ['/r/x', 'navigate', 'leave'],
    ['/assets/start-abc.js', 'cors', 'asset'],
    ['/assets/start-new.js', 'cors', 'leave'],
    ['/assets/start-abc.js?x', 'cors', 'leave'],
    ['/api/rooms/48213', 'cors', 'leave'],
    ['/ws', 'websocket', 'leave'],
    ['/admin/nodes', 'cors', 'leave'],
    ['/sw.js', 'same-origin', 'leave'],
    ['/', 'cors', 'leave'],
  ])('%s %s: %s', (path, mode, expected) => {
    expect(treatment(get(path, mode), origin, assets)).toBe(expected);
  });

  it('leaves what is no GET and what is not ours', () => {
    expect(treatment({ ...get('/favicon.svg'), method: 'POST' }, origin, assets)).toBe('leave');
    const other = { method: 'GET', mode: 'cors', url: 'https://other.example/favicon.svg' };
    expect(treatment(other, origin, assets)).toBe('leave');
  });

  it('throws away its own old caches only', () => {
    const names = [`${PREFIX}1`, `${PREFIX}2`, 'of-something-else'];
    expect(outdated(names, `${PREFIX}2`)).toEqual([`${PREFIX}1`]);
  });
});

describe('the network first', () => {
  const fresh = { status: 200, from: 'network' };
  const kept = { status: 200, from: 'cache' };
  const never = () => new Promise<never>(() => {});
  const soon = async () => {};

  it('gives what it has', async () => {
    expect(
      await networkFirst(
        async () => fresh,
        async () => kept,
        never,
        1,
      ),
    ).toBe(fresh);
    const missing = { status: 404, from: 'network' };
    expect(
      await networkFirst(
        async () => missing,
        async () => kept,
        never,
        1,
      ),
    ).toBe(missing);
  });

  it('then what is kept: without a network, with a slow one, with a broken server', async () => {
    const cut = () => Promise.reject(new TypeError('offline'));
    expect(await networkFirst(cut, async () => kept, never, 1)).toBe(kept);
    expect(await networkFirst(never, async () => kept, soon, 1)).toBe(kept);
    const broken = async () => ({ status: 502, from: 'proxy' });
    expect(await networkFirst(broken, async () => kept, never, 1)).toBe(kept);
  });

  it('waits when nothing is kept, and says what is wrong', async () => {
    let answer = (_: typeof fresh) => {};
    const slow = () => new Promise<typeof fresh>((resolve) => (answer = resolve));
    const asked = networkFirst(slow, async () => undefined, soon, 1);
    await Promise.resolve();
    answer(fresh);
    expect(await asked).toBe(fresh);
    const cut = () => Promise.reject(new TypeError('offline'));
    await expect(networkFirst(cut, async () => undefined, never, 1)).rejects.toThrow('offline');
  });
});
