import { randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { weigh } from './page_weight';

const files: Record<string, Buffer> = {
  'index.html': Buffer.from(`<html><head>
    <link rel="icon" href="/favicon.svg" />
    <script type="module" crossorigin src="/assets/chat-1.js"></script>
    <link rel="modulepreload" crossorigin href="/assets/shared-2.js">
    <link rel="stylesheet" crossorigin href="/assets/chat-3.css">
    <link rel="prefetch" href="/assets/later-4.js"></head></html>`),
  // Nothing that gzip could make smaller.
  'assets/chat-1.js': randomBytes(4000),
  'assets/shared-2.js': randomBytes(2000),
  'assets/chat-3.css': randomBytes(1000),
};

describe('weigh', () => {
  it('counts what the page loads by itself, and nothing else', () => {
    const { total, files: counted } = weigh('index.html', (name) => files[name]!);
    expect(counted.map(({ name }) => name)).toEqual([
      'assets/chat-1.js',
      'assets/shared-2.js',
      'assets/chat-3.css',
    ]);
    expect(total).toBeGreaterThan(7000);
    expect(total).toBeLessThan(7200);
  });
});
