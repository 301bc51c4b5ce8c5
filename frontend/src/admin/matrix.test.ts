import { describe, expect, it } from 'vitest';
import { canary, server } from './fixture';
import { broken, lastOne, matrix, NodeWatch, troubled } from './matrix';

const pair = (at: number) => [
  server('a', { lastSeenAt: at, canary: [canary('a'), canary('b', { deliveryMs: 2.5 })] }),
  server('b', { lastSeenAt: at, canary: [canary('a', { lost: true }), canary('b')] }),
];

function watched(...frames: [number, ReturnType<typeof server>[]][]): NodeWatch {
  const watch = new NodeWatch();
  for (const [at, servers] of frames) watch.observe({ at, servers });
  return watch;
}

const states = (watch: NodeWatch) =>
  watch.rows().map(({ server, state }) => `${server.nodeId} ${state}`);

describe('a node', () => {
  it('is ok, draining or silent', () => {
    const frame = (at: number): [number, ReturnType<typeof server>[]] => [
      at,
      [
        server('c', { lastSeenAt: 1_000 }),
        server('node-10', { lastSeenAt: at, draining: true }),
        server('node-2', { lastSeenAt: at }),
      ],
    ];
    expect(states(watched(frame(1_000), frame(9_000)))[0]).toBe('c ok');
    expect(states(watched(frame(1_000), frame(9_001)))).toEqual([
      'c silent',
      'node-2 ok',
      'node-10 draining',
    ]);
  });

  it('is judged by what it says, not by its clock or by that of another replica', () => {
    const watch = watched([50_000, [server('a', { lastSeenAt: 7 })]]);
    watch.observe({ at: 49_900, servers: [server('a', { lastSeenAt: 8 })] });
    expect(states(watch)).toEqual(['a ok']);
  });

  it('that vanishes stays for a minute', () => {
    const watch = watched([0, pair(0)], [10_000, pair(10_000).slice(0, 1)]);
    expect(states(watch)).toEqual(['a ok', 'b gone']);
    watch.observe({ at: 60_000, servers: pair(60_000).slice(0, 1) });
    expect(states(watch)).toEqual(['a ok', 'b gone']);
    watch.observe({ at: 60_001, servers: pair(60_001).slice(0, 1) });
    expect(states(watch)).toEqual(['a ok']);
  });

  it('that said farewell is not missed, and one that comes back is there', () => {
    const leaving = server('b', { draining: true });
    expect(states(watched([0, [leaving]], [1_000, []]))).toEqual([]);
    const back = watched([0, pair(0)], [1_000, []], [2_000, pair(2_000)]);
    expect(states(back)).toEqual(['a ok', 'b ok']);
  });

  it('that is the last to take clients is known', () => {
    const one = watched([0, [server('a'), server('b', { draining: true })]]);
    expect(lastOne(one.rows(), 'a')).toBe(true);
    expect(lastOne(one.rows(), 'b')).toBe(false);
  });
});

describe('the matrix', () => {
  it('has a cell for each way', () => {
    const cells = matrix(watched([0, pair(0)]).rows());
    expect(cells.map((row) => row.map(({ state, deliveryMs }) => [state, deliveryMs]))).toEqual([
      [
        ['ok', 1],
        ['ok', 2.5],
      ],
      [
        ['lost', 1],
        ['ok', 1],
      ],
    ]);
    expect(broken(cells)).toBe(1);
  });

  it('shows a vanished node from all sides', () => {
    const watch = watched([0, pair(0)], [5_000, pair(5_000).slice(0, 1)]);
    const cells = matrix(watch.rows());
    expect(cells.map((row) => row.map(({ state }) => state))).toEqual([
      ['ok', 'gone'],
      ['gone', 'gone'],
    ]);
    expect(cells[0]![1]!.silentMs).toBe(5_000);
    expect(broken(cells)).toBe(3);
  });

  it('of too many nodes is of those with trouble', () => {
    const many = [...pair(0), server('c', { canary: [canary('a'), canary('b')] }), server('d')];
    const names = (watch: NodeWatch) => troubled(watch.rows()).map((row) => row.server.nodeId);
    expect(names(watched([0, many]))).toEqual(['a', 'b']);
    expect(names(watched([0, many], [1_000, many.slice(0, 3)]))).toEqual(['a', 'b', 'd']);
  });

  it('claims nothing about what was never asked', () => {
    const cells = matrix(watched([0, [server('a'), server('b')]]).rows());
    expect(cells.flat().map(({ state }) => state)).toEqual(['self', 'unknown', 'unknown', 'self']);
    const asked = matrix(
      watched([0, [server('a', { canary: [canary('a', { deliveryMs: null })] })]]).rows(),
    );
    expect(asked[0]![0]!.state).toBe('unknown');
  });
});
