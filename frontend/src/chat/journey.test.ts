import { describe, expect, it } from 'vitest';
import type { Exit } from '../state/model';
import { Journey, type Whereabouts } from './journey';

type Room = { roomId: number; name: string };
const TEA = { roomId: 10_001, name: 'Tea' };
const COFFEE = { roomId: 10_002, name: 'Coffee' };

/** A store that does what it is told, and a browser's history. */
function world(
  start = '/',
  { returning = null as string | null, room = null as Room | null } = {},
) {
  const subscribers = new Set<() => void>();
  const rooms = new Map([TEA, COFFEE].map((one) => [one.roomId, one]));
  const view = { model: { room, exit: null as Exit | null }, returning };
  const be = (next: Room | null, exit: Exit | null = null) => {
    view.model = { room: next, exit };
    for (const run of subscribers) run();
  };
  const store = {
    view,
    subscribe(run: () => void) {
      run();
      subscribers.add(run);
      return () => subscribers.delete(run);
    },
    async joinRoom(roomId: number) {
      await Promise.resolve();
      if (!rooms.has(roomId)) throw new Error('room_not_found');
      be(null);
      await Promise.resolve();
      be(rooms.get(roomId)!);
    },
    async createRoom(name: string) {
      await Promise.resolve();
      be({ roomId: 10_003, name });
    },
  };
  const addresses: string[] = [];
  const used: number[] = [];
  const url = new URL(start, 'https://chat.example');
  const journey = new Journey({
    store: store as never,
    recent: { used: ({ roomId }) => void used.push(roomId) },
    history: {
      push: (path) => void addresses.push(path),
      replace: (path) => void addresses.push(`= ${path}`),
    },
    start: url,
  });
  const seen: Whereabouts[] = [];
  journey.subscribe((now) => seen.push(now));
  const went = (to: string) => journey.went(new URL(to, 'https://chat.example'));
  return { journey, be, went, addresses, used, seen };
}

describe('the address', () => {
  it('follows into a room and out of it', async () => {
    const { journey, be, addresses, used } = world();
    await journey.join(TEA.roomId);
    be(null);
    await journey.create('New');
    expect(addresses).toEqual(['/r/10001', '/', '/r/10003']);
    expect([...new Set(used)]).toEqual([10_001, 10_003]);
  });

  it('does not stop between two rooms', async () => {
    const { journey, addresses } = world();
    await journey.join(TEA.roomId);
    await journey.join(COFFEE.roomId);
    expect(addresses).toEqual(['/r/10001', '/r/10002']);
  });

  it('after a reload is that of the room, and Back does not lead to where nobody was', () => {
    const { be, addresses } = world('/', { returning: 'Tea' });
    be(TEA);
    expect(addresses).toEqual(['= /r/10001']);
  });

  it('after a reload is the list, when the room has ended meanwhile', () => {
    const { journey, be, addresses } = world('/r/10001', { returning: 'Tea' });
    be(null, { ...TEA, reason: 'gone' });
    expect(journey.now.asked).toBeNull();
    expect(addresses).toEqual(['= /']);
  });

  it('of another room stays, when the former has ended', () => {
    const { journey, be, addresses } = world('/r/10002', { returning: 'Tea' });
    be(null, { ...TEA, reason: 'gone' });
    expect(journey.now.asked).toMatchObject({ roomId: 10_002 });
    expect(addresses).toEqual([]);
  });

  it('that has the room already stays', () => {
    const { be, addresses, journey } = world('/r/10001#7', { returning: 'Tea' });
    be(TEA);
    expect(addresses).toEqual([]);
    expect(journey.now).toMatchObject({ asked: null, target: { seq: 7 } });
  });

  it('keeps the message that a link points to', async () => {
    const { journey, addresses } = world();
    journey.open({ roomId: TEA.roomId, seq: 7 });
    expect(journey.now.target).toBeNull();
    await journey.join(TEA.roomId);
    expect(addresses).toEqual(['/r/10001#7']);
    expect(journey.now).toMatchObject({ asked: null, target: { seq: 7 } });
    const before = journey.now.target;
    journey.open({ roomId: TEA.roomId, seq: 7 });
    expect(journey.now.target).not.toBe(before);
  });
});

describe('nobody is moved unasked', () => {
  it('by a link to another room', () => {
    const { journey, be } = world('/r/10002', { returning: 'Tea' });
    be(TEA);
    expect(journey.now.asked).toEqual({ roomId: 10_002, seq: null });
    journey.stay();
    expect(journey.now.asked).toBeNull();
  });

  it('by Back', async () => {
    const { journey, went } = world();
    await journey.join(TEA.roomId);
    await journey.join(COFFEE.roomId);
    went('/r/10001');
    expect(journey.now).toMatchObject({ asked: { roomId: 10_001 }, browsing: false });
    went('/');
    expect(journey.now).toMatchObject({ asked: null, browsing: true });
    went('/r/10002#3');
    expect(journey.now).toMatchObject({ asked: null, browsing: false, target: { seq: 3 } });
  });
});

describe('who was moved', () => {
  it('is told from where', async () => {
    const { journey } = world();
    await journey.join(TEA.roomId);
    expect(journey.now.moved).toBeNull();
    await journey.join(COFFEE.roomId);
    expect(journey.now.moved).toMatchObject({ from: TEA, to: COFFEE });
    journey.dismiss();
    expect(journey.now.moved).toBeNull();
  });

  it('is not told so after leaving', async () => {
    const { journey, be } = world();
    await journey.join(TEA.roomId);
    await journey.join(COFFEE.roomId);
    be(null);
    expect(journey.now.moved).toBeNull();
  });

  it('stays where the other room cannot be entered', async () => {
    const { journey, addresses } = world();
    await journey.join(TEA.roomId);
    await expect(journey.join(99_999)).rejects.toThrow('room_not_found');
    expect(addresses).toEqual(['/r/10001']);
    expect(journey.now.moved).toBeNull();
  });
});
