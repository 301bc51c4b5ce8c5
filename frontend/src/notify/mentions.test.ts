import { expect, it } from 'vitest';
import { mentions } from './mentions';

it.each([
  ['@Ann', 'Ann', true],
  ['hello @ann!', 'Ann', true],
  ['(@ANN)', 'ann', true],
  ['@Ann.', 'Ann', true],
  ['@Annabel', 'Ann', false],
  ['@Ann_2', 'Ann', false],
  ['ann', 'Ann', false],
  ['x@ann.example', 'Ann', false],
  ['x@ann, and @ann', 'Ann', true],
  ['@Zoë', 'zoë', true],
  ['@Zoëy', 'Zoë', false],
  ['@Ann𝒜', 'Ann', false],
  ['hi @Ada Lovelace, hi', 'Ada Lovelace', true],
  ['@a.b*c', 'a.b*c', true],
  ['@axbc', 'a.b*c', false],
  ['@', '', false],
])('%j names %j: %j', (body, name, yes) => {
  expect(mentions(body, name)).toBe(yes);
});
