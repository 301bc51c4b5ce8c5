import { beforeEach, describe, expect, it } from 'vitest';
import { AdminApi, ApiError, queryString, retryAfter } from './api';

interface Asked {
  url: string;
  init: RequestInit;
}

let asked: Asked[];
let answer: (init: RequestInit) => Response | Promise<Response>;
let rejected: string[];
let token: string | null;
let api: AdminApi;

beforeEach(() => {
  asked = [];
  rejected = [];
  token = 'secret';
  answer = () => Response.json({});
  api = new AdminApi({
    fetch: async (url, init) => {
      asked.push({ url, init });
      return answer(init);
    },
    now: () => 1_000,
    token: () => token,
    rejected: (which) => rejected.push(which),
    timeoutMs: 20,
  });
});

const problem = (status: number, more: object = {}, headers: Record<string, string> = {}) =>
  new Response(JSON.stringify({ title: 'No', status, ...more }), {
    status,
    headers: { 'content-type': 'application/problem+json', ...headers },
  });

async function failure(call: Promise<unknown>): Promise<ApiError> {
  const error = await call.then(
    () => null,
    (error: unknown) => error,
  );
  expect(error).toBeInstanceOf(ApiError);
  return error as ApiError;
}

/** As a browser: nothing comes, and the signal ends the wait. */
const silence = ({ signal }: RequestInit) =>
  new Promise<Response>((_, reject) => {
    if (signal!.aborted) reject(signal!.reason);
    signal!.addEventListener('abort', () => reject(signal!.reason));
  });

describe('a call', () => {
  it('carries the token in the header and nowhere else', async () => {
    answer = () => Response.json({ servers: [] });
    await api.servers();
    const [{ url, init }] = asked as [Asked];
    expect(url).toBe('/admin/servers');
    expect(init.headers).toMatchObject({ authorization: 'Bearer secret' });
    expect(init).toMatchObject({ credentials: 'omit', redirect: 'error', cache: 'no-store' });
  });

  it('signs in without one', async () => {
    answer = () => Response.json({ token: 'new', expiresAt: 5 });
    expect(await api.login('admin', 'pass')).toEqual({ token: 'new', expiresAt: 5 });
    expect(asked[0]!.init.headers).not.toHaveProperty('authorization');
    expect(asked[0]!.init.body).toBe('{"username":"admin","password":"pass"}');
  });

  it('has the end of the session by the clock of the page', async () => {
    const at = (date: string) => () =>
      Response.json({ token: 'new', expiresAt: 3_601_000 }, { headers: { date } });
    answer = at('Thu, 01 Jan 1970 00:30:00 GMT');
    expect((await api.login('admin', 'pass')).expiresAt).toBe(3_601_000 - 1_799_000);
    answer = at('Thu, 01 Jan 1970 00:00:02 GMT');
    expect((await api.login('admin', 'pass')).expiresAt).toBe(3_601_000);
  });

  it('leaves out what is empty, and escapes the rest', async () => {
    await api.clients({ cursor: null, limit: 50, query: 'a&b=ü' });
    await api.drain('node/1', 'why not?');
    expect(asked.map(({ url }) => url)).toEqual([
      '/admin/client?limit=50&query=a%26b%3D%C3%BC',
      '/admin/servers/node%2F1/drain?reason=why+not%3F',
    ]);
    expect(queryString({ a: '', b: null, c: undefined, d: 0 })).toBe('?d=0');
  });

  it('reads messages before a position, and deletes one with its reason', async () => {
    await api.messages(48213, { before: '41', limit: 50 });
    await api.removeMessage(48213, 40, 'spam');
    expect(asked.map(({ url, init }) => `${init.method} ${url}`)).toEqual([
      'GET /admin/room/48213/messages?before=41&limit=50',
      'DELETE /admin/room/48213/messages/40?reason=spam',
    ]);
  });

  it('asks for a trial before a ban', async () => {
    const ban = { clientId: 1, ip: null, reason: 'x', seconds: null, confirm: false };
    await api.previewBan(ban);
    await api.ban(ban);
    expect(asked.map(({ url }) => url)).toEqual(['/admin/bans?dryRun=true', '/admin/bans']);
  });

  it('takes an empty answer where one is due', async () => {
    answer = () => new Response(null, { status: 204 });
    await api.lift('b/1');
    expect(asked[0]!.url).toBe('/admin/bans/b%2F1');
  });
});

describe('a refusal', () => {
  it('says what the server says', async () => {
    answer = () => problem(400, { detail: 'that is wide: confirm it', requestId: 'r-1' });
    expect(await failure(api.bans({}))).toMatchObject({
      failure: 'refused',
      status: 400,
      message: 'That is wide: confirm it.',
      requestId: 'r-1',
    });
    expect(rejected).toEqual([]);
  });

  it('with 401 tells of the token that was used', async () => {
    answer = () => {
      token = 'newer';
      return problem(401);
    };
    await failure(api.servers());
    expect(rejected).toEqual(['secret']);
  });

  it('with 401 to a sign-in is about the password', async () => {
    answer = () => problem(401);
    await failure(api.login('admin', 'wrong'));
    expect(rejected).toEqual([]);
  });

  it('with 401 to a change of the password is about the present one', async () => {
    answer = () => problem(401, { detail: 'the present password is wrong' });
    const { message } = await failure(api.changePassword('wrong', 'another'));
    expect(message).toBe('The present password is wrong.');
    expect(rejected).toEqual([]);
  });

  it('says when to come back', async () => {
    answer = () => problem(429, {}, { 'retry-after': '7' });
    expect(await failure(api.login('a', 'b'))).toMatchObject({ retryAfterMs: 7_000 });
    expect(retryAfter('Thu, 01 Jan 1970 00:00:03 GMT', 1_000)).toBe(2_000);
    expect(retryAfter('soon', 0)).toBeNull();
    expect(retryAfter(null, 0)).toBeNull();
  });

  it('without words gets some', async () => {
    answer = () => new Response('<h1>502</h1>', { status: 502 });
    expect((await failure(api.stats())).message).toBe('The admin service is not running.');
  });
});

describe('no answer', () => {
  it('in time', async () => {
    answer = silence;
    expect(await failure(api.stats())).toMatchObject({ failure: 'timeout' });
  });

  it('that anybody wants still', async () => {
    answer = silence;
    const stop = new AbortController();
    const call = failure(api.stats(stop.signal));
    stop.abort();
    expect(await call).toMatchObject({ failure: 'cancelled' });
  });

  it('at all', async () => {
    answer = () => Promise.reject(new TypeError('fetch failed'));
    expect(await failure(api.stats())).toMatchObject({ failure: 'unreachable' });
  });

  it('of this API', async () => {
    answer = () => new Response('<!doctype html>');
    expect(await failure(api.stats())).toMatchObject({ failure: 'garbled' });
    answer = () => Response.json('yes');
    expect(await failure(api.stats())).toMatchObject({ failure: 'garbled' });
  });
});

describe('the audit log as a file', () => {
  const filter = {
    actor: 'admin',
    action: 'login',
    outcome: '',
    target: '',
    from: 5,
    to: null,
  };

  it('is asked for with the same filters', async () => {
    answer = () => new Response('at,actor\r\n', { headers: { 'content-type': 'text/csv' } });
    const blob = await api.auditCsv(filter);
    expect(await blob.text()).toBe('at,actor\r\n');
    expect(asked[0]!.url).toBe('/admin/audit?actor=admin&action=login&from=5&format=csv');
  });

  it('is not saved when it is something else', async () => {
    answer = () => Response.json({ entries: [] });
    expect(await failure(api.auditCsv(filter))).toMatchObject({ failure: 'garbled' });
  });
});
