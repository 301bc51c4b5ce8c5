import { expect, it } from 'vitest';
import { cleanBody, cleanName, length } from './text';
import { uuid } from './uuid';

it('counts as the server does: scalar values, without the space around them', () => {
  expect(length('  ab\n')).toBe(2);
  expect(length('👩‍🚀')).toBe(3);
  expect(length('é')).toBe(1);
});

it('cleans what the server would refuse', () => {
  expect(cleanBody('a\r\nb\rc\td\0e\u001bf\u0085 ')).toBe('a\nb\nc\tdef');
  expect(cleanBody('x\ud800y')).toBe('x\ufffdy');
  expect(cleanName('  Ada ')).toBe('Ada');
});

it('makes version 4 UUIDs without a secure page', () => {
  const ids = Array.from({ length: 200 }, () => uuid());
  for (const id of ids) {
    expect(id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  }
  expect(new Set(ids).size).toBe(ids.length);
});
