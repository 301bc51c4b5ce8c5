import { describe, expect, it } from 'vitest';
import { decode, encode } from './codec';

describe('decode', () => {
  it('reads an event', () => {
    const frame = { type: 'RECONNECT', afterMs: 250 };
    expect(decode(JSON.stringify(frame))).toEqual({ kind: 'event', event: frame });
  });

  it('keeps fields that it does not know', () => {
    const decoded = decode('{"type":"PONG","id":"a","later":1}');
    expect(decoded).toMatchObject({ kind: 'event', event: { id: 'a' } });
  });

  it('takes null for an absent field', () => {
    expect(decode('{"type":"ROOMS","rooms":[],"cursor":null}').kind).toBe('event');
  });

  it.each(['TOPIC', 'constructor', '__proto__', 'toString'])('does not know %s', (type) => {
    expect(decode(JSON.stringify({ type }))).toEqual({ kind: 'unknown', type });
  });

  it.each([
    ['', 'nothing'],
    ['{', 'half an object'],
    ['null', 'null'],
    ['[]', 'an array'],
    ['7', 'a number'],
    ['{}', 'no type'],
    ['{"type":3}', 'a type that is no string'],
    ['{"type":"NEW_MESSAGE"}', 'fields missing'],
    ['{"type":"ROOMS","rooms":{}}', 'an object for an array'],
    ['{"type":"RECONNECT","afterMs":"1"}', 'a string for a number'],
    ['{"type":"USER_EVENT","roomId":1,"memberCount":1,"joined":[null]}', 'null in a list'],
  ])('calls %j malformed: %s', (frame) => {
    expect(decode(frame).kind).toBe('malformed');
  });

  it('calls a binary frame malformed', () => {
    expect(decode(new ArrayBuffer(4)).kind).toBe('malformed');
  });
});

describe('encode', () => {
  it('leaves out what is undefined', () => {
    expect(encode({ type: 'PING', id: undefined } as never)).toBe('{"type":"PING"}');
  });
});
