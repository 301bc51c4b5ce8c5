import type { Cancel, Clock } from '../net/clock';
import type { AdminApi } from './api';

/** Long enough to finish a sentence and find the password. */
export const WARN_BEFORE_MS = 60_000;

export type Note = '' | 'signed_out' | 'expired' | 'revoked' | 'password_changed';

export type SessionState =
  | { phase: 'out'; note: Note }
  | { phase: 'in'; username: string; expiresAt: number; ending: boolean };

/**
 * Who is signed in, and until when. The token lives in this object only: a reload forgets it, and no
 * other script, tab or extension finds it in a store.
 */
export class AdminSession {
  #state: SessionState = { phase: 'out', note: '' };
  #token: string | null = null;
  #passwordChanged = false;
  #cancel: Cancel = () => {};

  constructor(
    private readonly deps: {
      api: Pick<AdminApi, 'login' | 'logout' | 'changePassword'>;
      clock: Clock;
      changed(state: SessionState): void;
      /** Another token is in use, or none. */
      token(token: string | null): void;
    },
  ) {}

  get state(): SessionState {
    return this.#state;
  }

  get token(): string | null {
    return this.#token;
  }

  /** Also for somebody who is signed in still: the new token takes the old one's place. */
  async signIn(username: string, password: string): Promise<void> {
    const before = this.#token;
    const { token, expiresAt } = await this.deps.api.login(username, password);
    this.#token = token;
    this.#passwordChanged = false;
    this.#set({ phase: 'in', username, expiresAt, ending: false });
    this.#watch(expiresAt);
    this.deps.token(token);
    // Nobody needs it any more, and it would work for a while.
    if (before !== null) await this.deps.api.logout(before).catch(() => {});
  }

  /** The page forgets first: whoever asked to be signed out is, whatever the network does. */
  async signOut(): Promise<void> {
    const token = this.#token;
    this.#end('signed_out');
    if (token !== null) await this.deps.api.logout(token);
  }

  async changePassword(password: string, next: string): Promise<void> {
    await this.deps.api.changePassword(password, next);
    this.#passwordChanged = true;
  }

  /** The server said so of this token; one that is not in use any more is no news. */
  rejected(token: string): void {
    if (token !== this.#token) return;
    this.#end(this.#passwordChanged ? 'password_changed' : 'revoked');
  }

  #watch(expiresAt: number): void {
    this.#cancel();
    const left = expiresAt - this.deps.clock.now();
    this.#cancel = this.deps.clock.after(Math.min(left - WARN_BEFORE_MS, DAY_MS), () => {
      const now = this.deps.clock.now();
      if (expiresAt - now > WARN_BEFORE_MS) return this.#watch(expiresAt);
      if (this.#state.phase === 'in') this.#set({ ...this.#state, ending: true });
      this.#cancel = this.deps.clock.after(expiresAt - now, () => this.#end('expired'));
    });
  }

  #end(note: Note): void {
    this.#cancel();
    this.#token = null;
    this.#set({ phase: 'out', note });
    this.deps.token(null);
  }

  #set(state: SessionState): void {
    this.#state = state;
    this.deps.changed(state);
  }
}

/** Timers of browsers overflow above 24 days. */
const DAY_MS = 86_400_000;
