import { describe, expect, it } from 'vitest';
import { cleanBody, length } from '../state/text';
import { members, rooms, unlessWritten } from './completion';
import { trigger } from './completion_trigger';
import { markOf, toggleMark } from './formatting';
import { knownNames, mentionable } from './known_names';
import { cut, split } from './paste';

describe('what is being completed', () => {
  const at = (text: string) => trigger(text, text.length);

  it.each([
    ['@', { kind: '@', query: '', from: 0 }],
    ['hi @ad', { kind: '@', query: 'ad', from: 3 }],
    ['(@Zoë', { kind: '@', query: 'Zoë', from: 1 }],
    ['#gen', { kind: '#', query: 'gen', from: 0 }],
    ['a\n#482', { kind: '#', query: '482', from: 2 }],
    [':sm', { kind: ':', query: 'sm', from: 0 }],
    ['**:+1', { kind: ':', query: '+1', from: 2 }],
    [`${'x'.repeat(3000)} @ad`, { kind: '@', query: 'ad', from: 3001 }],
  ])('%j', (text, found) => expect(at(text)).toEqual(found));

  it.each(['', 'a@b', ':D', ':', '10:30', '@a b', 'a#1', '@@'])('not in %j', (text) =>
    expect(at(text)).toBeNull(),
  );

  it('is at the caret, and not in front of a word', () => {
    expect(trigger('@ad and more', 3)).toEqual({ kind: '@', query: 'ad', from: 0 });
    expect(trigger('@ada', 2)).toBeNull();
  });

  it('finds members by any word of their name, without accents, but not oneself', () => {
    const people = [
      { clientId: 1, username: 'Ada' },
      { clientId: 2, username: 'Zoë Adams' },
      { clientId: 3, username: 'Bo' },
    ];
    const found = (query: string, me = 3) => members(people, query, me).map(({ text }) => text);
    expect(found('ad')).toEqual(['@Ada ', '@Zoë Adams ']);
    expect(found('zoe')).toEqual(['@Zoë Adams ']);
    expect(found('b')).toEqual([]);
    expect(found('', 1)).toEqual(['@Zoë Adams ', '@Bo ']);
  });

  it('names no more than fit, out of 10,000', () => {
    const people = Array.from({ length: 10_000 }, (_, n) => ({
      clientId: n,
      username: `User ${n}`,
    }));
    expect(members(people, 'user', undefined)).toHaveLength(8);
    expect(members(people, 'user 9999', undefined)).toHaveLength(1);
  });

  it('has nothing to say to what is written out', () => {
    const found = members([{ clientId: 1, username: 'Ada' }], 'ADA', undefined);
    expect(unlessWritten(found, '@ADA')).toEqual([]);
    expect(unlessWritten(found, '@ad')).toBe(found);
    const two = members(
      ['Ada', 'Ada B'].map((username, clientId) => ({ clientId, username })),
      'ada',
      9,
    );
    expect(unlessWritten(two, '@ada')).toHaveLength(2);
  });

  it('finds rooms by number and name', () => {
    const list = [
      { roomId: 48213, name: 'General', memberCount: 3, createdAt: 0 },
      { roomId: 10001, name: 'Tea', memberCount: 1, createdAt: 0 },
    ];
    expect(rooms(list, 'gen').map(({ text }) => text)).toEqual(['#48213 ']);
    expect(rooms(list, '1000').map(({ label }) => label)).toEqual(['Tea']);
    expect(rooms(list, '')).toHaveLength(2);
  });
});

describe('who can be mentioned', () => {
  const message = (seq: number, clientId: number, username: string) => ({
    seq,
    id: `${seq}`,
    sender: { clientId, username },
    body: '',
    sentAt: 0,
  });

  it('is whoever spoke, the last first, and whoever is there', () => {
    const members = [
      { clientId: 1, username: 'Ada' },
      { clientId: 2, username: 'Bob' },
    ];
    const messages = [message(1, 2, 'Bo'), message(2, 3, 'Cy')];
    expect([...mentionable({ members, messages }).values()].map((one) => one.username)).toEqual([
      'Cy',
      'Bob',
      'Ada',
    ]);
    expect([...knownNames({ members, messages })].sort()).toEqual(['ada', 'bo', 'bob', 'cy']);
  });

  it('is the same set until somebody new speaks', () => {
    const members = [{ clientId: 1, username: 'Ada' }];
    const first = knownNames({ members, messages: [message(1, 1, 'Ada')] });
    expect(knownNames({ members, messages: [message(1, 1, 'Ada'), message(2, 1, 'Ada')] })).toBe(
      first,
    );
    expect(knownNames({ members, messages: [message(3, 2, 'Bo')] })).not.toBe(first);
  });
});

describe('counting', () => {
  it.each([
    ['', 0],
    ['  a  ', 1],
    ['👍', 1],
    ['👩‍👧', 3],
    ['e\u0301', 2],
    ['a\nb', 3],
  ])('%j has %d characters, as the server counts', (text, count) =>
    expect(length(text)).toBe(count),
  );
});

describe('long text', () => {
  it('is cut between characters', () => {
    expect(cut('abc', 3)).toEqual({ text: 'abc', cut: false });
    expect(cut('ab👍', 3)).toEqual({ text: 'ab', cut: true });
    expect(cut('x'.repeat(1_000_000), 40_000).text).toHaveLength(40_000);
  });

  it('is split where it hurts least, and nothing is lost', () => {
    expect(split('one two three', 8)).toEqual(['one two', 'three']);
    expect(split('one two\nthree four', 12)).toEqual(['one two', 'three four']);
    expect(split('abcdefgh', 3)).toEqual(['abc', 'def', 'gh']);
    expect(split('👍👍👍', 2)).toEqual(['👍👍', '👍']);
    expect(split('short', 10)).toEqual(['short']);
    const text = Array.from({ length: 9000 }, (_, n) => `word${n}`).join(' ');
    const parts = split(text, 2000);
    expect(parts.every((part) => length(part) <= 2000)).toBe(true);
    expect(parts.join(' ')).toBe(text);
  });

  it('loses what the server refuses', () => {
    expect(cleanBody('a\r\nb\x1b[31m\x00\f')).toBe('a\nb[31m');
  });
});

describe('formatting', () => {
  const toggled = (marked: string, mark: string) => {
    const from = marked.indexOf('|');
    const text = marked.replace('|', '');
    const to = text.indexOf('|');
    const plain = text.replace('|', '');
    const change = toggleMark(plain, from, to, mark);
    const next = plain.slice(0, change.from) + change.text + plain.slice(change.to);
    const [a, b] = change.selected;
    return `${next.slice(0, a)}|${next.slice(a, b)}|${next.slice(b)}`;
  };

  it.each([
    ['a |b| c', 'a **|b|** c'],
    ['a **|b|** c', 'a |b| c'],
    ['a |**b**| c', 'a |b| c'],
    ['a| b |c', 'a **|b|** c'],
    ['||', '**||**'],
  ])('%s becomes %s', (before, after) => expect(toggled(before, '**')).toBe(after));

  it('knows its keys', () => {
    const key = (key: string, more = {}) =>
      markOf({ key, ctrlKey: true, metaKey: false, altKey: false, shiftKey: false, ...more });
    expect(key('b')).toBe('**');
    expect(key('i')).toBe('_');
    expect(key('e')).toBe('`');
    expect(key('X', { shiftKey: true })).toBe('~~');
    expect(key('x')).toBeUndefined();
    expect(key('B', { shiftKey: true })).toBeUndefined();
    expect(key('b', { altKey: true })).toBeUndefined();
    expect(key('b', { ctrlKey: false })).toBeUndefined();
  });
});
