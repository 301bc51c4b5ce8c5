import { t } from '../i18n';
import type { Clock } from '../net/clock';
import type { Shelf } from '../state/memory';
import type { Member, Room } from '../state/model';
import type { Settings } from '../state/settings';
import { Notifier, type Note } from './notifier';
import { claim } from './once';
import { permissionIn, type Permission } from './permission';
import { blip } from './sound';

export type { Permission } from './permission';

/** May messages be shown outside the page? */
export const permission = (): Permission => permissionIn(globalThis);

/** What to say of it in the settings. */
export const permissionText = (state: Permission): string => t.reading.notify[state];

/** Asks the person, by the browser. Only to be called from what the person does. */
export async function ask(): Promise<Permission> {
  // Where it is not asked, the answer stands already.
  if (permission() === 'default') await Notification.requestPermission();
  return permission();
}

/** Shows and sounds what the person has chosen, for them to try. */
export function preview(settings: Settings): void {
  if (settings.sound) void blip();
  if (settings.notify === 'none') return;
  show({ tag: 'preview', title: 'Roomful', body: t.reading.notify.sample, seq: 0 });
}

/** Watches a room for somebody who does not look at it. Loaded when the page has been drawn. */
export function startNotifier(deps: {
  clock: Clock;
  shelf: Shelf;
  settings: () => Settings;
  readUpTo: (room: Room) => number;
  jump: (seq: number) => void;
}): (room: Room | null, me: Member | null, looking: boolean) => void {
  const notifier = new Notifier({
    clock: deps.clock,
    settings: deps.settings,
    readUpTo: deps.readUpTo,
    claim: (name) => claim(deps.shelf, navigator.locks, name),
    show: (note) => show(note, deps.jump),
    sound: () => void blip(),
  });
  navigator.serviceWorker?.addEventListener('message', ({ data }) => {
    const seq: unknown = (data as { jump?: unknown } | null)?.jump;
    if (typeof seq === 'number') deps.jump(seq);
  });
  return (...seen) => notifier.observe(...seen);
}

function show({ tag, title, body, seq }: Note, jump?: (seq: number) => void): void {
  if (permission() !== 'granted') return;
  const options = { tag, body, icon: '/favicon.svg' };
  try {
    const shown = new Notification(title, options);
    shown.onclick = () => {
      window.focus();
      shown.close();
      jump?.(seq);
    };
  } catch {
    // Chrome on Android shows them through the service worker only.
    void navigator.serviceWorker
      ?.getRegistration()
      .then((worker) => worker?.showNotification(title, { ...options, data: { seq } }));
  }
}
