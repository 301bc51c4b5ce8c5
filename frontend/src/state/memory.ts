import type { Outgoing } from './outbox';

/** The part of Storage that is used. */
export type Shelf = Pick<Storage, 'getItem' | 'setItem' | 'removeItem'>;

/** Where this tab was. */
export interface Place {
  roomId: number;
  name: string;
}

interface Identity {
  session?: string;
  /** Only a name that the person chose; a guest's is the server's to give. */
  username?: string;
  /** The person has been through the welcome, with or without choosing. */
  welcomed?: boolean;
}

/**
 * What outlives a reload: who we are, which other tabs may start with (`tab_identity.ts`), and where
 * we are, which is this tab's. Storage can be full, forbidden or filled by something else; then the
 * page simply starts afresh.
 */
export class Memory {
  constructor(
    private readonly self: Shelf,
    private readonly tab: Shelf,
  ) {}

  get identity(): Identity {
    const found = read<Identity>(this.self, 'roomful.identity') ?? {};
    return {
      ...(typeof found.session === 'string' ? { session: found.session } : {}),
      ...(typeof found.username === 'string' ? { username: found.username } : {}),
      ...(found.welcomed === true ? { welcomed: true } : {}),
    };
  }

  identify(change: { [K in keyof Identity]?: Identity[K] | undefined }): void {
    write(this.self, 'roomful.identity', { ...this.identity, ...change });
  }

  get place(): Place | null {
    const found = read<Place>(this.tab, 'roomful.place');
    return typeof found?.roomId === 'number'
      ? { roomId: found.roomId, name: `${found.name}` }
      : null;
  }

  set place(place: Place | null) {
    write(this.tab, 'roomful.place', place);
  }

  /** Messages without an ACK and those that failed, so that a reload does not lose them. */
  get unsent(): Outgoing[] {
    const found = read<Outgoing[]>(this.tab, 'roomful.unsent');
    return Array.isArray(found) ? found.filter((entry) => typeof entry?.id === 'string') : [];
  }

  set unsent(entries: readonly Outgoing[]) {
    this.keepUnsent(entries);
  }

  /** False when they cannot be kept. */
  keepUnsent(entries: readonly Outgoing[]): boolean {
    return write(this.tab, 'roomful.unsent', entries.length > 0 ? entries : null);
  }

  draft(roomId: number): string {
    const found = read<unknown>(this.tab, `roomful.draft.${roomId}`);
    return typeof found === 'string' ? found : '';
  }

  saveDraft(roomId: number, text: string): void {
    write(this.tab, `roomful.draft.${roomId}`, text || null);
  }
}

export function read<T>(shelf: Shelf, key: string): T | null {
  try {
    return JSON.parse(shelf.getItem(key) ?? 'null') as T | null;
  } catch {
    return null;
  }
}

/** False when it could not be. */
export function write(shelf: Shelf, key: string, value: unknown): boolean {
  try {
    if (value === null) shelf.removeItem(key);
    else shelf.setItem(key, JSON.stringify(value));
    return true;
  } catch {
    // Full or forbidden: the page works, it only does not remember.
    return false;
  }
}
