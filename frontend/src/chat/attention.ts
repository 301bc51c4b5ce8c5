import { systemClock } from '../net/clock';
import { startNotifier } from '../notify';
import type { Shelf } from '../state/memory';
import type { Settings } from '../state/settings';
import type { ChatStore } from '../state/store';
import { Announcer } from './announcer';
import { showBadge } from './badge';
import type { Reading } from './reading.svelte';
import { Marks, MARKS_KEY, Unread } from './unread';

export interface AttentionDeps {
  store: ChatStore;
  reading: Reading;
  /** All tabs of the browser share it. */
  shelf: Shelf;
  settings: () => Settings;
  speak: (text: string) => void;
}

/** What a person hears of what others say, what the tab shows of it, and what counts as read. */
export function attention({ store, reading, shelf, settings, speak }: AttentionDeps): {
  watch: () => void;
  end: () => void;
} {
  const marks = new Marks(shelf, systemClock.now);
  const unread = new Unread(marks);
  const announcer = new Announcer(systemClock, speak);
  const notify = startNotifier({
    clock: systemClock,
    shelf,
    settings,
    readUpTo: (room) => marks.get(room) ?? 0,
    jump: (seq) => void reading.jump(seq),
  });

  const show = () => {
    if (reading.unread !== unread.count) showBadge(unread.count);
    reading.unread = unread.count;
    reading.since = unread.since;
  };
  const watch = () => {
    const { room, me } = store.view.model;
    const looking = document.visibilityState === 'visible' && document.hasFocus();
    announcer.observe(room, me, !reading.atEnd);
    unread.observe(room, me?.clientId, looking && reading.atEnd);
    notify(room, me, looking);
    show();
  };
  const stored = ({ key }: StorageEvent) => {
    if (key !== MARKS_KEY && key !== null) return;
    const { room, me } = store.view.model;
    unread.reread(room, me?.clientId);
    show();
  };

  // It is wanted most when it cannot be loaded any more: with the connection, the way to its code is lost, too.
  void import('./trust_panel.svelte').catch(() => {});

  const unsubscribe = store.subscribe(watch);
  document.addEventListener('visibilitychange', watch);
  for (const name of ['focus', 'blur']) addEventListener(name, watch);
  addEventListener('storage', stored);
  return {
    watch,
    end: () => {
      unsubscribe();
      document.removeEventListener('visibilitychange', watch);
      for (const name of ['focus', 'blur']) removeEventListener(name, watch);
      removeEventListener('storage', stored);
    },
  };
}
