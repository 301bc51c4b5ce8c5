import { svelte } from '@sveltejs/vite-plugin-svelte';
import { defineConfig } from 'vitest/config';
import { emoji } from './build/emoji.ts';
import { initialChunk } from './build/initial_chunk.ts';
import { precompress } from './build/precompress.ts';

export default defineConfig({
  plugins: [svelte(), emoji(), precompress()],
  // Each page is built by itself: a chunk that they share would carry to the chat what only the dashboard needs of it.
  builder: {
    async buildApp(builder) {
      for (const page of ['client', 'admin']) await builder.build(builder.environments[page]!);
    },
  },
  environments: {
    client: {
      build: {
        rolldownOptions: {
          input: { chat: 'index.html' },
          output: { codeSplitting: { groups: [{ name: initialChunk('chat') }] } },
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
    modulePreload: { polyfill: false },
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
    include: ['src/**/*.test.ts'],
    environment: 'node',
    // A machine that is busy with something else is no fault of a test.
    testTimeout: 20_000,
  },
});
