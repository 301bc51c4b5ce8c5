import { ApiError } from './api';

/** What a form or a button shows about the one thing that it does. */
export class Act {
  busy = $state(false);
  error = $state.raw<{ text: string; requestId: string } | null>(null);
  /** The server asked to wait until then. */
  until = $state<number | null>(null);

  /** The answer, or undefined when it did not go well; `error` says why then. */
  async run<T>(act: () => Promise<T>): Promise<T | undefined> {
    if (this.busy) return undefined;
    this.busy = true;
    this.clear();
    try {
      return await act();
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      this.error = { text: error.message, requestId: error.requestId };
      if (error.retryAfterMs !== null) this.until = Date.now() + error.retryAfterMs;
      return undefined;
    } finally {
      this.busy = false;
    }
  }

  fail(text: string): void {
    this.error = { text, requestId: '' };
  }

  clear(): void {
    this.error = null;
    this.until = null;
  }
}
