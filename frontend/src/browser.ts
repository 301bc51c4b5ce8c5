import type { Shelf } from './state/memory';

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
