import type { Page } from '@playwright/test';

/** Which node the page is on, as the server's `CONNECT` says. */
export class Whereabouts {
  node = '';

  constructor(page: Page) {
    page.on('websocket', (socket) =>
      socket.on('framereceived', ({ payload }) => {
        const event = JSON.parse(String(payload)) as { type: string; nodeId?: string };
        if (event.type === 'CONNECT') this.node = event.nodeId ?? '';
      }),
    );
  }
}
