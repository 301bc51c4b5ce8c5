import { defineConfig, devices } from '@playwright/test';
import type { Look, Setting } from './e2e/fixture';

/** What people do, each on its own: on two nodes through nginx, as wide and as narrow, light and dark as it comes. */
const PARAGRAPHS = /\/(?:writing|changes|reading|announcements|rooms|shell|trust)\.spec\.ts$/;

const wide = { viewport: { width: 1200, height: 760 } };
const { defaultBrowserType: _, ...phone } = devices['Pixel 7'];

export default defineConfig<Look, Setting>({
  testDir: 'e2e',
  outputDir: 'test-results',
  // Each worker has a server of its own; the machine need not be large.
  workers: 2,
  fullyParallel: true,
  timeout: 45_000,
  expect: { timeout: 10_000 },
  forbidOnly: !!process.env.CI,
  // What passes only the second time is listed as flaky at the end, which is a bug to mend; it is no reason to stop others.
  retries: process.env.CI ? 1 : 0,
  reporter: [['list']],
  use: {
    trace: 'retain-on-failure',
    // What a test intercepts must not be answered by a worker; shell.spec.ts, which is about the worker, allows it.
    serviceWorkers: 'block',
    launchOptions: {
      executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
      args: [
        '--no-sandbox',
        '--disable-gpu',
        '--disable-quic',
        '--no-first-run',
        '--disable-background-networking',
        '--disable-component-update',
        '--disable-sync',
      ],
    },
  },
  projects: [
    { name: 'one-process', testIgnore: PARAGRAPHS },
    ...(['light', 'dark'] as const).flatMap((colorScheme) =>
      Object.entries({ wide, phone }).map(([name, device]) => ({
        name: `${colorScheme}-${name}`,
        testMatch: PARAGRAPHS,
        use: { nodes: 2, look: { ...device, colorScheme } },
      })),
    ),
  ],
});
