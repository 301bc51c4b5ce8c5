import type { Shelf } from './state/memory';
import type { Hold } from './state/tab_identity';

/** Where the page came from is where its server is. */
export function socketUrl({ protocol, host }: Pick<Location, 'protocol' | 'host'>): string {
  return `${protocol === 'https:' ? 'wss:' : 'ws:'}//${host}/ws`;
}

/** Merely to name `localStorage` throws where storage is forbidden. */
export function shelf(find: () => Storage): Shelf {
  try {
    return find();
  } catch {
    return { getItem: () => null, setItem: () => {}, removeItem: () => {} };
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
}
