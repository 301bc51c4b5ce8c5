import { getContext, setContext } from 'svelte';
import type { Clock, Random } from '../net/clock';
import type { SocketLike } from '../net/link';
import type { Live, NodeId } from '../protocol/generated';
import { AdminApi, ApiError } from './api';
import { Feed, type FeedStatus } from './feed';
import { Figures, type Point, type Rates } from './figures';
import { clockTime } from './format';
import { Lines } from './lines';
import { NodeWatch, type NodeRow } from './matrix';
import { parseRoute, type Route } from './route';
import { AdminSession, type SessionState } from './session';

export interface Toast {
  key: number;
  text: string;
  level: 'ok' | 'error';
  /** Null: until it is put away. */
  forMs: number | null;
  undo: (() => Promise<void>) | null;
}

const TOAST_MS = 6_000;
export const UNDO_MS = 10_000;
const TOASTS_MAX = 4;

interface Deps {
  fetch: (url: string, init: RequestInit) => Promise<Response>;
  url: string;
  WebSocket: new (url: string) => SocketLike;
  clock: Clock;
  random: Random;
}

/** All that the views share. The parts are plain classes; this makes them reactive. */
export class Dash {
  readonly api: AdminApi;
  readonly session: AdminSession;
  readonly lines = new Lines();
  readonly #feed: Feed;
  #figures = new Figures();
  #watch = new NodeWatch();
  #toasts = 0;
  #ahead = 0;

  /** Who is signed in. */
  who = $state.raw<SessionState>({ phase: 'out', note: '' });
  feed = $state.raw<FeedStatus>({ phase: 'stopped' });
  route = $state.raw<Route>(parseRoute(''));
  /** The newest figures; while paused, those of that moment. */
  live = $state.raw<Live | null>(null);
  nodes = $state.raw<readonly NodeRow[]>([]);
  rates = $state.raw<Rates | null>(null);
  points = $state.raw<readonly Point[]>([]);
  toasts = $state.raw<readonly Toast[]>([]);
  /** For the live region. */
  spoken = $state('');
  /** By the server's clock, a second exact. */
  now = $state(0);
  #paused = $state(false);

  constructor(private readonly deps: Deps) {
    const { clock } = deps;
    this.now = clock.now();
    this.api = new AdminApi({
      fetch: deps.fetch,
      now: () => clock.now(),
      token: () => this.session.token,
      rejected: (token) => this.session.rejected(token),
    });
    this.#feed = new Feed(
      {
        url: deps.url,
        WebSocket: deps.WebSocket,
        clock,
        random: deps.random,
        // One after the other: whoever cannot have the feed has little to spare.
        poll: async () => {
          const { servers } = await this.api.servers();
          const { at, now } = await this.api.stats();
          return { at, now, servers };
        },
      },
      {
        frame: (live) => this.#frame(live),
        status: (status) => this.#feedBecame(status),
        rejected: (token) => this.session.rejected(token),
      },
    );
    this.session = new AdminSession({
      api: this.api,
      clock,
      changed: (state) => {
        if (state.phase === 'in' && state.ending) {
          this.say(
            'Your session ends in a minute. You can sign in again without leaving the page.',
          );
        }
        this.who = state;
      },
      token: (token) => (token === null ? this.#forget() : this.#feed.start(token)),
    });
  }

  /** The moment stays on the screen, for reading; what comes meanwhile is kept. */
  get paused(): boolean {
    return this.#paused;
  }

  set paused(paused: boolean) {
    this.#paused = paused;
    if (!paused) this.#show();
  }

  tick(): void {
    this.now = this.deps.clock.now() + this.#ahead;
  }

  wake(): void {
    this.#feed.check();
  }

  /** To a screen reader only. */
  say(text: string): void {
    // The same words again are no change, which is what is read out.
    this.spoken = text === this.spoken ? `${text} ` : text;
  }

  toast(text: string, more: Partial<Pick<Toast, 'level' | 'undo'>> = {}): void {
    const { level = 'ok', undo = null } = more;
    const forMs = level === 'error' ? null : undo ? UNDO_MS : TOAST_MS;
    const toast = { key: ++this.#toasts, text, level, undo, forMs };
    this.toasts = [...this.toasts, toast].slice(-TOASTS_MAX);
    this.say(undo ? `${text} You can undo it for ten seconds.` : text);
  }

  dismiss(key: number): void {
    this.toasts = this.toasts.filter((toast) => toast.key !== key);
  }

  ratesOf(nodeId: NodeId): Rates | null {
    // What it reads of is not reactive by itself.
    return this.live ? this.#figures.ratesOf(nodeId) : null;
  }

  #frame(live: Live): void {
    this.#ahead = live.at - this.deps.clock.now();
    this.#newest = live;
    this.#figures.add(live);
    this.#watch.observe(live);
    if (!this.#paused) this.#show();
  }

  #newest: Live | null = null;

  #show(): void {
    this.live = this.#newest;
    this.nodes = this.#watch.rows();
    this.rates = this.#figures.rates;
    this.points = this.#figures.points();
  }

  #feedBecame(status: FeedStatus): void {
    const before = this.feed;
    this.feed = status;
    // The first moments of a page are no news.
    if (status.phase === 'live' && (before.phase === 'polling' || before.phase === 'offline')) {
      this.say('Live again.');
    }
    if (status.phase === 'polling') this.say('The live feed is lost. Polling every 5 seconds.');
    if (status.phase === 'offline') {
      this.say(`Offline. The figures are of ${clockTime(status.since)}.`);
    }
  }

  /** Signed out: nothing of it stays in the page. */
  #forget(): void {
    this.#feed.stop();
    this.#figures = new Figures();
    this.#watch = new NodeWatch();
    this.#newest = null;
    this.#paused = false;
    this.#show();
    this.toasts = [];
  }
}

/** How an act went that nodes have to confirm. */
export function outcome(text: string, unconfirmed: readonly NodeId[]): string {
  return unconfirmed.length === 0
    ? text
    : `${text} Not confirmed yet by ${unconfirmed.join(', ')}; they act when they hear of it.`;
}

/** What to say of an error that has no place of its own. */
export function errorText(error: unknown): string {
  if (!(error instanceof ApiError)) throw error;
  return error.message;
}

const KEY = Symbol('dash');
export const provideDash = (dash: Dash): Dash => setContext(KEY, dash);
export const useDash = (): Dash => getContext<Dash>(KEY);
