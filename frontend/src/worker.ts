import type { Updates } from './updates';

const SCRIPT = '/sw.js';
/** A page that is open for weeks asks, too. */
const ASK_EVERY_MS = 60 * 60 * 1000;
/** If the new worker does not say that it took over, the new page comes from the network anyway. */
const TAKE_OVER_MS = 2_000;

interface Policies {
  createPolicy(
    name: string,
    rules: { createScriptURL(url: string): string },
  ): { createScriptURL(url: string): unknown };
}

export async function register(workers: ServiceWorkerContainer, updates: Updates): Promise<void> {
  const registration = await workers.register(address() as string, { updateViaCache: 'none' });
  const look = () => {
    const { waiting } = registration;
    // The first one is no update: there was nothing before it.
    if (waiting && workers.controller) updates.ready(() => takeOver(workers, waiting));
  };
  const follow = () => registration.installing?.addEventListener('statechange', look);
  look();
  // It may have begun before anybody listened.
  follow();
  registration.addEventListener('updatefound', follow);
  const ask = () => void registration.update().catch(() => {});
  setInterval(ask, ASK_EVERY_MS);
  addEventListener('online', ask);
}

function takeOver(workers: ServiceWorkerContainer, waiting: ServiceWorker): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, TAKE_OVER_MS);
    workers.addEventListener('controllerchange', () => resolve(), { once: true });
    waiting.postMessage('take over');
  });
}

/** The page's policy lets the address of a script come from `roomful-sw` only, and that knows one address. */
function address(): unknown {
  const policies = (window as { trustedTypes?: Policies }).trustedTypes;
  const rules = {
    createScriptURL(url: string): string {
      if (url !== SCRIPT) throw new TypeError(url);
      return url;
    },
  };
  return policies ? policies.createPolicy('roomful-sw', rules).createScriptURL(SCRIPT) : SCRIPT;
}
