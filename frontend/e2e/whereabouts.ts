import type { Page } from '@playwright/test';

/** Which node the page is on, as the server's `CONNECT` says. */
export class Whereabouts {
  node = '';
  /** How many connections it has had. */
  connections = 0;

  constructor(page: Page) {
    page.on('websocket', (socket) =>
      socket.on('framereceived', ({ payload }) => {
        const event = JSON.parse(String(payload)) as { type: string; nodeId?: string };
        if (event.type !== 'CONNECT') return;
        this.node = event.nodeId ?? '';
        this.connections += 1;
      }),
    );
  }
}
