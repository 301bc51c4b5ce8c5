import type { Canary, Live, Server } from '../protocol/generated';
import { byName } from './figures';

/** A node speaks every few seconds; this long without a word is trouble, though its lease may last. */
export const SILENT_MS = 8_000;
/** A node that vanished without a farewell stays on the screen for so long. */
export const GONE_MS = 60_000;

export type NodeState = 'ok' | 'draining' | 'silent' | 'gone';

export interface NodeRow {
  server: Server;
  state: NodeState;
  /** How long it has said nothing new. */
  silentMs: number;
}

export type CellState = 'self' | 'ok' | 'lost' | 'gone' | 'unknown';

export interface Cell {
  from: string;
  to: string;
  state: CellState;
  deliveryMs: number | null;
  silentMs: number;
}

/**
 * Remembers which nodes there were, so that one that vanishes is seen to be missing. A node that said
 * that it goes (it was draining) is no loss.
 */
export class NodeWatch {
  readonly #seen = new Map<string, Seen>();
  #at = 0;

  observe({ at, servers }: Pick<Live, 'at' | 'servers'>): void {
    // Not the latest ever: another replica's clock may be behind.
    this.#at = at;
    const present = new Set(servers.map(({ nodeId }) => nodeId));
    for (const [nodeId, seen] of this.#seen) {
      if (present.has(nodeId)) continue;
      seen.gone = true;
      if (seen.server.draining || at - seen.heardAt > GONE_MS) this.#seen.delete(nodeId);
    }
    for (const server of servers) {
      const before = this.#seen.get(server.nodeId);
      // By whether it speaks, not by its own clock, which nobody has compared with ours.
      const spoke = before === undefined || before.server.lastSeenAt !== server.lastSeenAt;
      const heardAt = spoke ? at : before.heardAt;
      this.#seen.set(server.nodeId, { server, heardAt, gone: false });
    }
  }

  /** By name, those that vanished included. */
  rows(): NodeRow[] {
    return [...this.#seen.values()]
      .map(({ server, heardAt, gone }) => {
        const silentMs = Math.max(0, this.#at - heardAt);
        return { server, silentMs, state: stateOf(server, gone, silentMs) };
      })
      .sort((a, b) => byName(a.server.nodeId, b.server.nodeId));
  }
}

interface Seen {
  server: Server;
  /** When it said something new. */
  heardAt: number;
  gone: boolean;
}

function stateOf(server: Server, gone: boolean, silentMs: number): NodeState {
  if (gone) return 'gone';
  if (silentMs > SILENT_MS) return 'silent';
  return server.draining ? 'draining' : 'ok';
}

/** Every way between two nodes; rows and columns are in the order of `rows`. */
export function matrix(rows: readonly NodeRow[]): Cell[][] {
  return rows.map((from) => {
    const canaries = new Map(from.server.canary.map((canary) => [canary.nodeId, canary]));
    return rows.map((to) => cell(from, to, canaries.get(to.server.nodeId)));
  });
}

function cell(from: NodeRow, to: NodeRow, found: Canary | undefined): Cell {
  const base = {
    from: from.server.nodeId,
    to: to.server.nodeId,
    deliveryMs: found?.deliveryMs ?? null,
    silentMs: found?.silentMs ?? 0,
  };
  if (from.state === 'gone' || to.state === 'gone') {
    const silentMs = Math.max(
      ...[from, to].map((row) => (row.state === 'gone' ? row.silentMs : 0)),
    );
    return { ...base, state: 'gone', silentMs };
  }
  if (found?.lost) return { ...base, state: 'lost' };
  if (found) return { ...base, state: found.deliveryMs === null ? 'unknown' : 'ok' };
  return { ...base, state: base.from === base.to ? 'self' : 'unknown' };
}

/** Those with a way that does not work, for when there are too many nodes to show all. */
export function troubled(rows: readonly NodeRow[]): NodeRow[] {
  const cells = matrix(rows);
  const names = new Set(
    cells
      .flat()
      .filter(isBroken)
      .flatMap(({ from, to, state }) => (state === 'lost' ? [from, to] : [])),
  );
  return rows.filter(({ server, state }) => state === 'gone' || names.has(server.nodeId));
}

const isBroken = ({ state }: Cell): boolean => state === 'lost' || state === 'gone';

/** How many ways do not work. */
export function broken(cells: readonly (readonly Cell[])[]): number {
  return cells.flat().filter(isBroken).length;
}

/** Whether clients would have nowhere to go if this node sent them away. */
export function lastOne(rows: readonly NodeRow[], nodeId: string): boolean {
  return !rows.some(({ server, state }) => state === 'ok' && server.nodeId !== nodeId);
}
