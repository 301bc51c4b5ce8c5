// Rooms of Socket.IO 4 with its Redis adapter: one process of several. README.md says what it does and what it leaves out.

import { createServer } from 'node:http';
import { createAdapter } from '@socket.io/redis-adapter';
import { Redis } from 'ioredis';
import { Server } from 'socket.io';

const { PORT, REDIS_PORT } = process.env;

const publisher = new Redis({ host: '127.0.0.1', port: REDIS_PORT, enableAutoPipelining: true });
const subscriber = new Redis({ host: '127.0.0.1', port: REDIS_PORT });
for (const redis of [publisher, subscriber]) redis.on('error', (error) => console.error(error));

const http = createServer((_, response) => response.end('ok'));
const io = new Server(http, {
  adapter: createAdapter(publisher, subscriber),
  transports: ['websocket'],
  perMessageDeflate: false,
  httpCompression: false,
  serveClient: false,
  maxHttpBufferSize: 16_384,
});
// "Discard the initial HTTP request", as its documentation advises, for memory.
io.engine.on('connection', (connection) => (connection.request = null));

let clients = 9_999;
io.on('connection', (socket) => {
  const clientId = ++clients;
  const sender = { clientId, username: `User ${clientId}` };

  socket.on('join', (room, done) => {
    socket.join(room);
    done(true);
  });

  socket.on('message', (message, done) => {
    const { room, id, text } = message;
    const valid = typeof id === 'string' && typeof text === 'string' && text.length > 0 && text.length <= 2000;
    if (!valid || !socket.rooms.has(room)) return done({ code: 'bad_request' });
    const sentAt = Date.now();
    io.to(room).emit('message', { room, id, sender, sentAt, text });
    done({ id, sentAt });
  });
});

http.listen({ port: PORT, host: '127.0.0.1', backlog: 4096 });
