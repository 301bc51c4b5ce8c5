import { describe, expect, it } from 'vitest';
import { collect, unique } from './collect';
import { csvName, localTime, readable } from './csv';
import { ago, bytes, ms, NONE, rate, span, words } from './format';
import { Lines } from './lines';
import { href, numberId, parseRoute } from './route';

describe('a file of the audit log', () => {
  it('has a name that sorts and is good everywhere', () => {
    expect(csvName(Date.UTC(2026, 4, 5, 12, 30, 1, 250))).toBe(
      'roomful-audit-2026-05-05T12-30-01Z.csv',
    );
  });

  it('takes times of the reader', () => {
    expect(localTime('')).toBeNull();
    expect(localTime('nonsense')).toBeNull();
    expect(localTime('2026-05-05T12:30')).toBe(new Date(2026, 4, 5, 12, 30).getTime());
  });

  it('has details that people can read', () => {
    expect(readable(null)).toBe('');
    expect(readable({ a: [1] })).toBe('{\n  "a": [\n    1\n  ]\n}');
  });
});

describe('reading pages', () => {
  const pages = (all: number[][]) => {
    const read: (string | null)[] = [];
    return {
      read,
      page: async (cursor: string | null) => {
        read.push(cursor);
        const index = Number(cursor ?? 0);
        return { rows: all[index]!, cursor: index + 1 < all.length ? `${index + 1}` : null };
      },
    };
  };

  it('goes on over empty ones until there is enough', async () => {
    const { page, read } = pages([[], [1], [], [2, 3], [4]]);
    expect(await collect(page, null, 2)).toEqual({ rows: [1, 2, 3], cursor: '4' });
    expect(read).toEqual([null, '1', '2', '3']);
    expect(await collect(page, '4', 2)).toEqual({ rows: [4], cursor: null });
  });

  it('stops at last', async () => {
    const endless = pages(Array.from({ length: 100 }, () => []));
    expect(await collect(endless.page, null, 1)).toEqual({ rows: [], cursor: '20' });
    expect(endless.read).toHaveLength(20);
    const stuck = async () => ({ rows: [1], cursor: 'same' });
    expect(await collect(stuck, 'same', 10)).toEqual({ rows: [1], cursor: null });
  });

  it('keeps each row once, as it was read last', () => {
    const rows = [
      { id: 1, v: 'a' },
      { id: 2, v: 'b' },
      { id: 1, v: 'c' },
    ];
    expect(unique(rows, ({ id }) => id)).toEqual([
      { id: 1, v: 'c' },
      { id: 2, v: 'b' },
    ]);
  });
});

describe('a route', () => {
  it('goes there and back', () => {
    for (const route of [
      { view: 'overview', id: null, query: '' },
      { view: 'rooms', id: '48213', query: '' },
      { view: 'clients', id: null, query: 'a&b/c?d=ü' },
      { view: 'nodes', id: 'node/1 ?', query: '' },
    ] as const) {
      expect(parseRoute(href(route))).toEqual(route);
    }
  });

  it('that is none is the overview', () => {
    for (const hash of ['', '#', '#/', '#/nowhere/5', '#<b>']) {
      expect(parseRoute(hash).view).toBe('overview');
    }
    expect(parseRoute('#/rooms/%E0%A4%A').id).toBe('%E0%A4%A');
    expect(numberId('12')).toBe(12);
    expect(numberId('../x')).toBeNull();
    expect(numberId(null)).toBeNull();
  });
});

it('a node keeps its line, and the first 32 have different ones', () => {
  const lines = new Lines();
  const first = lines.of('a');
  const all = Array.from({ length: 31 }, (_, index) => lines.of(`node ${index}`));
  expect(lines.of('a')).toBe(first);
  expect(new Set([first, ...all].map((line) => JSON.stringify(line))).size).toBe(32);
});

describe('figures in words', () => {
  it('are short', () => {
    expect(rate(null)).toBe(NONE);
    expect(rate(0)).toBe('0');
    expect(rate(2.25)).toMatch(/^2.3$/);
    expect(bytes(999)).toBe('999 B');
    expect(bytes(1_500)).toMatch(/^1.5 kB$/);
    expect(bytes(250_000_000)).toBe('250 MB');
    expect(ms(0.456)).toBe('0.46 ms');
    expect(ms(12.34)).toMatch(/^12.3 ms$/);
    expect(ms(61_000)).toBe('1 min 1 s');
    expect(words('client_remove')).toBe('client remove');
  });

  it('count time in two parts', () => {
    expect(span(0)).toBe('0 s');
    expect(span(59_999)).toBe('59 s');
    expect(span(3_600_000)).toBe('1 h');
    expect(span(90_061_000)).toBe('1 d 1 h');
    expect(span(90_061_000, 1)).toBe('1 d');
    expect(ago(500, 600)).toBe('now');
    expect(ago(0, 5_000)).toBe('5 s ago');
    expect(ago(0, 65_000)).toBe('1 min ago');
  });
});
