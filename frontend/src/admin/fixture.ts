import type { Canary, Live, Server, Totals } from '../protocol/generated';

// For unit tests and for the server that the browser tests talk to.

export function server(nodeId: string, more: Partial<Server> = {}): Server {
  return {
    nodeId,
    service: 'chat-node',
    host: 'chat-1.example',
    version: '0.1.0',
    startedAt: 0,
    lastSeenAt: 0,
    draining: false,
    connections: 0,
    rooms: 0,
    messagesReceived: 0,
    messagesDelivered: 0,
    bytesReceived: 0,
    bytesSent: 0,
    slowConsumersClosed: 0,
    queuedBytes: 0,
    eventLoopLagMs: 0,
    roundTripMs: 0,
    deliveryMs: null,
    canary: [],
    limited: [],
    ...more,
  };
}

export const canary = (nodeId: string, more: Partial<Canary> = {}): Canary => ({
  nodeId,
  deliveryMs: 1,
  silentMs: 100,
  lost: false,
  ...more,
});

export function live(at: number, servers: Server[], more: Partial<Totals> = {}): Live {
  const sum = (of: (server: Server) => number) =>
    servers.reduce((total, server) => total + of(server), 0);
  return {
    at,
    servers,
    now: {
      nodes: servers.length,
      connections: sum((server) => server.connections),
      clients: sum((server) => server.connections),
      rooms: sum((server) => server.rooms),
      messagesReceived: sum((server) => server.messagesReceived),
      messagesDelivered: sum((server) => server.messagesDelivered),
      bytesReceived: sum((server) => server.bytesReceived),
      bytesSent: sum((server) => server.bytesSent),
      slowConsumersClosed: sum((server) => server.slowConsumersClosed),
      queuedBytes: sum((server) => server.queuedBytes),
      ...more,
    },
  };
}
