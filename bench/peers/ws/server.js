// Roomful's wire format, spoken by plain `ws` and Redis: the part of it that the load tester uses. One process of several;
// README.md says what it does and what it leaves out.

import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { Redis } from 'ioredis';
import { Sender, WebSocketServer } from 'ws';

const { PORT, REDIS_PORT, NODE_ID = 'ws' } = process.env;
/** What may wait for one socket before it is given up, in bytes. */
const TOO_SLOW = 1 << 20;
const HEARTBEAT = 25_000;
const NEWLINE = 10;
/** As Roomful has them by default: what a room keeps, how long an id is remembered, how long its keys live without use. */
const [KEPT, REMEMBERED, TTL] = [1000, 600_000, 4_020_000];

const redis = new Redis({ host: '127.0.0.1', port: REDIS_PORT, enableAutoPipelining: true });
const subscriber = new Redis({ host: '127.0.0.1', port: REDIS_PORT });
// The very script that Roomful's own nodes run: idempotency key, position, log, publication.
const lua = (name) => readFileSync(new URL(`../../../crates/engine-redis/src/lua/${name}.lua`, import.meta.url), 'utf8');
redis.defineCommand('append', { numberOfKeys: 5, lua: lua('window') + lua('append') });

/** What this node knows of a room: made when its first member comes, forgotten when its last one goes. */
class Room {
  members = new Set();
  /** The newest position that was handed on, or that was there before anybody listened. */
  seq = 0;

  constructor(id) {
    this.id = id;
    this.channel = `rf:{${id}}:ch`;
    this.keys = [`rf:{${id}}:meta`, `rf:{${id}}:log`, `rf:{${id}}:overlay`, `rf:{${id}}:idem:`];
    // It hears first and reads second, so that nothing falls between the two.
    this.ready = subscriber.subscribe(this.channel).then(async () => {
      const [epoch, seq, name] = await redis.hmget(this.keys[0], 'epoch', 'seq', 'name');
      if (epoch === null) throw new Refusal('room_not_found');
      Object.assign(this, { epoch, name, seq: Math.max(this.seq, Number(seq)) });
    });
  }
}

/** By channel. */
const rooms = new Map();

class Refusal extends Error {
  constructor(code) {
    super(code);
    this.code = code;
  }
}

subscriber.on('messageBuffer', (channel, message) => {
  const room = rooms.get(channel.toString('latin1'));
  if (room === undefined) return;
  // `1 e <seq> <sent at>\n<payload>`: the payload is an object, in front of whose fields these two go.
  const end = message.indexOf(NEWLINE);
  const [, kind, position, sentAt] = message.latin1Slice(0, end).split(' ');
  const seq = Number(position);
  if (kind !== 'e' || seq <= room.seq) return;
  room.seq = seq;
  const head = Buffer.from(`{"seq":${seq},"sentAt":${sentAt},`, 'latin1');
  const text = Buffer.concat([head, message.subarray(end + 2)]);
  // The frame is made once for all members, and is one buffer, so that it is one write for each.
  const frame = Buffer.concat(Sender.frame(text, { fin: true, rsv1: false, opcode: 1, mask: false, readOnly: true }));
  for (const { ws, socket } of room.members) {
    if (ws.readyState !== 1) continue;
    if (socket.writableLength > TOO_SLOW) ws.terminate();
    else socket.write(frame);
  }
});

/** By `type`: what is answered. */
const commands = {
  async CONNECT(client) {
    client.id = 9_999 + (await redis.incr('rf:clients'));
    client.username = `User ${client.id}`;
    return {
      type: 'CONNECT',
      clientId: client.id,
      username: client.username,
      session: '',
      sessionExpiresAt: 0,
      nodeId: NODE_ID,
      resumed: false,
      heartbeatMs: HEARTBEAT,
      limits: { messageChars: 2000, usernameChars: 16, roomNameChars: 16, frameBytes: 16_384 },
    };
  },

  async CREATE_ROOM(client, { name }) {
    const id = 9_999 + (await redis.incr('rf:rooms'));
    await redis.hset(`rf:{${id}}:meta`, { life: 1, epoch: `${id}`, seq: 0, at: 0, name });
    return enter(client, id);
  },

  JOIN_ROOM: (client, { roomId }) => enter(client, roomId),

  async SEND_MESSAGE(client, { id, body }) {
    const { room } = client;
    if (room === undefined) throw new Refusal('not_in_room');
    if (typeof id !== 'string' || typeof body !== 'string') throw new Refusal('bad_request');
    if (body.length === 0 || body.length > 2000) throw new Refusal(body.length === 0 ? 'empty' : 'too_long');
    const sender = { clientId: client.id, username: client.username };
    const payload = JSON.stringify({ type: 'NEW_MESSAGE', roomId: room.id, id, sender, body });
    const counts = `rf:limit:message:c:${client.id}`;
    const about = [room.channel, `${client.id}:${id}`, payload, KEPT, REMEMBERED, TTL, 0, 1, '', ''];
    const [status, seq, sentAt, duplicate] = await redis.append(...room.keys, counts, ...about);
    if (status !== 1) throw new Refusal('room_not_found');
    return { type: 'ACK', id, roomId: room.id, seq, sentAt, duplicate: duplicate === 1 };
  },
};

async function enter(client, id) {
  leave(client);
  const channel = `rf:{${id}}:ch`;
  let room = rooms.get(channel);
  if (room === undefined) rooms.set(channel, (room = new Room(id)));
  await room.ready;
  // From here to the end nothing is awaited: the next position is the first that this member is handed.
  client.room = room;
  room.members.add(client);
  return {
    type: 'ROOM_JOINED',
    room: { roomId: id, name: room.name, ownerId: 0, createdAt: 0, memberCount: room.members.size },
    epoch: room.epoch,
    seq: room.seq,
    members: [],
    messages: [],
    recovered: true,
  };
}

function leave(client) {
  const { room } = client;
  if (room === undefined) return;
  client.room = undefined;
  room.members.delete(client);
  if (room.members.size === 0 && rooms.get(room.channel) === room) {
    rooms.delete(room.channel);
    subscriber.unsubscribe(room.channel).catch(report);
  }
}

async function answer(client, data) {
  let id;
  try {
    const command = JSON.parse(data);
    ({ id } = command);
    if (!Object.hasOwn(commands, command.type)) throw new Refusal('bad_request');
    const reply = await commands[command.type](client, command);
    client.ws.send(JSON.stringify(reply));
  } catch (error) {
    const code = error instanceof Refusal ? error.code : error instanceof SyntaxError ? 'bad_request' : 'internal';
    if (code === 'internal') report(error);
    client.ws.send(JSON.stringify({ type: 'ERROR', id, code, message: code }));
  }
}

function report(error) {
  console.error(error);
}

const http = createServer((_, response) => response.end('ok'));
const server = new WebSocketServer({
  server: http,
  path: '/ws',
  perMessageDeflate: false,
  skipUTF8Validation: true,
  maxPayload: 16_384,
});

const clients = new Set();
server.on('connection', (ws, request) => {
  const client = { ws, socket: request.socket, alive: true, id: 0, username: '', room: undefined };
  clients.add(client);
  ws.on('message', (data) => answer(client, data));
  ws.on('pong', () => (client.alive = true));
  ws.on('error', report);
  ws.on('close', () => {
    clients.delete(client);
    leave(client);
  });
});
setInterval(() => {
  for (const client of clients) {
    if (client.alive) client.ws.ping();
    else client.ws.terminate();
    client.alive = false;
  }
}, HEARTBEAT);

redis.on('error', report);
subscriber.on('error', report);
http.listen({ port: PORT, host: '127.0.0.1', backlog: 4096 });
