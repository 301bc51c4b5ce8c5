import type { Update } from './chat/shell.svelte';

/** Whether another version of the page is there, as far as there is a service worker to know it. */
export class Updates {
  readonly #subscribers = new Set<(update: Update) => void>();
  #update: Update = 'none';
  #takeOver = (): Promise<void> => Promise.resolve();

  /** The contract of Svelte's stores. */
  subscribe(run: (update: Update) => void): () => void {
    run(this.#update);
    this.#subscribers.add(run);
    return () => this.#subscribers.delete(run);
  }

  ready(takeOver: () => Promise<void>): void {
    this.#takeOver = takeOver;
    this.#update = 'ready';
    for (const run of this.#subscribers) run(this.#update);
  }

  /** Loads the page of the newest version. Drafts and what is unsent are in storage. */
  apply(): void {
    void this.#takeOver().then(() => location.reload());
  }
}

/**
 * Everything works without a service worker: there is none over plain http, in private windows of some
 * browsers, or where storage is forbidden. What the page itself loads goes first.
 */
export function keepShell(updates: Updates): void {
  if (!import.meta.env.PROD || !('serviceWorker' in navigator)) return;
  const start = () =>
    void import('./worker')
      .then(({ register }) => register(navigator.serviceWorker, updates))
      .catch(() => {});
  if (document.readyState === 'complete') start();
  else addEventListener('load', start, { once: true });
}
