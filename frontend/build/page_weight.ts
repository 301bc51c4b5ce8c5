import { gzipSync } from 'node:zlib';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Plugin } from 'vite';

/** What a page may have its visitors load before it shows anything: script and style, by gzip, in bytes. */
export const LIMITS: Record<string, number> = { 'index.html': 60_000 };

export interface Weight {
  total: number;
  files: { name: string; bytes: number }[];
}

/** What the page loads by itself: its script, what that imports statically, and its style. */
export function weigh(page: string, read: (name: string) => Buffer): Weight {
  const html = read(page).toString('utf8');
  const names = new Set<string>();
  for (const [tag] of html.matchAll(/<(?:script|link)\b[^>]*>/g)) {
    const isLoaded = /^<script|rel="(?:modulepreload|stylesheet)"/.test(tag);
    const name = /(?:src|href)="\/?([^"]+\.(?:js|css))"/.exec(tag)?.[1];
    if (isLoaded && name) names.add(name);
  }
  const files = [...names].map((name) => ({
    name,
    bytes: gzipSync(read(name), { level: 9 }).length,
  }));
  return { total: files.reduce((sum, { bytes }) => sum + bytes, 0), files };
}

/** Fails a build whose page has grown past its limit: what few people need belongs into an `import()`. */
export function pageWeight(): Plugin {
  let dir = '';
  return {
    name: 'roomful-page-weight',
    apply: 'build',
    configResolved(config) {
      dir = join(config.root, config.build.outDir);
    },
    closeBundle() {
      if (this.environment.name !== 'client') return;
      for (const [page, limit] of Object.entries(LIMITS)) {
        const { total, files } = weigh(page, (name) => readFileSync(join(dir, name)));
        const all = files.map(({ name, bytes }) => `${name} ${bytes}`).join(', ');
        const said = `${page} loads ${total} of ${limit} bytes (gzip): ${all}`;
        if (files.length === 0) this.error(`${page} loads nothing: is it another page now?`);
        if (total > limit) this.error(`${said}. Load by import() what is not needed at once.`);
        this.info(said);
      }
    },
  };
}
