import { readFileSync } from 'node:fs';
import {
  createServer,
  type IncomingMessage,
  type Server as HttpServer,
  type ServerResponse,
} from 'node:http';
import type { AddressInfo } from 'node:net';
import { extname, join, normalize } from 'node:path';
import { fileURLToPath } from 'node:url';
import { WebSocketServer, type WebSocket } from 'ws';
import type { NewBan } from '../src/protocol/generated';
import { World } from './admin_world';

const here = (path: string) => fileURLToPath(new URL(path, import.meta.url));
const DIST = process.env.FRONTEND_DIR ?? here('../dist');

/** The policy that the servers send, read where it is kept. */
export const POLICY = (() => {
  const source = readFileSync(here('../../crates/runtime/src/http/headers.rs'), 'utf8');
  const found = /CONTENT_SECURITY_POLICY: &str = "([^"]+)"/.exec(source);
  if (!found) throw new Error('headers.rs has no CONTENT_SECURITY_POLICY');
  return found[1]!.replace(/\\\n\s*/g, '');
})();

const TYPES: Record<string, string> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript',
  '.css': 'text/css',
  '.svg': 'image/svg+xml',
};

export const PASSWORD = 'correct horse battery staple';

/** Thrown by an answer: a problem as the servers describe it. */
class Problem {
  constructor(
    readonly status: number,
    readonly title: string,
    readonly detail = '',
    readonly headers: Record<string, string> = {},
  ) {}
}

interface Asked {
  method: string;
  path: string;
  query: URLSearchParams;
  body: Record<string, unknown>;
}

/** The page, and an admin API in memory that does what a test says. */
export class AdminFake {
  readonly world = new World(Date.now());
  /** Calls, as `GET /servers`; without the page's own files. */
  readonly calls: string[] = [];
  password = PASSWORD;
  ttlMs = 1_800_000;
  frameMs = 1_000;
  /** Frames of the past, so that charts are full at once. */
  backlogMs = 0;
  /** Whether `/admin/live` takes connections. */
  feed = true;
  /** Whether calls are answered at all. */
  up = true;
  /** Answers before anything else does; `undefined` leaves it to the rest. */
  intercept: (asked: Asked) => Problem | undefined = () => undefined;

  #tokens = new Set<string>();
  #issued = 0;
  #http: HttpServer;
  #sockets = new Map<WebSocket, { token: string }>();
  #requests = 0;

  constructor() {
    this.#http = createServer((request, response) => void this.#serve(request, response));
    const sockets = new WebSocketServer({ noServer: true });
    this.#http.on('upgrade', (request, socket, head) => {
      if (!this.feed || !this.up || request.url !== '/admin/live') return void socket.destroy();
      sockets.handleUpgrade(request, socket, head, (one) => this.#accept(one));
    });
  }

  async open(): Promise<string> {
    await new Promise<void>((resolve) => this.#http.listen(0, '127.0.0.1', resolve));
    return `http://127.0.0.1:${(this.#http.address() as AddressInfo).port}`;
  }

  async close(): Promise<void> {
    this.dropFeeds(1001);
    this.#http.closeAllConnections();
    await new Promise((resolve) => this.#http.close(resolve));
  }

  problem(status: number, title: string, detail = '', headers = {}): Problem {
    return new Problem(status, title, detail, headers);
  }

  /** All sessions end, as with another JWT secret. */
  revoke(): void {
    this.#tokens.clear();
  }

  dropFeeds(code = 1012): void {
    for (const socket of this.#sockets.keys()) {
      if (code === 1006) socket.terminate();
      else socket.close(code);
    }
  }

  get feeds(): number {
    return this.#sockets.size;
  }

  #accept(socket: WebSocket): void {
    const own = { token: '' };
    const frame = (at: number) => socket.send(JSON.stringify(this.world.live(at)));
    const timer = setInterval(() => {
      if (own.token === '') return;
      if (!this.#tokens.has(own.token)) return socket.close(1008);
      frame(Date.now());
    }, this.frameMs);
    this.#sockets.set(socket, own);
    socket.on('close', () => {
      clearInterval(timer);
      this.#sockets.delete(socket);
    });
    socket.on('message', (data) => {
      own.token = (JSON.parse(String(data)) as { token: string }).token;
      if (!this.#tokens.has(own.token)) return socket.close(1008);
      const now = Date.now();
      for (let ago = this.backlogMs; ago > 0; ago -= 1_000) frame(now - ago);
      frame(now);
    });
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? '/', 'http://fake');
    const { pathname } = url;
    if (pathname === '/admin/' || !pathname.startsWith('/admin')) {
      return this.#file(pathname === '/admin/' ? '/admin.html' : pathname, response);
    }
    if (!this.up) return void request.destroy();
    const asked: Asked = {
      method: request.method ?? 'GET',
      path: pathname.slice('/admin'.length),
      query: url.searchParams,
      body: await bodyOf(request),
    };
    this.calls.push(`${asked.method} ${asked.path}`);
    try {
      const problem = this.intercept(asked);
      if (problem) throw problem;
      const token = request.headers.authorization?.replace(/^Bearer /, '') ?? '';
      if (asked.path !== '/login' && !this.#tokens.has(token)) throw new Problem(401, 'Sign in');
      const [status, body] = this.#answer(asked, token);
      if (typeof body === 'string') {
        response.writeHead(status, { 'content-type': 'text/csv; charset=utf-8' }).end(body);
      } else {
        response.writeHead(status, { 'content-type': 'application/json' });
        response.end(body === undefined ? undefined : JSON.stringify(body));
      }
    } catch (error) {
      if (!(error instanceof Problem)) throw error;
      const { status, title, detail, headers } = error;
      const requestId = `req-fake-${++this.#requests}`;
      response
        .writeHead(status, { 'content-type': 'application/problem+json', ...headers })
        .end(JSON.stringify({ title, status, detail, requestId }));
    }
  }

  #file(path: string, response: ServerResponse): void {
    try {
      const body = readFileSync(join(DIST, normalize(path === '/' ? '/index.html' : path)));
      response
        .writeHead(200, {
          'content-type': TYPES[extname(path)] ?? 'application/octet-stream',
          'content-security-policy': POLICY,
          'x-content-type-options': 'nosniff',
        })
        .end(body);
    } catch {
      response.writeHead(404).end();
    }
  }

  #answer({ method, path, query, body }: Asked, token: string): [number, unknown] {
    const { world } = this;
    const now = Date.now();
    const [, kind, id, verb, what] = path.split('/').map(decodeURIComponent);
    const reason = query.get('reason');
    switch (`${method} /${kind}`) {
      case 'POST /login': {
        if (body.username !== 'admin' || body.password !== this.password) {
          world.log({ action: 'login', outcome: 'refused' }, now);
          throw new Problem(401, 'Unauthorized', 'wrong username or password');
        }
        const issued = `token-${++this.#issued}`;
        this.#tokens.add(issued);
        return [200, { token: issued, expiresAt: now + this.ttlMs }];
      }
      case 'POST /logout':
        this.#tokens.delete(token);
        return [204, undefined];
      case 'POST /password':
        if (body.password !== this.password) {
          throw new Problem(403, 'Forbidden', 'the present password is wrong');
        }
        this.password = String(body.newPassword);
        return [204, undefined];
      case 'GET /servers':
        return [200, { servers: world.live(now).servers }];
      case 'POST /servers':
        if (verb !== 'drain' || !world.nodes.includes(id ?? '')) throw new Problem(404, 'No node');
        world.draining.add(id!);
        world.log({ action: 'node_drain', target: `node ${id}`, reason }, now);
        return [202, { message: 'draining', unconfirmed: [] }];
      case 'GET /stats':
        return [200, world.stats(now)];
      case 'GET /limits':
        return [200, { limited: this.#limited(now) }];
      case 'GET /client': {
        if (id) {
          const client = world.clients.find(({ clientId }) => `${clientId}` === id);
          if (!client) throw new Problem(404, 'Not found', 'no such client');
          const roomIds = client.roomId === null ? [] : [client.roomId];
          return [200, { ...client, roomIds, lastSeenAt: now - 3_000, messagesSent: 128 }];
        }
        const { rows, cursor } = page(world.clients, query, ({ clientId, username, ip }) =>
          [`${clientId}`, username, ip ?? ''].some((text) => has(text, query)),
        );
        return [200, { clientIds: [], clients: rows, cursor, total: world.clients.length }];
      }
      case 'DELETE /client':
        world.clients = world.clients.filter(({ clientId }) => `${clientId}` !== id);
        world.log({ action: 'client_remove', target: `client ${id}`, reason }, now);
        return [200, { totalRemoved: 1, message: 'removed', unconfirmed: [] }];
      case 'GET /room': {
        for (const room of world.rooms.slice(0, 9)) room.seq += room.roomId % 5;
        if (id) {
          const room = world.rooms.find(({ roomId }) => `${roomId}` === id);
          if (!room) throw new Problem(404, 'Not found', 'no such room');
          if (verb === 'messages') return [200, this.#messages(query)];
          const members = world.members(room.roomId);
          return [
            200,
            {
              ...room,
              ownerId: 10_001,
              members,
              memberCount: members.length,
              messageCount: room.seq,
              epoch: '0f9c2a7e',
              participantCount: members.length,
              participants: members,
            },
          ];
        }
        const { rows, cursor } = page(world.rooms, query, ({ roomId, name }) =>
          [`${roomId}`, name].some((text) => has(text, query)),
        );
        return [200, { roomIds: [], rooms: rows, cursor, total: world.rooms.length }];
      }
      case 'DELETE /room': {
        if (verb === 'messages') {
          const message = world.messages.find(({ seq }) => `${seq}` === what);
          if (!message || message.deleted) throw new Problem(404, 'Not found', 'no such message');
          message.deleted = world.messages.at(-1)!.seq + 1;
          world.log({ action: 'message_delete', target: `room ${id}`, reason }, now);
          return [200, { totalRemoved: 1, message: 'deleted', unconfirmed: [] }];
        }
        world.rooms = world.rooms.filter(({ roomId }) => `${roomId}` !== id);
        world.log({ action: 'room_delete', target: `room ${id}`, reason }, now);
        return [200, { totalRemoved: 4, message: 'deleted', unconfirmed: ['chat-node-2'] }];
      }
      case 'GET /bans':
        return [200, { bans: world.bans, cursor: null }];
      case 'POST /bans':
        return this.#ban(body as unknown as NewBan, query.has('dryRun'), now);
      case 'DELETE /bans':
        world.bans = world.bans.filter(({ banId }) => banId !== id);
        world.log({ action: 'ban_lift', target: `ban ${id}` }, now);
        return [204, undefined];
      case 'POST /notices':
        world.log({ action: 'notice_send', after: body }, now);
        return [202, { message: 'sent', unconfirmed: [] }];
      case 'GET /audit':
        return this.#audit(query);
      default:
        throw new Problem(404, 'Not found');
    }
  }

  #messages(query: URLSearchParams) {
    const before = Number(query.get('before') ?? Infinity);
    const older = this.world.messages.filter(({ seq }) => seq < before);
    const messages = older.slice(-Number(query.get('limit') ?? 50));
    return { messages, more: messages.length < older.length };
  }

  #ban(ban: NewBan, dryRun: boolean, now: number): [number, unknown] {
    const { world } = this;
    const prefix = Number(ban.ip?.split('/')[1] ?? 32);
    if (prefix < 16 && !ban.confirm) {
      throw new Problem(400, 'Bad request', 'the network is wide: confirm it');
    }
    const hit = world.hits(ban);
    if (dryRun) return [200, { clients: hit.slice(0, 100), total: hit.length, complete: true }];
    world.clients = world.clients.filter((client) => !hit.includes(client));
    const until = ban.seconds === null ? null : now + ban.seconds * 1000;
    const made = world.ban({ ...ban, until, at: now });
    world.bans.push(made);
    world.log({ action: 'ban_create', target: `ban ${made.banId}`, after: made }, now);
    return [201, { ...made, totalRemoved: hit.length, unconfirmed: [] }];
  }

  #audit(query: URLSearchParams): [number, unknown] {
    const [from, to] = [query.get('from'), query.get('to')];
    const fits = (name: 'actor' | 'action' | 'outcome' | 'target', value: string) =>
      !query.get(name) || value === query.get(name);
    const found = this.world.audit.filter(
      (entry) =>
        fits('actor', entry.actor) &&
        fits('action', entry.action) &&
        fits('outcome', entry.outcome) &&
        fits('target', entry.target) &&
        (!from || entry.at >= Number(from)) &&
        (!to || entry.at <= Number(to)),
    );
    if (query.get('format') === 'csv') {
      const lines = found.map(({ at, actor, action, target }) =>
        [new Date(at).toISOString(), actor, action, target].join(','),
      );
      return [200, ['at,actor,action,target', ...lines, ''].join('\r\n')];
    }
    const { rows, cursor } = page(found, query, () => true);
    return [200, { entries: rows, cursor }];
  }

  #limited(now: number) {
    return [
      {
        nodeId: 'chat-node-2',
        policy: 'message',
        clientId: 10_004,
        ip: null,
        refused: 212,
        lastAt: now - 900,
      },
      {
        nodeId: 'chat-node-1',
        policy: 'connect',
        clientId: null,
        ip: '203.0.113.77',
        refused: 31,
        lastAt: now - 14_000,
      },
      {
        nodeId: 'chat-node-1',
        policy: 'connect',
        clientId: null,
        ip: '2001:db8:5::/64',
        refused: 4,
        lastAt: now - 41_000,
      },
    ];
  }
}

/** As the server: it searches within a page, so a page of a search may be empty and yet not the last. */
function page<Row>(
  all: readonly Row[],
  query: URLSearchParams,
  fits: (row: Row) => boolean,
): { rows: Row[]; cursor: string | null } {
  const start = Number(query.get('cursor') ?? 0);
  const end = start + Number(query.get('limit') ?? 50);
  return {
    rows: all.slice(start, end).filter(fits),
    cursor: end < all.length ? `${end}` : null,
  };
}

const has = (text: string, query: URLSearchParams): boolean =>
  text.toLowerCase().includes((query.get('query') ?? '').toLowerCase());

async function bodyOf(request: IncomingMessage): Promise<Record<string, unknown>> {
  let text = '';
  for await (const chunk of request) text += String(chunk);
  return text === '' ? {} : (JSON.parse(text) as Record<string, unknown>);
}
