import { describe, expect, it } from 'vitest';
import { preview } from './preview';

const answer = (status: number, body: unknown) => async () => ({
  status,
  json: async () => body,
});

describe('a look at a room', () => {
  it('finds its name and how many are in it', async () => {
    const room = { roomId: 48_213, name: 'Tea', memberCount: 3, createdAt: 1 };
    expect(await preview(answer(200, room), 48_213)).toEqual({
      state: 'found',
      name: 'Tea',
      memberCount: 3,
    });
  });

  it.each([404, 400])('says that there is none: %i', async (status) => {
    expect(await preview(answer(status, {}), 48_213)).toEqual({ state: 'none' });
  });

  it.each([500, 502, 429, 304])('does not know: %i', async (status) => {
    expect(await preview(answer(status, {}), 48_213)).toEqual({ state: 'unknown' });
  });

  it.each([null, 'text', {}, { name: 3, memberCount: 'x' }])(
    'does not know what to make of %j',
    async (body) => {
      expect(await preview(answer(200, body), 48_213)).toEqual({ state: 'unknown' });
    },
  );

  it('does not wait for ever', async () => {
    const stuck = (_: string, { signal }: RequestInit) =>
      new Promise<never>((_, reject) =>
        signal!.addEventListener('abort', () => reject(signal!.reason)),
      );
    const patience = new AbortController();
    const looked = preview(stuck, 48_213, patience.signal);
    patience.abort();
    expect(await looked).toEqual({ state: 'unknown' });
  });
});
