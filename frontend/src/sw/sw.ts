import { files, version } from 'virtual:shell';
import { networkFirst, outdated, PREFIX, treatment } from './policy';

/** What is used of the worker's globals: the library's own types would take the place of the page's. */
interface Lasting extends Event {
  waitUntil(done: Promise<unknown>): void;
}
interface Fetching extends Lasting {
  readonly request: Request;
  respondWith(answer: Promise<Response>): void;
}
interface Clicked extends Lasting {
  readonly notification: Notification;
}
interface Page {
  focus(): Promise<unknown>;
  postMessage(message: unknown): void;
}
interface Worker {
  readonly location: Location;
  readonly clients: {
    claim(): Promise<void>;
    matchAll(options: { type: 'window' }): Promise<readonly Page[]>;
    openWindow(url: string): Promise<unknown>;
  };
  skipWaiting(): Promise<void>;
  addEventListener(type: 'install' | 'activate', listen: (event: Lasting) => void): void;
  addEventListener(type: 'fetch', listen: (event: Fetching) => void): void;
  addEventListener(type: 'notificationclick', listen: (event: Clicked) => void): void;
  addEventListener(type: 'message', listen: (event: Lasting & { data: unknown }) => void): void;
}
const worker = self as unknown as Worker;

/** The page under which the shell is kept; `/r/…` is the same file. */
const SHELL = '/';
/** Somebody on a train sees the page within this time. */
const PATIENCE_MS = 4_000;

const CACHE = PREFIX + version;
const ASSETS: ReadonlySet<string> = new Set(files);

worker.addEventListener('install', (event) => {
  event.waitUntil(keep());
});

worker.addEventListener('activate', (event) => {
  event.waitUntil(
    (async () => {
      const names = outdated(await caches.keys(), CACHE);
      await Promise.all(names.map((name) => caches.delete(name)));
      await worker.clients.claim();
    })(),
  );
});

// Pages of the former build may still need its files, so a new worker waits until somebody wants it.
worker.addEventListener('message', (event) => {
  if (event.data === 'take over') event.waitUntil(worker.skipWaiting());
});

// Where only the worker may show a notification, it is also told of the click.
worker.addEventListener('notificationclick', (event) => {
  event.notification.close();
  const { seq } = (event.notification.data ?? {}) as { seq?: number };
  event.waitUntil(
    worker.clients.matchAll({ type: 'window' }).then(async ([page]) => {
      if (!page) return worker.clients.openWindow(SHELL);
      page.postMessage({ jump: seq });
      return page.focus();
    }),
  );
});

worker.addEventListener('fetch', (event) => {
  const { request } = event;
  switch (treatment(request, worker.location.origin, ASSETS)) {
    case 'page':
      event.respondWith(
        networkFirst(
          () => fetch(request),
          () => caches.match(SHELL, { cacheName: CACHE }),
          (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
          PATIENCE_MS,
        ),
      );
      break;
    case 'asset':
      event.respondWith(
        caches
          .match(request, { cacheName: CACHE, ignoreVary: true })
          .then((kept) => kept ?? fetch(request)),
      );
      break;
    case 'leave':
  }
});

/** All or nothing: a shell whose files are missing would open offline as an empty page. */
async function keep(): Promise<void> {
  const cache = await caches.open(CACHE);
  const shell = await fetch(SHELL, { cache: 'no-cache' });
  const text = await shell.clone().text();
  // During a rollout another node may answer, with the page of another build.
  const own = files.filter((file) => file.startsWith('/assets/') && text.includes(file));
  if (!shell.ok || own.length === 0) throw new Error('the page is of another build');
  await cache.addAll([...files]);
  await cache.put(SHELL, shell);
}
