import { Arrivals } from '../chat/arrivals';
import { t } from '../i18n';
import type { Cancel, Clock } from '../net/clock';
import type { Member, Message, Room } from '../state/model';
import type { Settings } from '../state/settings';
import { mentions } from './mentions';
import { isQuiet } from './quiet';

/** A burst is one notification. Also the time in which another tab may have read it. */
const BATCH_MS = 400;
const BODY_CHARS = 160;

export interface Note {
  /** The browser shows one of each. */
  tag: string;
  title: string;
  body: string;
  /** The message that a click goes to. */
  seq: number;
}

export interface NotifierDeps {
  clock: Clock;
  settings: () => Settings;
  /** Up to where another tab, or this one, has read by now. */
  readUpTo: (room: Room) => number;
  /** Whether this tab is the one that speaks of it. */
  claim: (name: string) => Promise<boolean>;
  show: (note: Note) => void;
  sound: () => void;
}

/** Decides of what a person is told who does not look at the page. */
export class Notifier {
  readonly #arrivals = new Arrivals();
  #waiting: Message[] = [];
  #cancel: Cancel = () => {};

  constructor(private readonly deps: NotifierDeps) {}

  observe(room: Room | null, me: Member | null, looking: boolean): void {
    const fresh = this.#arrivals.look(room, me?.clientId);
    if (fresh === null || looking) {
      this.#cancel();
      this.#waiting = [];
    }
    if (!fresh || !room || !me || looking) return;
    const { settings, clock } = this.deps;
    const { notify, quiet } = settings();
    if (notify === 'none' || isQuiet(quiet, new Date(clock.now()))) return;
    const wanted =
      notify === 'all' ? fresh : fresh.filter(({ body }) => mentions(body, me.username));
    if (wanted.length === 0) return;
    this.#waiting.push(...wanted);
    this.#cancel();
    this.#cancel = clock.after(BATCH_MS, () => void this.#tell(room));
  }

  async #tell(room: Room): Promise<void> {
    const read = this.deps.readUpTo(room);
    const messages = this.#waiting.filter(({ seq }) => seq > read);
    this.#waiting = [];
    const last = messages.at(-1);
    if (!last) return;
    const name = `${room.roomId} ${room.epoch} ${last.seq}`;
    if (!(await this.deps.claim(name))) return;
    if (this.deps.settings().sound) this.deps.sound();
    this.deps.show({ ...note(room, messages), tag: `room ${room.roomId}`, seq: messages[0]!.seq });
  }
}

function note(room: Room, messages: readonly Message[]): Pick<Note, 'title' | 'body'> {
  const { sender, body } = messages.at(-1)!;
  const { notify, said } = t.reading;
  const text = [...body.slice(0, 3 * BODY_CHARS)].slice(0, BODY_CHARS).join('');
  if (messages.length === 1) return { title: notify.title(sender.username, room.name), body: text };
  return { title: notify.several(messages.length, room.name), body: said(sender.username, text) };
}
