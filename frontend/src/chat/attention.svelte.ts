import { onMount } from 'svelte';
import { systemClock } from '../net/clock';
import type { startNotifier } from '../notify';
import type { Shelf } from '../state/memory';
import { DEFAULTS, type Settings } from '../state/settings';
import type { ChatStore } from '../state/store';
import { Announcer } from './announcer';
import { showBadge } from './badge';
import { provideReading, Reading } from './reading.svelte';
import { Marks, MARKS_KEY, Unread } from './unread';

/** What a person hears, and what the tab shows, of what others say. */
export function attend({
  store,
  shelf,
  settings = () => DEFAULTS,
}: {
  store: ChatStore;
  /** All tabs of the browser share it. */
  shelf: Shelf;
  settings?: (() => Settings) | undefined;
}): { readonly reading: Reading; readonly spoken: string } {
  let spoken = $state('');
  const reading = provideReading(new Reading());
  const marks = new Marks(shelf, systemClock.now);
  const unread = new Unread(marks);
  const announcer = new Announcer(systemClock, (text) => (spoken = text));
  let notify: ReturnType<typeof startNotifier> | undefined;

  const show = () => {
    reading.unread = unread.count;
    reading.since = unread.since;
  };
  const watch = () => {
    const { room, me } = store.view.model;
    const looking = document.visibilityState === 'visible' && document.hasFocus();
    announcer.observe(room, me, !reading.atEnd);
    unread.observe(room, me?.clientId, looking && reading.atEnd);
    notify?.(room, me, looking);
    show();
  };

  onMount(() => {
    const stored = ({ key }: StorageEvent) => {
      if (key !== MARKS_KEY && key !== null) return;
      const { room, me } = store.view.model;
      unread.reread(room, me?.clientId);
      show();
    };
    const ends = [store.subscribe(watch)];
    const on = (target: EventTarget, name: string, act: (event: never) => void) => {
      target.addEventListener(name, act as EventListener);
      ends.push(() => target.removeEventListener(name, act as EventListener));
    };
    on(document, 'visibilitychange', watch);
    on(window, 'focus', watch);
    on(window, 'blur', watch);
    on(window, 'storage', stored);
    // Nobody waits for it.
    void import('../notify').then(
      ({ startNotifier }) => {
        notify = startNotifier({
          clock: systemClock,
          shelf,
          settings,
          readUpTo: (room) => marks.get(room) ?? 0,
          jump: (seq) => void reading.jump(seq),
        });
        watch();
      },
      () => {},
    );
    return () => ends.forEach((end) => end());
  });

  // At the end again: what came meanwhile is read.
  $effect(() => {
    if (reading.atEnd) watch();
  });
  $effect(() => showBadge(reading.unread));

  return {
    reading,
    get spoken() {
      return spoken;
    },
  };
}
