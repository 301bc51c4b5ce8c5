import type { tools } from '../i18n/en/tools';

type Texts = (typeof tools)['shortcuts'];
type Label = Exclude<keyof Texts, 'title' | 'off' | 'or' | 'groups'>;

interface Shortcut {
  readonly id: Label;
  /** As `KeyboardEvent.key`, with `Mod+` for Ctrl or ⌘, and `Shift+`. Several do the same. */
  readonly keys: readonly string[];
  readonly where: keyof Texts['groups'];
}

/** Every key that the page knows. The help shows this table, and `shortcutOf` reads it. */
export const SHORTCUTS = [
  { id: 'palette', keys: ['Mod+k'], where: 'anywhere' },
  { id: 'settings', keys: ['Mod+,'], where: 'anywhere' },
  { id: 'escape', keys: ['Escape'], where: 'anywhere' },
  { id: 'help', keys: ['?'], where: 'outside' },
  { id: 'write', keys: ['c'], where: 'outside' },
  { id: 'rooms', keys: ['r'], where: 'outside' },
  { id: 'people', keys: ['p'], where: 'outside' },
  { id: 'send', keys: ['Enter'], where: 'writing' },
  { id: 'line', keys: ['Shift+Enter'], where: 'writing' },
  { id: 'editLast', keys: ['ArrowUp'], where: 'writing' },
] as const satisfies readonly Shortcut[];

export type ShortcutId = (typeof SHORTCUTS)[number]['id'];

type Press = Pick<KeyboardEvent, 'key' | 'ctrlKey' | 'metaKey' | 'altKey' | 'shiftKey'> & {
  /** An input method is composing a word. */
  isComposing?: boolean;
  repeat?: boolean;
};

/** What a key asks for there, or null. Keys of `writing` are for whoever has the field. */
export function shortcutOf(
  press: Press,
  where: Shortcut['where'] | 'everywhere',
  singleKeys = true,
): ShortcutId | null {
  if (press.isComposing || press.repeat || press.altKey) return null;
  const found = SHORTCUTS.find(
    (shortcut) =>
      (where === 'everywhere' ? shortcut.where !== 'writing' : shortcut.where === where) &&
      (singleKeys || shortcut.where !== 'outside') &&
      shortcut.keys.some((combo) => matches(press, combo)),
  );
  return found?.id ?? null;
}

function matches(press: Press, combo: string): boolean {
  const key = combo.split('+').at(-1)!;
  if (combo.startsWith('Mod+') !== (press.ctrlKey || press.metaKey)) return false;
  // What Shift makes of a key that is no letter, such as `?`, is the layout's affair.
  if (key.length > 1 && combo.startsWith('Shift+') !== press.shiftKey) return false;
  if (key.length === 1 && /[a-z,]/.test(key) && press.shiftKey) return false;
  return press.key.toLowerCase() === key.toLowerCase();
}

/** Whether keys that are pressed there are somebody's writing. */
export function isWriting(target: EventTarget | null): boolean {
  return (
    target instanceof Element &&
    target.closest('input, textarea, select, [contenteditable]:not([contenteditable="false"])') !==
      null
  );
}

/** `Ctrl K`, or `⌘ K` on a Mac. */
export function shownKeys(combo: string, mac: boolean): string[] {
  const names: Record<string, string> = {
    Mod: mac ? '⌘' : 'Ctrl',
    Shift: mac ? '⇧' : 'Shift',
    ArrowUp: '↑',
    Escape: 'Esc',
  };
  return combo.split('+').map((key) => names[key] ?? (key.length === 1 ? key.toUpperCase() : key));
}
