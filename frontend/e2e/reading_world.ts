import type { Locator, Page } from '@playwright/test';
import type { FakeServer } from '../src/net/fake_server';
import type { Person } from './person';

type Room = FakeServer['rooms'] extends Map<number, infer R> ? R : never;
export const ADA = { clientId: 99_999, username: 'Ada' };
export const CY = { clientId: 99_998, username: 'Cy' };

/** What others say in a room of the fake server. */
export class Talk {
  readonly room: Room;
  constructor(private readonly fake: FakeServer) {
    this.room = [...fake.rooms.values()].at(-1)!;
  }

  /** Said while nobody of us was there. */
  wrote(count: number, { sender = ADA, at = Date.now(), text = 'message' } = {}): void {
    const { roomId } = this.room;
    for (let n = 0; n < count; n += 1) {
      const seq = (this.room.seq += 1);
      const body = `${text} ${seq}`;
      this.room.log.push({ roomId, seq, id: `${seq}`, sender, body, sentAt: at });
    }
  }

  /** Said to all who are there. */
  says(body: string, sender = ADA): void {
    const { roomId } = this.room;
    const seq = (this.room.seq += 1);
    const message = { roomId, seq, id: `${seq}`, sender, body, sentAt: Date.now() };
    this.room.log.push(message);
    this.fake.push({ type: 'NEW_MESSAGE', ...message });
  }

  types(username: string, clientId: number, typing = true): void {
    this.fake.push({ type: 'TYPING', roomId: this.room.roomId, clientId, username, typing });
  }
}

export const list = (page: Page): Locator => page.getByRole('log', { name: 'Messages' });

/** The window of the browser is another one's now, or ours again. */
export async function focus(page: Page, has: boolean): Promise<void> {
  await page.evaluate((has) => {
    document.hasFocus = () => has;
    dispatchEvent(new Event(has ? 'focus' : 'blur'));
  }, has);
}

/** Where a message is on the screen, from the top of the list. */
export async function placeOf(somebody: Person, text: string): Promise<number> {
  const box = (await list(somebody.page).boundingBox())!;
  // The bubble itself: what is in it has its own place.
  const bubble = somebody.bodies.filter({ hasText: new RegExp(`^\\s*${text}\\s*$`) });
  return (await bubble.boundingBox())!.y - box.y;
}

/** Scrolls and waits until the page has drawn what follows from it. */
export async function scroll(page: Page, to: number | 'end'): Promise<void> {
  await list(page).evaluate(async (box, to) => {
    box.scrollTop = to === 'end' ? box.scrollHeight : to;
    for (let frame = 0; frame < 3; frame += 1) await new Promise(requestAnimationFrame);
  }, to);
}

interface Heard {
  shown: { title: string; body: string }[];
  sounds: number;
}

/** From the next load on: what the page shows outside of itself, and how often it makes a sound. */
export async function recordNotes(page: Page): Promise<() => Promise<Heard>> {
  await page.addInitScript(() => {
    const notes: object[] = [];
    const heard = { notes, sounds: 0 };
    class Recorded {
      static permission = 'granted';
      static requestPermission = async () => Recorded.permission;
      onclick: (() => void) | null = null;
      constructor(
        readonly title: string,
        readonly options: { body: string },
      ) {
        notes.push(this);
      }
      close(): void {}
    }
    class Silent {
      constructor() {
        (window as never as typeof heard).sounds += 1;
        throw new Error('no sound device');
      }
    }
    Object.assign(window, heard, { Notification: Recorded, AudioContext: Silent });
  });
  return () =>
    page.evaluate(() => {
      const { notes, sounds } = window as never as {
        notes: { title: string; options: { body: string } }[];
        sounds: number;
      };
      return { shown: notes.map(({ title, options }) => ({ title, body: options.body })), sounds };
    });
}
