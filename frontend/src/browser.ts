import type { Shelf } from './state/memory';
import type { Vault } from './state/keeper';
import type { Hold } from './state/tab_identity';
import type { WhenFree } from './state/vault';

/** Where the page came from is where its server is. */
export function socketUrl({ protocol, host }: Pick<Location, 'protocol' | 'host'>): string {
  return `${protocol === 'https:' ? 'wss:' : 'ws:'}//${host}/ws`;
}

/**
 * Merely to name `localStorage` throws where storage is forbidden. What stands in for it refuses, as one that is full
 * does: whoever writes must know that nothing is kept.
 */
export function shelf(find: () => Storage): Shelf {
  try {
    return find();
  } catch {
    const refuse = () => {
      throw new Error('storage is forbidden');
    };
    return { getItem: () => null, setItem: refuse, removeItem: () => {} };
  }
}

/** Locks end with the page, however it ends. Browsers have them in secure contexts only. */
export function pageLocks(locks: LockManager | undefined): Hold | null {
  if (!locks) return null;
  return (name, waitMs) =>
    new Promise((resolve, reject) => {
      const options = waitMs > 0 ? { signal: AbortSignal.timeout(waitMs) } : { ifAvailable: true };
      const held = (lock: Lock | null) => {
        resolve(lock !== null);
        return lock ? new Promise<never>(() => {}) : undefined;
      };
      locks.request(`roomful.${name}`, options, held).catch((error: DOMException) => {
        if (error.name === 'TimeoutError' || error.name === 'AbortError') resolve(false);
        else reject(error);
      });
    });
}

/**
 * Where unsent messages outlive a crash of the browser. Null where tabs cannot be told apart, or
 * there is no such storage: merely to name it throws in some places. Its code is not needed to show
 * the page, so it comes after it.
 */
export function outboxVault(owner: string | null, locks: LockManager | undefined): Vault | null {
  try {
    if (owner === null || !locks || !indexedDB) return null;
    const whenFree: WhenFree = async (name, act) => {
      const options = { ifAvailable: true };
      await locks.request(`roomful.${name}`, options, (lock) => (lock ? act() : undefined));
    };
    const vault = import('./state/vault').then(({ indexedVault }) =>
      indexedVault({ indexedDB, owner, whenFree, now: () => Date.now() }),
    );
    return {
      load: async () => (await vault).load(),
      save: async (entries, clientId) => (await vault).save(entries, clientId),
      adopt: async (clientId) => (await vault).adopt(clientId),
    };
  } catch {
    return null;
  }
}

/** Passes on what browsers say about network and page, each in its own event. */
export function watchPage(tell: (what: 'online' | 'offline' | 'visible' | 'hidden') => void): void {
  addEventListener('online', () => tell('online'));
  addEventListener('offline', () => tell('offline'));
  document.addEventListener('visibilitychange', () => {
    tell(document.visibilityState === 'visible' ? 'visible' : 'hidden');
  });
  // Back from the page cache: the connection did not survive it.
  addEventListener('pageshow', (event) => {
    if (event.persisted) tell('visible');
  });
  // Back from being frozen, as phones do to pages in the background.
  document.addEventListener('resume', () => tell('visible'));
}
