import { Memory, read, write, type Shelf } from './memory';

/**
 * Holds a name for as long as the page lives. False when another page of this browser has it and
 * does not let go within the time.
 */
export type Hold = (name: string, waitMs: number) => Promise<boolean>;

interface Parts {
  browser: Shelf;
  tab: Shelf;
  /** Null where the browser cannot do this. */
  hold: Hold | null;
  uuid: () => string;
}

const KEY = 'roomful.holder';
/** On a reload, the page before may still be letting go. Only a duplicated tab waits in vain. */
const RELOAD_MS = 2_000;

/**
 * Where this tab's identity is kept. Two tabs are two guests: each has an identity of its own, held
 * by a name while its page lives. The browser's one is what a new tab starts with, if no other tab
 * holds it. Without locks nobody could tell, and the tabs share one identity.
 */
export async function tabIdentity({ browser, tab, hold, uuid }: Parts): Promise<Shelf> {
  if (!hold) return browser;
  const own = holder(tab);
  const source = own === null ? browser : tab;
  let name = own ?? holder(browser) ?? uuid();
  const identity = new Memory(source, tab).identity;
  try {
    if (!(await hold(name, own === null ? 0 : RELOAD_MS))) {
      name = uuid();
      await hold(name, 0);
      delete identity.session;
      // A duplicated tab has copies of what the other one is going to send.
      if (own !== null) new Memory(browser, tab).unsent = [];
    }
  } catch {
    return browser;
  }
  write(tab, KEY, name);
  const shelf = both(browser, tab, name);
  write(tab, 'roomful.identity', null);
  new Memory(shelf, tab).identify(identity);
  return shelf;
}

/** The tab's, and a copy for tabs to come if the browser's identity is this one. */
function both(browser: Shelf, tab: Shelf, name: string): Shelf {
  const kept = () => {
    if ((holder(browser) ?? name) !== name) return [tab];
    write(browser, KEY, name);
    return [tab, browser];
  };
  return {
    getItem: (key) => tab.getItem(key),
    setItem: (key, value) => kept().forEach((shelf) => shelf.setItem(key, value)),
    removeItem: (key) => kept().forEach((shelf) => shelf.removeItem(key)),
  };
}

/** The name that this tab holds; null where tabs share one identity, and nobody could tell them apart. */
export function tabName(
  self: Shelf,
  { browser, tab }: Pick<Parts, 'browser' | 'tab'>,
): string | null {
  return self === browser ? null : holder(tab);
}

function holder(shelf: Shelf): string | null {
  const found = read<unknown>(shelf, KEY);
  return typeof found === 'string' ? found : null;
}
