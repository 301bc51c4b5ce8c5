import type {
  AuditEntry,
  Ban,
  ClientSummary,
  Live,
  Member,
  RoomMessage,
  RoomRow,
  Server,
  Stats,
} from '../src/protocol/generated';
import { canary, live, server } from '../src/admin/fixture';

/** What the fake admin server tells of: nodes, rooms and people, with traffic that follows from the time. */
export class World {
  readonly startedAt: number;
  nodes = ['chat-node-1', 'chat-node-2', 'chat-node-3'];
  draining = new Set<string>();
  /** Ways that the canary does not come back on, as `from to`. */
  lost = new Set<string>();
  rooms: RoomRow[] = [];
  clients: ClientSummary[] = [];
  bans: Ban[] = [];
  /** Of every room: who looks sees one at a time. */
  messages: RoomMessage[] = [];
  audit: AuditEntry[] = [];
  #ids = 0;

  constructor(now: number) {
    this.startedAt = now - 3 * 3_600_000 - 754_000;
    const names = [
      'Tea time',
      'Rust & friends',
      '<b>not bold</b>',
      'שלום‮ room',
      'Release 0.2',
      'Off-topic',
      'A name of all sixteen',
    ];
    for (let index = 0; index < 137; index += 1) {
      this.rooms.push({
        roomId: 48_213 - index,
        name: names[index] ?? `Room ${index}`,
        memberCount: (index * 7) % 23,
        createdAt: now - index * 421_000 - 5_000,
        seq: index * 31 + 4,
      });
    }
    const people = ['Ada', 'Grace', 'Linus', '<i>Mallory</i>', 'مرحبا‮', 'Margaret', 'Dennis'];
    for (let index = 0; index < 143; index += 1) {
      this.clients.push({
        clientId: 10_001 + index,
        username: people[index] ?? `Guest ${10_001 + index}`,
        nodeId: index === 9 ? null : this.nodes[index % this.nodes.length]!,
        roomId: index % 5 === 4 ? null : 48_213 - (index % 20),
        connectedAt: now - index * 61_000,
        ip: index % 6 === 5 ? `2001:db8::${index.toString(16)}` : `203.0.113.${index + 1}`,
      });
    }
    for (const room of this.rooms) room.memberCount = this.members(room.roomId).length;
    for (let seq = 1; seq <= 60; seq += 1) {
      // The edit of the one before.
      if (seq === 59) continue;
      const at = now - (60 - seq) * 47_000 - 3_000;
      this.messages.push(
        message(
          seq,
          at,
          seq === 58 ? ['<b>tee</b> at five', '<b>tea</b> at five'] : [`It is ${seq}`],
        ),
      );
    }
    this.bans.push(
      this.ban({
        ip: '198.51.100.0/24',
        reason: 'A flood of connections',
        until: null,
        at: now - 86_400_000,
      }),
      this.ban({ clientId: 10_900, reason: 'Spam', until: now + 3_725_000, at: now - 600_000 }),
    );
    for (let index = 0; index < 60; index += 1) {
      this.log(
        index % 7 === 6
          ? { action: 'login', outcome: 'refused', actor: 'root', detail: 'the password is wrong' }
          : index % 3 === 0
            ? { action: 'client_remove', target: `client ${10_200 + index}`, reason: 'spam' }
            : { action: 'login', detail: 'signed in' },
        now - (60 - index) * 431_000,
      );
    }
    this.log(
      {
        action: 'ban_create',
        target: 'ban b-2',
        reason: 'Spam',
        outcome: 'unconfirmed',
        after: { banId: 'b-2', clientId: 10_900, seconds: 3_600, until: now + 3_725_000 },
      },
      now - 600_000,
    );
  }

  ban(of: {
    clientId?: number | null;
    ip?: string | null;
    reason: string;
    until: number | null;
    at: number;
  }): Ban {
    return {
      banId: `b-${++this.#ids}`,
      clientId: of.clientId ?? null,
      ip: of.ip ?? null,
      reason: of.reason,
      createdAt: of.at,
      createdBy: 'admin',
      expiresAt: of.until,
    };
  }

  log(entry: Partial<AuditEntry> & Pick<AuditEntry, 'action'>, at: number): void {
    const id = ++this.#ids;
    this.audit.unshift({
      auditId: `${at}-${id}`,
      at,
      actor: 'admin',
      ip: '192.0.2.10',
      target: '',
      reason: null,
      before: null,
      after: null,
      outcome: 'done',
      detail: '',
      requestId: `req-${id}`,
      ...entry,
    });
  }

  hits({ clientId, ip }: { clientId?: number | null; ip?: string | null }): ClientSummary[] {
    if (clientId) return this.clients.filter((client) => client.clientId === clientId);
    const [address = '', bits] = (ip ?? '').split('/');
    // Good enough for a fake: whole parts of an IPv4 address.
    const parts = bits === undefined ? 4 : Math.floor(Number(bits) / 8);
    const prefix = address.split('.').slice(0, parts).join('.');
    return this.clients.filter((client) =>
      bits === undefined ? client.ip === address : (client.ip ?? '').startsWith(prefix),
    );
  }

  members(roomId: number): Member[] {
    return this.clients
      .filter((client) => client.roomId === roomId)
      .map(({ clientId, username }) => ({ clientId, username }));
  }

  live(at: number): Live {
    const servers = this.nodes.map((nodeId) => this.#server(nodeId, at));
    return live(at, servers, { clients: this.clients.length, rooms: this.rooms.length });
  }

  stats(at: number): Stats {
    const first = Math.floor((at - 3_600_000) / 60_000) * 60_000;
    return {
      at,
      now: this.live(at).now,
      minutes: Array.from({ length: 59 }, (_, index) => {
        const begin = first + index * 60_000;
        const nodes = this.nodes.map((nodeId) => {
          const before = this.#server(nodeId, begin);
          const after = this.#server(nodeId, begin + 60_000);
          return {
            nodeId,
            connections: after.connections,
            rooms: after.rooms,
            messagesReceived: after.messagesReceived - before.messagesReceived,
            messagesDelivered: after.messagesDelivered - before.messagesDelivered,
            bytesReceived: after.bytesReceived - before.bytesReceived,
            bytesSent: after.bytesSent - before.bytesSent,
            slowConsumersClosed: 0,
            queuedBytes: after.queuedBytes,
            eventLoopLagMs: after.eventLoopLagMs,
            roundTripMs: after.roundTripMs,
            deliveryMs: after.deliveryMs,
          };
        });
        return { at: begin, nodes };
      }),
    };
  }

  #server(nodeId: string, at: number): Server {
    const index = Number(nodeId.split('-').at(-1)) - 1;
    const seconds = (at - this.startedAt) / 1000;
    const slow = Math.sin(seconds / 97 + index * 2);
    const quick = Math.sin(seconds / 11 + index);
    const messages = Math.round(
      seconds * (40 + index * 14) - 600 * Math.cos(seconds / 60 + index) + 20 * quick,
    );
    return server(nodeId, {
      host: `host-${index + 1}.example`,
      startedAt: this.startedAt + index * 1000,
      lastSeenAt: at,
      draining: this.draining.has(nodeId),
      connections: Math.round(1_240 + index * 210 + 160 * slow + 12 * quick),
      rooms: 41 + index,
      messagesReceived: Math.max(0, messages),
      messagesDelivered: Math.max(0, messages * 9),
      bytesReceived: Math.max(0, messages * 180),
      bytesSent: Math.max(0, messages * 9 * 212),
      slowConsumersClosed: index === 2 ? 3 : 0,
      queuedBytes: Math.round(24_000 + 18_000 * (1 + quick)),
      eventLoopLagMs: 0.4 + 0.3 * (1 + quick),
      roundTripMs: 0.31 + 0.05 * slow,
      deliveryMs: 1.4 + 0.4 * slow + index * 0.35 + 0.2 * quick,
      canary: this.nodes.map((to, number) =>
        canary(to, {
          deliveryMs: 1.1 + 0.2 * index + 0.13 * number + 0.1 * quick,
          lost: this.lost.has(`${nodeId} ${to}`),
          silentMs: this.lost.has(`${nodeId} ${to}`) ? 7_400 : 420,
        }),
      ),
    });
  }
}

/** Of Ada's, with all that it said; the last is what it says. */
function message(seq: number, at: number, bodies: string[]): RoomMessage {
  const versions = bodies.map((body, edit) => ({ seq: seq + edit, at: at + edit * 900, body }));
  const sender = { clientId: 10_001, username: 'Ada' };
  const id = `00000000-0000-4000-8000-${`${seq}`.padStart(12, '0')}`;
  return { seq, id, sender, sentAt: at, body: bodies.at(-1)!, versions };
}
