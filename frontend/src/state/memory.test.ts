import { expect, it } from 'vitest';
import { shelf } from './fixture';
import { Memory } from './memory';

it('remembers who and where', () => {
  const [browser, tab] = [shelf(), shelf()];
  const memory = new Memory(browser, tab);
  memory.identify({ session: 's' });
  memory.identify({ username: 'Ada', welcomed: true });
  memory.place = { roomId: 7, name: 'Tea' };
  memory.saveDraft(7, 'half a sent');
  const later = new Memory(browser, tab);
  expect(later.identity).toEqual({ session: 's', username: 'Ada', welcomed: true });
  expect(later.place).toEqual({ roomId: 7, name: 'Tea' });
  expect(later.draft(7)).toBe('half a sent');
  later.identify({ session: undefined });
  expect(later.identity).toEqual({ username: 'Ada', welcomed: true });
});

it('starts afresh from whatever is not its own', () => {
  for (const junk of ['', '{', '3', '"x"', '[]', '{"session":1,"roomId":"7"}']) {
    const broken = { getItem: () => junk, setItem: () => {}, removeItem: () => {} };
    const memory = new Memory(broken, broken);
    expect(memory.identity).toEqual({});
    expect(memory.place).toBeNull();
    expect(memory.unsent).toEqual([]);
  }
});

it('works where storage is forbidden', () => {
  const forbidden = () => {
    throw new Error('denied');
  };
  const broken = { getItem: forbidden, setItem: forbidden, removeItem: forbidden };
  const memory = new Memory(broken, broken);
  memory.identify({ session: 's' });
  memory.place = { roomId: 7, name: 'Tea' };
  memory.place = null;
  expect(memory.identity).toEqual({});
});
