import { CommandError } from '../state/problem';
import type { Postponed } from '../state/store';

/** What a form shows about the one request that it makes. */
export class Attempt {
  busy = $state(false);
  error = $state('');
  code = $state('');
  /** The server asked to wait until then; the request goes on by itself. */
  until = $state<number | null>(null);

  /** True when it went well. */
  async run(request: (postponed: Postponed) => Promise<void>): Promise<boolean> {
    if (this.busy) return false;
    this.busy = true;
    this.clear();
    try {
      await request((why, until) => {
        this.error = why.text;
        this.until = until;
      });
      this.clear();
      return true;
    } catch (error) {
      if (!(error instanceof CommandError)) throw error;
      this.until = null;
      this.fail(error.problem.text, `${error.problem.code} ${error.detail}`.trim());
      return false;
    } finally {
      this.busy = false;
    }
  }

  fail(text: string, code = ''): void {
    this.error = text;
    this.code = code;
  }

  clear(): void {
    this.until = null;
    this.fail('');
  }
}
