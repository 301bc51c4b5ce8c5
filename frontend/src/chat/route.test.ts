import { describe, expect, it } from 'vitest';
import { linkedPlace, parsePlace, pathOf } from './route';

describe('the address', () => {
  it.each([
    ['/r/48213', '', { roomId: 48_213, seq: null }],
    ['/r/48213/', '', { roomId: 48_213, seq: null }],
    ['/r/48213', '#812', { roomId: 48_213, seq: 812 }],
    ['/r/48213', '#content', { roomId: 48_213, seq: null }],
    ['/r/48213', '#-1', { roomId: 48_213, seq: null }],
    ['/', '', null],
    ['/', '#812', null],
    ['/r/', '', null],
    ['/r/x', '', null],
    ['/r/48213/more', '', null],
    ['/r/1234567890123', '', null],
  ])('%s%s', (pathname, hash, place) => {
    expect(parsePlace({ pathname, hash })).toEqual(place);
  });

  it('comes back from what it was made of', () => {
    expect(parsePlace({ pathname: pathOf(48_213), hash: '' })?.roomId).toBe(48_213);
    expect(pathOf(null)).toBe('/');
  });
});

describe('a link to a room', () => {
  const origin = 'https://chat.example';
  const link = { origin, pathname: '/r/48213', hash: '#7', target: '' };
  const click = { button: 0, ctrlKey: false, metaKey: false, shiftKey: false, altKey: false };

  it('is followed by the page', () => {
    expect(linkedPlace(click, link, origin)).toEqual({ roomId: 48_213, seq: 7 });
  });

  it.each([
    ['with Ctrl', { ...click, ctrlKey: true }, link],
    ['with the middle button', { ...click, button: 1 }, link],
    ['into another tab', click, { ...link, target: '_blank' }],
    ['to another site', click, { ...link, origin: 'https://other.example' }],
    ['to something else', click, { ...link, pathname: '/admin/' }],
    ['nowhere', click, null],
  ])('is left to the browser %s', (_, how, where) => {
    expect(linkedPlace(how, where, origin)).toBeNull();
  });
});
