import { readFileSync, readdirSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { reduce } from '../state/reduce';
import { EMPTY } from '../state/model';
import { decode, encode } from './codec';
import { EVENT_TYPES, type ClientCommand } from './generated';

/** Written by the server's own tests from its own types. */
const FRAMES = new URL('../../../crates/protocol/tests/frames/', import.meta.url);

function golden(kind: 'event' | 'command'): [string, string][] {
  const dir = new URL(`${kind}/`, FRAMES);
  return readdirSync(dir).map((name) => [name, readFileSync(new URL(name, dir), 'utf8')]);
}

function event(name: string) {
  const decoded = decode(golden('event').find(([file]) => file === `${name}.json`)![1]);
  if (decoded.kind !== 'event') throw new Error(`${name} is ${decoded.kind}`);
  return decoded.event;
}

describe('golden events', () => {
  it('are there for every type', () => {
    expect(
      golden('event')
        .map(([name]) => name.replace('.json', ''))
        .sort(),
    ).toEqual([...EVENT_TYPES].sort());
  });

  it.each(golden('event'))('%s is understood', (name, frame) => {
    const decoded = decode(frame);
    expect(decoded).toMatchObject({ kind: 'event', event: { type: name.replace('.json', '') } });
  });

  it.each(golden('event'))('%s without any one of its needed fields never throws', (_, frame) => {
    const whole = JSON.parse(frame) as Record<string, unknown>;
    const room = reduce(reduce(EMPTY, event('CONNECT'), 0), event('ROOM_JOINED'), 0);
    for (const field of Object.keys(whole)) {
      for (const value of [undefined, null, 7, 'x', [], {}, [null], true]) {
        const decoded = decode(JSON.stringify({ ...whole, [field]: value }));
        if (decoded.kind === 'event') reduce(room, decoded.event, 0);
      }
    }
  });

  it('tell a story', () => {
    let model = reduce(EMPTY, event('CONNECT'), 0);
    expect(model.me).toMatchObject({ clientId: 10_042, username: 'Zoë', nodeId: 'node-1' });
    model = reduce(model, event('ROOM_JOINED'), 0);
    expect(model.room).toMatchObject({
      name: 'Tea & 🍪',
      seq: 43,
      base: 12,
      holes: [{ from: 12, to: 41, lost: true }],
    });
    const before = model.room!.messages;
    model = reduce(model, event('NEW_MESSAGE'), 0);
    expect(model.room!.messages).toEqual(before);
    model = reduce(model, event('USER_EVENT'), 0);
    expect(model.room!.memberCount).toBe(2);
    model = reduce(model, event('NOTICE'), 0);
    expect(model.notices).toMatchObject([{ text: 'Back in five minutes', level: 'warning' }]);
  });
});

describe('golden commands', () => {
  it.each(golden('command'))('%s is what this side would write', (_, frame) => {
    const command = JSON.parse(frame) as ClientCommand;
    expect(JSON.parse(encode(command))).toEqual(command);
  });
});
