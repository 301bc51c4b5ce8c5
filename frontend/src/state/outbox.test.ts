import { beforeEach, describe, expect, it } from 'vitest';
import { FakeClock } from '../net/fake_socket';
import type { Event } from '../protocol/codec';
import type { ErrorCode } from '../protocol/generated';
import type { Room } from './model';
import { Outbox, type Outgoing } from './outbox';
import { problem } from './problem';

const ROOM = 20_000;
let clock: FakeClock;
let sent: string[];
let connected: boolean;
let shown: readonly Outgoing[];
let outbox: Outbox;

beforeEach(() => {
  clock = new FakeClock();
  sent = [];
  connected = true;
  shown = [];
  outbox = new Outbox({
    clock,
    random: () => 0,
    transmit: ({ id }) => {
      if (connected) sent.push(id);
      return connected;
    },
    changed: (entries) => void (shown = entries),
  });
  outbox.take(connect(7));
});

const connect = (clientId: number) => ({ type: 'CONNECT', clientId }) as Event<'CONNECT'>;

const ack = (id: string, seq: number): Event<'ACK'> => ({
  type: 'ACK',
  id,
  roomId: ROOM,
  seq,
  sentAt: 0,
  duplicate: false,
});
const error = (id: string, code: ErrorCode, retryAfterMs?: number): Event<'ERROR'> => ({
  type: 'ERROR',
  id,
  code,
  message: '',
  ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
});
function room(seq: number, ...mine: string[]): Room {
  const messages = mine.map((id, at) => ({
    seq: seq - at,
    id,
    sender: { clientId: 7, username: 'Me' },
    body: '',
    sentAt: 0,
  }));
  return { roomId: ROOM, seq, base: 1, messages, holes: [] } as unknown as Room;
}
const states = () => shown.map(({ id, state }) => `${id} ${state}`);

describe('a message', () => {
  it('is pending at once and sent when the room is live', () => {
    outbox.add({ id: 'a', roomId: ROOM, body: 'hi' });
    expect(states()).toEqual(['a pending']);
    expect(sent).toEqual([]);
    outbox.flush(ROOM);
    expect(sent).toEqual(['a']);
  });

  it('settles by ACK, then leaves when the timeline has it', () => {
    outbox.flush(ROOM);
    outbox.add({ id: 'a', roomId: ROOM, body: 'hi' });
    outbox.take(ack('a', 5));
    expect(states()).toEqual(['a sent']);
    outbox.settle(room(4));
    expect(states()).toEqual(['a sent']);
    outbox.settle(room(5, 'a'));
    expect(states()).toEqual([]);
  });

  it('settles by its echo alone, and the ACK that follows changes nothing', () => {
    outbox.flush(ROOM);
    outbox.add({ id: 'a', roomId: ROOM, body: 'hi' });
    outbox.settle(room(5, 'a'));
    outbox.take(ack('a', 5));
    expect(states()).toEqual([]);
    expect(sent).toEqual(['a']);
  });

  it('of somebody else with the same id settles nothing', () => {
    outbox.take(connect(8));
    outbox.add({ id: 'a', roomId: ROOM, body: 'hi' });
    outbox.settle(room(5, 'a'));
    expect(states()).toEqual(['a pending']);
  });

  it('waits for the one before it, so that order is kept', () => {
    outbox.flush(ROOM);
    outbox.add({ id: 'a', roomId: ROOM, body: '1' });
    outbox.add({ id: 'b', roomId: ROOM, body: '2' });
    expect(sent).toEqual(['a']);
    outbox.take(ack('a', 1));
    expect(sent).toEqual(['a', 'b']);
  });

  it('of another room waits for that room', () => {
    outbox.flush(ROOM);
    outbox.add({ id: 'a', roomId: 20_001, body: '1' });
    expect(sent).toEqual([]);
    outbox.flush(20_001);
    expect(sent).toEqual(['a']);
  });
});

describe('without an answer', () => {
  it('it is sent 5 times with the same id, ever more slowly, then fails', async () => {
    outbox.flush(ROOM);
    outbox.add({ id: 'a', roomId: ROOM, body: 'hi' });
    const at: number[] = [];
    for (let second = 0; second < 200; second += 1) {
      if (sent.length > at.length) at.push(second);
      await clock.pass(1_000);
    }
    expect(at).toEqual([0, 5, 15, 35, 75]);
    expect(new Set(sent)).toEqual(new Set(['a']));
    expect(shown[0]).toMatchObject({ state: 'failed', problem: { code: 'no_answer' } });
  });

  it('a retry by hand uses the same id and starts counting anew', async () => {
    outbox.flush(ROOM);
    outbox.add({ id: 'a', roomId: ROOM, body: 'hi' });
    await clock.pass(200_000);
    outbox.retry('a');
    expect(states()).toEqual(['a pending']);
    expect(sent).toHaveLength(6);
    outbox.take(ack('a', 3));
    expect(states()).toEqual(['a sent']);
  });

  it('the next one goes on', async () => {
    outbox.flush(ROOM);
    outbox.add({ id: 'a', roomId: ROOM, body: '1' });
    outbox.add({ id: 'b', roomId: ROOM, body: '2' });
    await clock.pass(155_000);
    expect(sent.at(-1)).toBe('b');
  });

  it('after a lost connection it goes out again on the next', () => {
    outbox.flush(ROOM);
    outbox.add({ id: 'a', roomId: ROOM, body: 'hi' });
    outbox.suspend();
    connected = false;
    outbox.add({ id: 'b', roomId: ROOM, body: 'more' });
    connected = true;
    outbox.flush(ROOM);
    expect(sent).toEqual(['a', 'a']);
    outbox.take(ack('a', 1));
    expect(sent).toEqual(['a', 'a', 'b']);
  });

  it('a late ACK still settles what had failed', async () => {
    outbox.flush(ROOM);
    outbox.add({ id: 'a', roomId: ROOM, body: 'hi' });
    await clock.pass(200_000);
    outbox.take(ack('a', 3));
    expect(states()).toEqual(['a sent']);
  });
});

describe('refused', () => {
  it.each<ErrorCode>([
    'too_long',
    'empty',
    'forbidden',
    'not_in_room',
    'room_not_found',
    'bad_request',
  ])('with %s it fails at once, and the next one goes on', (code) => {
    outbox.flush(ROOM);
    outbox.add({ id: 'a', roomId: ROOM, body: '1' });
    outbox.add({ id: 'b', roomId: ROOM, body: '2' });
    outbox.take(error('a', code));
    expect(shown[0]).toMatchObject({ state: 'failed', problem: { code } });
    expect(sent).toEqual(['a', 'b']);
  });

  it.each<ErrorCode>(['rate_limited', 'unavailable'])(
    'with %s it waits as long as it was told and costs no attempt',
    async (code) => {
      outbox.flush(ROOM);
      outbox.add({ id: 'a', roomId: ROOM, body: 'hi' });
      for (let round = 1; round < 10; round += 1) {
        outbox.take(error('a', code, 3_000));
        expect(shown[0]).toMatchObject({ state: 'pending', retryAt: clock.now() + 3_000 });
        await clock.pass(2_999);
        expect(sent).toHaveLength(round);
        await clock.pass(1);
        expect(sent).toHaveLength(round + 1);
        expect(shown[0]!.retryAt).toBeUndefined();
      }
    },
  );

  it('for long, it is given up before the server forgets its id', async () => {
    outbox.flush(ROOM);
    outbox.add({ id: 'a', roomId: ROOM, body: 'hi' });
    for (let second = 0; second < 600 && shown[0]!.state === 'pending'; second += 1) {
      outbox.take(error('a', 'unavailable', 1_000));
      await clock.pass(1_000);
    }
    expect(shown[0]!.state).toBe('failed');
    expect(sent.length).toBeLessThan(500);
  });
});

it('what was meant for a room that is over fails', () => {
  outbox.flush(ROOM);
  outbox.add({ id: 'a', roomId: ROOM, body: 'hi' });
  outbox.fail(ROOM, problem('room_over'));
  expect(shown[0]).toMatchObject({ state: 'failed', problem: { code: 'room_over' } });
});

it('after a reload the young go out again, and the old and the failed wait for a word', () => {
  const now = clock.now();
  const saved = { roomId: ROOM, body: '', state: 'pending' } as const;
  outbox.restore([
    { ...saved, id: 'old', at: now - 3_600_000 },
    { ...saved, id: 'young', at: now - 60_000 },
    { ...saved, id: 'failed', at: now, state: 'failed', problem: problem('forbidden') },
  ]);
  outbox.flush(ROOM);
  expect(states()).toEqual(['old failed', 'young pending', 'failed failed']);
  expect(sent).toEqual(['young']);
});

describe('under another identity', () => {
  const uncertain = { state: 'failed', problem: { code: 'uncertain' } };
  const comeBackAs = (clientId: number) => {
    outbox.suspend();
    outbox.take(connect(clientId));
    outbox.flush(ROOM);
  };

  it('what was transmitted is not repeated by itself, and what was not goes out', () => {
    outbox.flush(ROOM);
    outbox.add({ id: 'a', roomId: ROOM, body: '1' });
    outbox.add({ id: 'b', roomId: ROOM, body: '2' });
    comeBackAs(8);
    expect(shown[0]).toMatchObject(uncertain);
    expect(sent).toEqual(['a', 'b']);
    outbox.retry('a');
    outbox.take(ack('b', 1));
    outbox.take(ack('a', 2));
    expect(sent).toEqual(['a', 'b', 'a']);
    expect(states()).toEqual(['a sent', 'b sent']);
  });

  it('under the same one everything goes out again', () => {
    outbox.flush(ROOM);
    outbox.add({ id: 'a', roomId: ROOM, body: 'hi' });
    comeBackAs(7);
    expect(states()).toEqual(['a pending']);
    expect(sent).toEqual(['a', 'a']);
  });

  it('it is let go of when the timeline turns out to have it', () => {
    outbox.flush(ROOM);
    outbox.add({ id: 'a', roomId: ROOM, body: 'hi' });
    comeBackAs(8);
    outbox.settle(room(5, 'a'));
    expect(states()).toEqual([]);
  });

  it('the same holds after a reload', () => {
    outbox.flush(ROOM);
    outbox.add({ id: 'a', roomId: ROOM, body: 'hi' });
    outbox.add({ id: 'b', roomId: ROOM, body: 'more' });
    outbox.suspend();
    outbox.restore(JSON.parse(JSON.stringify(shown)) as Outgoing[]);
    comeBackAs(8);
    expect(shown[0]).toMatchObject(uncertain);
    expect(sent).toEqual(['a', 'b']);
  });

  it('it also holds for what nobody answered, and not for what was refused', async () => {
    outbox.flush(ROOM);
    outbox.add({ id: 'a', roomId: ROOM, body: 'hi' });
    await clock.pass(200_000);
    outbox.add({ id: 'b', roomId: ROOM, body: 'bad' });
    outbox.take(error('b', 'forbidden'));
    comeBackAs(8);
    expect(shown[0]).toMatchObject(uncertain);
    expect(shown[1]).toMatchObject({ state: 'failed', problem: { code: 'forbidden' } });
  });

  it('what could not be transmitted was not', () => {
    outbox.flush(ROOM);
    connected = false;
    outbox.add({ id: 'a', roomId: ROOM, body: 'hi' });
    connected = true;
    comeBackAs(8);
    expect(states()).toEqual(['a pending']);
    expect(sent).toEqual(['a']);
  });

  it('a retry that was asked for offline is not asked about again', () => {
    outbox.flush(ROOM);
    outbox.add({ id: 'a', roomId: ROOM, body: 'hi' });
    comeBackAs(8);
    outbox.suspend();
    outbox.retry('a');
    comeBackAs(9);
    expect(states()).toEqual(['a pending']);
    expect(sent).toEqual(['a', 'a']);
  });
});

it('a discarded message is forgotten, and its answer too', () => {
  outbox.flush(ROOM);
  outbox.add({ id: 'a', roomId: ROOM, body: 'hi' });
  outbox.discard('a');
  outbox.take(ack('a', 1));
  expect(states()).toEqual([]);
});
