import { getContext, setContext } from 'svelte';

const KEY = Symbol('reading');

/** Where one reads, for the parts of the page that show it or lead there. */
export class Reading {
  /** What others said that was not read. */
  unread = $state(0);
  /** The position after which that began; stays until the reader goes on. */
  since = $state<number | null>(null);
  /** The newest message is in sight. */
  atEnd = $state(true);
  #jump: ((seq: number) => Promise<boolean>) | null = null;
  #mention: ((username: string) => void) | null = null;

  /** Shows a message, loading back to it if need be. False where it cannot be had. */
  async jump(seq: number): Promise<boolean> {
    return (await this.#jump?.(seq)) ?? false;
  }

  /** Puts somebody's name into the text that is being written. */
  mention(username: string): void {
    this.#mention?.(username);
  }

  /** The list does this while it is on the page. */
  onJump(act: (seq: number) => Promise<boolean>): () => void {
    this.#jump = act;
    return () => {
      if (this.#jump === act) this.#jump = null;
    };
  }

  /** The composer does this while it is on the page. */
  onMention(act: (username: string) => void): () => void {
    this.#mention = act;
    return () => {
      if (this.#mention === act) this.#mention = null;
    };
  }
}

export function provideReading(reading: Reading): Reading {
  return setContext(KEY, reading);
}

export function useReading(): Reading {
  return getContext<Reading>(KEY);
}
