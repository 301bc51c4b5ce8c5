import { covered, dress, paintBrowser } from './chat/appearance';
import { Journey } from './chat/journey';
import type { ShellParts } from './chat/shell.svelte';
import { chooseLanguage } from './i18n';
import { KEY as RECENT_KEY, RecentRooms } from './state/recent_rooms';
import { KEY as SETTINGS_KEY, SettingsStore } from './state/settings';
import type { Shelf } from './state/memory';
import type { ChatStore } from './state/store';
import { keepShell, Updates } from './updates';

/** Composes what surrounds the conversation, with what browsers have for it. */
export async function shellParts(browser: Shelf): Promise<(store: ChatStore) => ShellParts> {
  const root = document.documentElement;
  const settings = new SettingsStore(browser);
  const recent = new RecentRooms(browser);
  const language = new URLSearchParams(location.search).get('lang');
  await chooseLanguage([language, settings.now.locale, ...navigator.languages], root);

  const contrast = matchMedia('(prefers-contrast: more)');
  const dressed = () => {
    dress(root, settings.now, contrast.matches);
    paintBrowser(document);
  };
  settings.subscribe(dressed);
  contrast.addEventListener('change', dressed);
  matchMedia('(prefers-color-scheme: dark)').addEventListener('change', dressed);

  addEventListener('storage', ({ key }) => {
    if (key === SETTINGS_KEY || key === null) settings.reread();
    if (key === RECENT_KEY || key === null) recent.reread();
  });
  const { visualViewport } = window;
  visualViewport?.addEventListener('resize', () => {
    root.style.setProperty('--keyboard', `${covered(innerHeight, visualViewport)}px`);
  });

  const updates = new Updates();
  keepShell(updates);
  return (store) => ({
    settings,
    recent,
    updates,
    journey: new Journey({
      store,
      recent,
      history: {
        push: (path) => history.pushState(null, '', path),
        replace: (path) => history.replaceState(null, '', path),
      },
      start: location,
    }),
  });
}
