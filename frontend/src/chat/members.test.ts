import { expect, it } from 'vitest';
import { Roll, search } from './members';

const people = (...names: string[]) =>
  names.map((username, at) => ({ clientId: 10_001 + at, username }));
const names = (list: readonly { username: string }[]) => list.map(({ username }) => username);

it('finds names without regard to accents and case, by any of their parts', () => {
  const all = people('Zoë Ångström', 'zoe', 'Ann', 'ǅemal', 'İpek');
  expect(names(search(all, 'ZOE'))).toEqual(['Zoë Ångström', 'zoe']);
  expect(names(search(all, 'ang zo'))).toEqual(['Zoë Ångström']);
  expect(names(search(all, '@ann'))).toEqual(['Ann']);
  expect(names(search(all, 'ipek'))).toEqual(['İpek']);
  expect(names(search(all, '10003'))).toEqual(['Ann']);
  expect(names(search(all, '.*'))).toEqual([]);
  expect(search(all, '  ')).toBe(all);
});

it('puts oneself first and the others in order, whoever comes and goes', () => {
  const roll = new Roll();
  const all = people('Bo', 'émile', 'Eve', 'ann', 'User 10', 'User 9');
  expect(names(roll.of(all, 10_003))).toEqual(['Eve', 'ann', 'Bo', 'émile', 'User 9', 'User 10']);
  const later = [...all.slice(1), { clientId: 9, username: 'Cy' }];
  later[0] = { ...later[0]!, username: 'Zed' };
  expect(names(roll.of(later, 10_003))).toEqual(['Eve', 'ann', 'Cy', 'User 9', 'User 10', 'Zed']);
});

it('gives two of one name an order that stays', () => {
  const twins = people('Ann', 'Ann');
  expect(new Roll().of(twins, 1)).toEqual(new Roll().of(twins.toReversed(), 1));
});
