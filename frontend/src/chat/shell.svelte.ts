import { getContext, onMount, setContext } from 'svelte';
import type { RecentRoom, RecentRooms } from '../state/recent_rooms';
import type { Settings, SettingsStore } from '../state/settings';
import type { Journey, Whereabouts } from './journey';

/** What is opened over the page. Each is loaded when it is first asked for. */
export type DialogName = 'palette' | 'help' | 'settings' | 'share' | 'rename' | 'connection';

export interface ShellParts {
  journey: Journey;
  settings: SettingsStore;
  recent: RecentRooms;
  /** Tells when another version of the page is there. */
  updates: { subscribe(run: (update: Update) => void): () => void; apply(): void };
}

/** `broken`: a part of this version is not to be had any more. */
export type Update = 'none' | 'ready' | 'broken';

/** What surrounds the conversation: where one is, what is open, how it looks. */
export class Shell {
  /** On narrow screens one of the sides lies over the conversation. */
  side = $state<'rooms' | 'people' | null>(null);
  dialog = $state<DialogName | null>(null);
  update = $state<Update>('none');
  where: Whereabouts = $state.raw({ asked: null, browsing: false, target: null, moved: null });
  settings: Settings = $state.raw()!;
  recent: readonly RecentRoom[] = $state.raw([]);

  constructor(readonly parts: ShellParts) {
    this.where = parts.journey.now;
    this.settings = parts.settings.now;
  }

  get journey(): Journey {
    return this.parts.journey;
  }

  watch(): () => void {
    const ends = [
      this.parts.journey.subscribe((where) => (this.where = where)),
      this.parts.settings.subscribe((settings) => (this.settings = settings)),
      this.parts.recent.subscribe((recent) => (this.recent = recent)),
      this.parts.updates.subscribe((update) => (this.update = update)),
    ];
    return () => ends.forEach((end) => end());
  }

  /** Shows one of the sides and gives it the focus, wherever it stands. */
  turnTo(side: 'rooms' | 'people'): void {
    const panel = document.querySelector<HTMLElement>(`[data-side="${side}"]`);
    if (panel && panel.offsetParent !== null) panel.focus();
    else this.side = side;
  }

  write(): void {
    document.querySelector<HTMLElement>('main textarea')?.focus();
  }
}

const KEY = Symbol('shell');

export function provideShell(parts: ShellParts): Shell {
  const shell = new Shell(parts);
  onMount(() => shell.watch());
  return setContext(KEY, shell);
}

export function useShell(): Shell {
  return getContext<Shell>(KEY);
}
