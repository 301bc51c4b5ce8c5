import type { Update } from './chat/shell.svelte';

const SCRIPT = '/sw.js';
/** A page that is open for weeks asks, too. */
const ASK_EVERY_MS = 60 * 60 * 1000;
/** The new worker says that it took over; if not, the new page comes from the network anyway. */
const TAKE_OVER_MS = 2_000;

interface Policies {
  createPolicy(
    name: string,
    rules: { createScriptURL(url: string): string },
  ): { createScriptURL(url: string): unknown };
}

/**
 * The service worker, as far as the page has to do with it. Everything works without: there is none
 * over plain http, in private windows of some browsers, or where storage is forbidden.
 */
export class Updates {
  readonly #subscribers = new Set<(update: Update) => void>();
  #update: Update = 'none';
  #waiting: ServiceWorker | null = null;

  /** The contract of Svelte's stores. */
  subscribe(run: (update: Update) => void): () => void {
    run(this.#update);
    this.#subscribers.add(run);
    return () => this.#subscribers.delete(run);
  }

  start(): void {
    const workers = navigator.serviceWorker as ServiceWorkerContainer | undefined;
    if (!import.meta.env.PROD || !workers) return;
    const register = () => void this.#register(workers).catch(() => {});
    // What the page itself loads goes first.
    if (document.readyState === 'complete') register();
    else addEventListener('load', register, { once: true });
  }

  /** Loads the page of the newest version. Drafts and what is unsent are in storage. */
  apply(): void {
    const again = () => location.reload();
    const waiting = this.#waiting;
    if (!waiting) return again();
    setTimeout(again, TAKE_OVER_MS);
    navigator.serviceWorker.addEventListener('controllerchange', again, { once: true });
    waiting.postMessage('take over');
  }

  async #register(workers: ServiceWorkerContainer): Promise<void> {
    const registration = await workers.register(address() as string, { updateViaCache: 'none' });
    const look = () => {
      // The first one is no update: there was nothing before it.
      if (!registration.waiting || !workers.controller) return;
      this.#waiting = registration.waiting;
      this.#tell('ready');
    };
    look();
    registration.addEventListener('updatefound', () => {
      registration.installing?.addEventListener('statechange', look);
    });
    const ask = () => void registration.update().catch(() => {});
    setInterval(ask, ASK_EVERY_MS);
    addEventListener('online', ask);
  }

  #tell(update: Update): void {
    this.#update = update;
    for (const run of this.#subscribers) run(update);
  }
}

/** The policy of the page lets a script's address come from `roomful-sw` only, and that knows one address. */
function address(): unknown {
  const policies = (window as { trustedTypes?: Policies }).trustedTypes;
  const rules = {
    createScriptURL(url: string): string {
      if (url !== SCRIPT) throw new TypeError(url);
      return url;
    },
  };
  return policies ? policies.createPolicy('roomful-sw', rules).createScriptURL(SCRIPT) : SCRIPT;
}
