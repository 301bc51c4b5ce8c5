import { svelte } from '@sveltejs/vite-plugin-svelte';
import { defineConfig } from 'vitest/config';
import { emoji } from './build/emoji.ts';
import { pageWeight } from './build/page_weight.ts';
import { precompress } from './build/precompress.ts';
import { serviceWorker } from './build/service_worker.ts';

export default defineConfig({
  plugins: [svelte(), emoji(), serviceWorker(), precompress(), pageWeight()],
  // Each page is built by itself: a chunk that they share would carry to the chat what only the dashboard needs of it.
  builder: {
    async buildApp(builder) {
      for (const page of ['client', 'worker', 'admin']) {
        await builder.build(builder.environments[page]!);
      }
    },
  },
  environments: {
    client: {
      build: {
        rollupOptions: {
          input: { chat: 'index.html' },
          // What the page begins with and what it loads later share much. Without this, that would be a file for each
          // set of sharers: more requests, and more bytes, for each is compressed by itself.
          output: { codeSplitting: { groups: [{ name: 'start', tags: ['$initial'] }] } },
        },
      },
    },
    // At a path that stays, for its path is what it is known by; a script without modules, for any browser's workers.
    worker: {
      consumer: 'client',
      build: {
        emptyOutDir: false,
        copyPublicDir: false,
        rollupOptions: {
          input: { sw: 'src/sw/sw.ts' },
          output: { format: 'iife', entryFileNames: 'sw.js' },
        },
      },
    },
    admin: {
      consumer: 'client',
      build: { emptyOutDir: false, rollupOptions: { input: { admin: 'admin.html' } } },
    },
  },
  build: {
    // The content security policy has no room for inlined assets or an inlined preload script.
    assetsInlineLimit: 0,
    // The first that have light-dark(), in 2024; written out for older ones, it would double the tokens.
    cssTarget: ['chrome123', 'firefox120', 'safari17.5'],
    modulePreload: false,
    reportCompressedSize: false,
  },
  server: {
    proxy: {
      '/ws': { target: 'ws://127.0.0.1:8080', ws: true },
      '/api': 'http://127.0.0.1:8080',
      // The calls under /admin are the server's; the page at /admin/ is ours.
      '^/admin(/|$)': {
        target: 'http://127.0.0.1:8080',
        ws: true,
        bypass: ({ url }) => (/^\/admin\/?(?:\?|$)/.test(url ?? '') ? '/admin.html' : undefined),
      },
    },
  },
  test: {
    include: ['{src,build}/**/*.test.ts'],
    environment: 'node',
    // A machine that is busy with something else is no fault of a test.
    testTimeout: 20_000,
  },
});
