import { tools } from '../i18n/tools';
import type { Postponed, View } from '../state/store';
import { rank } from './fuzzy';
import type { Shell } from './shell.svelte';
import { SHORTCUTS, type ShortcutId } from './shortcuts';
import { cleanName } from '../state/text';

export interface Command {
  id: string;
  title: string;
  /** At the end of its line. */
  detail?: string;
  /** The shortcut that does the same. */
  keys?: string;
  act: () => void;
  /** In place of `act`: asks the server, and may fail. */
  travel?: (postponed: Postponed) => Promise<void>;
}

interface About {
  view: View;
  shell: Pick<Shell, 'journey' | 'settings' | 'recent' | 'parts' | 'turnTo' | 'write' | 'dialog'>;
  typed: string;
  /** What else the store does. */
  store: { leaveRoom(postponed: Postponed): Promise<void>; connect(): void };
}

/** More than that nobody reads; one more letter brings up what is meant. */
const SHOWN = 40;

/** What can be done now, the best fit for what was typed first. */
export function commands(about: About): Command[] {
  const { view, shell, typed } = about;
  const number = /^#?(\d{5,9})$/.exec(typed.trim())?.[1];
  const name = cleanName(typed);
  const ready = view.status.phase === 'ready';
  const limit = view.model.me?.limits.roomNameChars ?? 16;

  const exact: Command[] = [];
  if (number !== undefined && Number(number) !== view.model.room?.roomId) {
    exact.push({
      id: 'number',
      title: tools.palette.joinNumber(number),
      act: () => shell.journey.open({ roomId: Number(number), seq: null }),
    });
  }
  const create: Command[] = [];
  if (ready && name !== '' && number === undefined && [...name].length <= limit) {
    create.push({
      id: 'create-named',
      title: tools.palette.createNamed(name),
      act: () => {},
      travel: (postponed) => shell.journey.create(name, postponed),
    });
  }
  const fitting = rank(typed, [...rooms(about), ...deeds(about)], ({ title, detail }) =>
    detail === undefined ? title : `${title} ${detail}`,
  );
  return [...exact, ...fitting.slice(0, SHOWN), ...create];
}

function rooms({ view, shell }: About): Command[] {
  const { list, room } = view.model;
  const known = new Map<number, string>();
  const complete = list.loaded && list.cursor === null;
  const listed = new Set(list.rooms.map(({ roomId }) => roomId));
  for (const used of shell.recent) {
    if (!complete || listed.has(used.roomId)) known.set(used.roomId, used.name);
  }
  for (const { roomId, name } of list.rooms) known.set(roomId, name);
  if (room) known.delete(room.roomId);
  return [...known].map(([roomId, name]) => ({
    id: `room-${roomId}`,
    title: tools.palette.goTo(name),
    detail: `#${roomId}`,
    act: () => shell.journey.open({ roomId, seq: null }),
    ...(listed.has(roomId) && view.status.phase === 'ready'
      ? { travel: (postponed: Postponed) => shell.journey.join(roomId, postponed) }
      : {}),
  }));
}

function deeds({ view, shell, store }: About): Command[] {
  const words = tools.palette;
  const { room } = view.model;
  const { theme, contrast } = shell.settings;
  const settings = shell.parts.settings;
  const all: (Command | false | null)[] = [
    room && { id: 'write', title: words.write, keys: keysOf('write'), act: () => shell.write() },
    room && {
      id: 'share',
      title: words.share,
      act: () => (shell.dialog = 'share'),
    },
    room && {
      id: 'rooms',
      title: words.rooms,
      keys: keysOf('rooms'),
      act: () => shell.turnTo('rooms'),
    },
    room && {
      id: 'people',
      title: words.people,
      keys: keysOf('people'),
      act: () => shell.turnTo('people'),
    },
    !room && {
      id: 'create',
      title: words.create,
      act: () => document.querySelector<HTMLElement>('main .forms input')?.focus(),
    },
    { id: 'rename', title: words.rename, act: () => (shell.dialog = 'rename') },
    { id: 'connection', title: words.connection, act: () => (shell.dialog = 'connection') },
    {
      id: 'settings',
      title: words.settings,
      keys: keysOf('settings'),
      act: () => (shell.dialog = 'settings'),
    },
    theme !== 'light' && {
      id: 'light',
      title: words.light,
      act: () => settings.change({ theme: 'light' }),
    },
    theme !== 'dark' && {
      id: 'dark',
      title: words.dark,
      act: () => settings.change({ theme: 'dark' }),
    },
    theme !== 'system' && {
      id: 'system',
      title: words.system,
      act: () => settings.change({ theme: 'system' }),
    },
    contrast === 'system'
      ? {
          id: 'contrast',
          title: words.contrastMore,
          act: () => settings.change({ contrast: 'more' }),
        }
      : {
          id: 'contrast',
          title: words.contrastSystem,
          act: () => settings.change({ contrast: 'system' }),
        },
    { id: 'help', title: words.help, keys: keysOf('help'), act: () => (shell.dialog = 'help') },
    view.status.phase === 'waiting' &&
      !view.status.firm && {
        id: 'reconnect',
        title: words.reconnect,
        act: () => store.connect(),
      },
    room?.live === true && {
      id: 'leave',
      title: words.leave,
      act: () => {},
      travel: (postponed) => store.leaveRoom(postponed),
    },
  ];
  return all.filter((command) => typeof command === 'object' && command !== null);
}

function keysOf(id: ShortcutId): string {
  return SHORTCUTS.find((shortcut) => shortcut.id === id)!.keys[0];
}
