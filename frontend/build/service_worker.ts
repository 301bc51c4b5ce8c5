import { createHash } from 'node:crypto';
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Plugin } from 'vite';

const NAME = 'virtual:shell';

/** Tells the service worker which files the chat page has: those that are there when it is built, right after the page. */
export function serviceWorker(): Plugin {
  let dir = '';
  return {
    name: 'roomful-service-worker',
    configResolved(config) {
      dir = join(config.root, config.build.outDir);
    },
    resolveId: (id) => (id === NAME ? `\0${NAME}` : undefined),
    load(id) {
      if (id !== `\0${NAME}`) return undefined;
      const built = readdirSync(join(dir, 'assets')).filter((name) => !/\.(?:br|gz)$/.test(name));
      const files = [...built.map((name) => `/assets/${name}`), '/favicon.svg'].sort();
      // The names have hashes; the page has none.
      const hash = createHash('sha256').update(readFileSync(join(dir, 'index.html')));
      const version = hash.update(files.join()).digest('hex').slice(0, 12);
      return `export const files = ${JSON.stringify(files)}; export const version = '${version}';`;
    },
  };
}
