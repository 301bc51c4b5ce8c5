// Writes Grafana's dashboards: `node deploy/observability/dashboards/write.mjs`. With --check it only tells whether the
// files are what it would write. The files are committed, for Grafana reads nothing else.

import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { abuse } from './abuse.mjs';
import { node } from './node.mjs';
import { overview } from './overview.mjs';
import { redis } from './redis.mjs';

const folder = new URL('../grafana/dashboards/', import.meta.url);
const files = new Map(
  Object.entries({ abuse, node, overview, redis }).map(([name, value]) => [`${name}.json`, JSON.stringify(value, null, 2) + '\n']),
);

function read(name) {
  try {
    return readFileSync(new URL(name, folder), 'utf8');
  } catch {
    return undefined;
  }
}

const stale = [...files].filter(([name, text]) => read(name) !== text);
if (process.argv.includes('--check')) {
  const strangers = readdirSync(folder).filter((name) => !files.has(name));
  if (stale.length > 0 || strangers.length > 0) {
    const names = [...stale.map(([name]) => name), ...strangers];
    console.error(`out of date, or not written by it: ${names.join(', ')}\nrun \`node deploy/observability/dashboards/write.mjs\``);
    process.exitCode = 1;
  }
} else {
  for (const [name, text] of stale) {
    writeFileSync(new URL(name, folder), text);
    console.log(`wrote ${name}`);
  }
}
