/** What the service worker does with a request. */
export type Treatment = 'page' | 'asset' | 'leave';

interface Asked {
  method: string;
  /** `navigate` for a page. */
  mode: string;
  url: string;
}

/**
 * The chat page and the files of this build are ours; everything else is the network's: calls, sockets,
 * the dashboard, and the files of other builds.
 */
export function treatment(
  { method, mode, url }: Asked,
  origin: string,
  assets: ReadonlySet<string>,
): Treatment {
  const { origin: from, pathname, search } = new URL(url);
  if (method !== 'GET' || from !== origin) return 'leave';
  if (mode === 'navigate') return /^\/(?:r\/\d{1,16})?$/.test(pathname) ? 'page' : 'leave';
  return search === '' && assets.has(pathname) ? 'asset' : 'leave';
}

/** All caches of ours begin like this. */
export const PREFIX = 'roomful-shell-';

/** Those of former builds. */
export function outdated(names: readonly string[], current: string): string[] {
  return names.filter((name) => name.startsWith(PREFIX) && name !== current);
}

/** The answer of the network, or in time the one that is kept; of an error there is no use. */
export async function networkFirst<Answer extends { status: number }>(
  network: () => Promise<Answer>,
  kept: () => Promise<Answer | undefined>,
  after: (ms: number) => Promise<void>,
  patienceMs: number,
): Promise<Answer> {
  const asked = network().then(
    (answer) => (answer.status < 500 ? answer : null),
    () => null,
  );
  const first = await Promise.race([asked, after(patienceMs)]);
  if (first) return first;
  const shell = await kept();
  if (shell) return shell;
  const late = await asked;
  // Nothing is kept and nothing came: what the network says is the truth.
  return late ?? network();
}
