import { beforeEach, expect, it } from 'vitest';
import { FakeClock } from '../net/fake_socket';
import { AdminSession, type SessionState } from './session';

let clock: FakeClock;
let states: SessionState[];
let tokens: (string | null)[];
let given: string[];
let session: AdminSession;
let count: number;

beforeEach(() => {
  clock = new FakeClock();
  states = [];
  tokens = [];
  given = [];
  count = 0;
  session = new AdminSession({
    api: {
      login: async () => ({ token: `token-${++count}`, expiresAt: clock.now() + 1_800_000 }),
      logout: async (token) => void given.push(token),
      changePassword: async () => {},
    },
    clock,
    changed: (state) => states.push(state),
    token: (token) => tokens.push(token),
  });
});

it('warns a minute before the end, and ends', async () => {
  await session.signIn('admin', 'pass');
  expect(session.state).toMatchObject({ phase: 'in', username: 'admin', ending: false });
  await clock.pass(1_739_999);
  expect(session.state).toMatchObject({ ending: false });
  await clock.pass(1);
  expect(session.state).toMatchObject({ phase: 'in', ending: true });
  await clock.pass(60_000);
  expect(session.state).toEqual({ phase: 'out', note: 'expired' });
  expect(tokens).toEqual(['token-1', null]);
});

it('goes on with a new token, and gives the old one back', async () => {
  await session.signIn('admin', 'pass');
  await clock.pass(1_750_000);
  await session.signIn('admin', 'pass');
  expect(session.state).toMatchObject({ phase: 'in', ending: false });
  expect(given).toEqual(['token-1']);
  await clock.pass(100_000);
  expect(session.token).toBe('token-2');
});

it('ends when the server says so of the token in use', async () => {
  await session.signIn('admin', 'pass');
  session.rejected('an older one');
  expect(session.state.phase).toBe('in');
  session.rejected('token-1');
  expect(session.state).toEqual({ phase: 'out', note: 'revoked' });
  expect(session.token).toBeNull();
});

it('knows that a changed password is why', async () => {
  await session.signIn('admin', 'pass');
  await session.changePassword('pass', 'another password');
  session.rejected('token-1');
  expect(session.state).toEqual({ phase: 'out', note: 'password_changed' });
});

it('forgets before the server has answered', async () => {
  await session.signIn('admin', 'pass');
  const done = session.signOut();
  expect(session.state).toEqual({ phase: 'out', note: 'signed_out' });
  await done;
  expect(given).toEqual(['token-1']);
  await clock.pass(2_000_000);
  expect(states.filter(({ phase }) => phase === 'out')).toHaveLength(1);
});
