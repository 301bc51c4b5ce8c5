import { beforeEach, describe, expect, it } from 'vitest';
import { shelf } from '../state/fixture';
import type { Room } from '../state/model';
import { Marks, MARKS_KEY, Unread } from './unread';

const ME = 1;
const OTHER = 2;
let storage: ReturnType<typeof shelf>;
let now: number;
let marks: Marks;
beforeEach(() => {
  storage = shelf();
  now = 0;
  marks = new Marks(storage, () => (now += 1));
});

/** A room whose messages are from these people, from position 1 on. */
function room(by: number[], change: Partial<Room> = {}): Room {
  const messages = by.map((clientId, at) => ({
    seq: at + 1,
    id: `${at}`,
    sender: { clientId, username: `P${clientId}` },
    body: '',
    sentAt: 0,
  }));
  return { roomId: 7, epoch: 'e', seq: by.length, messages, ...change } as unknown as Room;
}
const state = ({ count, since }: Unread) => ({ count, since });

describe('unread', () => {
  it('is nothing in a room that one comes to for the first time', () => {
    const unread = new Unread(marks);
    unread.observe(room([OTHER, OTHER]), ME, true);
    expect(state(unread)).toEqual({ count: 0, since: null });
  });

  it('counts what others said while nobody looked, and shows where it began when they do', () => {
    const unread = new Unread(marks);
    unread.observe(room([OTHER]), ME, true);
    unread.observe(room([OTHER, OTHER]), ME, false);
    unread.observe(room([OTHER, OTHER, ME, OTHER]), ME, false);
    expect(state(unread)).toEqual({ count: 2, since: 1 });
    unread.observe(room([OTHER, OTHER, ME, OTHER]), ME, true);
    expect(state(unread)).toEqual({ count: 0, since: 1 });
    // What comes while one looks on moves nothing.
    unread.observe(room([OTHER, OTHER, ME, OTHER, OTHER]), ME, true);
    expect(state(unread)).toEqual({ count: 0, since: 1 });
    // The next absence has a place of its own.
    unread.observe(room([OTHER, OTHER, ME, OTHER, OTHER, OTHER]), ME, false);
    expect(state(unread)).toEqual({ count: 1, since: 5 });
  });

  it('has no line any more for who has answered', () => {
    const unread = new Unread(marks);
    unread.observe(room([OTHER]), ME, true);
    unread.observe(room([OTHER, OTHER]), ME, false);
    unread.observe(room([OTHER, OTHER]), ME, true);
    unread.observe(room([OTHER, OTHER, ME]), ME, true);
    expect(unread.since).toBeNull();
  });

  it('outlives a reload', () => {
    new Unread(marks).observe(room([OTHER]), ME, true);
    const again = new Unread(new Marks(storage, () => 99));
    again.observe(room([OTHER, OTHER, OTHER]), ME, false);
    expect(state(again)).toEqual({ count: 2, since: 1 });
  });

  it('is read in all tabs when one has read it', () => {
    const [one, two] = [new Unread(marks), new Unread(new Marks(storage, () => 99))];
    for (const tab of [one, two]) tab.observe(room([OTHER]), ME, false);
    for (const tab of [one, two]) tab.observe(room([OTHER, OTHER]), ME, false);
    one.observe(room([OTHER, OTHER]), ME, true);
    two.reread(room([OTHER, OTHER]), ME);
    expect(two.count).toBe(0);
    // And a tab that is behind does not take it back.
    two.observe(room([OTHER, OTHER]), ME, false);
    expect(marks.get(room([]))).toBe(2);
  });

  it('begins anew with a timeline that does', () => {
    const unread = new Unread(marks);
    unread.observe(room([OTHER, OTHER]), ME, true);
    unread.observe(room([OTHER], { epoch: 'f' }), ME, false);
    expect(state(unread)).toEqual({ count: 0, since: null });
    expect(marks.get(room([]))).toBeNull();
  });

  it('does not count what was deleted', () => {
    const unread = new Unread(marks);
    unread.observe(room([OTHER]), ME, true);
    const later = room([OTHER, OTHER]);
    const messages = later.messages.map((m) => ({ ...m, deleted: 'sender' as const }));
    unread.observe({ ...later, messages }, ME, false);
    expect(unread.count).toBe(0);
  });
});

describe('marks', () => {
  it('are kept of a bounded number of rooms, the latest', () => {
    for (let roomId = 1; roomId <= 150; roomId += 1) marks.set({ roomId, epoch: 'e' }, roomId);
    expect(marks.get({ roomId: 150, epoch: 'e' })).toBe(150);
    expect(marks.get({ roomId: 51, epoch: 'e' })).toBe(51);
    expect(marks.get({ roomId: 50, epoch: 'e' })).toBeNull();
  });

  it.each(['', 'null', '7', '[]', '{"7":null}', '{"7":{"epoch":"e","seq":"x","at":1}}', '{'])(
    'survive %j in storage',
    (found) => {
      storage.setItem(MARKS_KEY, found);
      expect(marks.get({ roomId: 7, epoch: 'e' })).toBeNull();
      marks.set({ roomId: 7, epoch: 'e' }, 4);
      expect(marks.get({ roomId: 7, epoch: 'e' })).toBe(4);
    },
  );
});
