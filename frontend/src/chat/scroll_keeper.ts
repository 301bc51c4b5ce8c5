/** The part of an element that scrolling needs. */
export type Scrolled = Pick<HTMLElement, 'scrollTop' | 'scrollHeight' | 'clientHeight'>;

/** The rows on the page, from the top; distances are from the top of what is seen. */
export interface Drawn {
  readonly length: number;
  /** Null for a row that may go or stand elsewhere, like the name of a day. */
  key(at: number): string | null;
  top(at: number): number;
  bottom(at: number): number;
}

/** Closer to the end than this counts as being there: a finger is not exact. */
const NEAR = 48;

/**
 * Keeps the reader's place while the list changes: at the end one stays at the end, elsewhere the
 * row under the eyes does not move, whatever comes, goes or changes its height around it. The
 * browser's own anchoring is off: not all have it, and it fails at the very top, which is where
 * older messages are loaded.
 */
export class ScrollKeeper {
  #following = true;
  #top = 0;
  #place: { key: string; top: number } | null = null;

  get following(): boolean {
    return this.#following;
  }

  /** The reader moved. `open`: below what is on the page there is more. */
  scrolled(box: Scrolled, rows: Drawn, open = false): void {
    const near = box.scrollHeight - box.scrollTop - box.clientHeight < NEAR;
    // What grows at the end makes it farther; only who moves up leaves it.
    const stayed = this.#following && box.scrollTop >= this.#top;
    this.#following = !open && (near || stayed);
    this.#top = box.scrollTop;
    this.note(rows);
  }

  /** The row at the top of what is seen is the one that stays. */
  note(rows: Drawn): void {
    for (let at = firstSeen(rows); at < rows.length; at += 1) {
      const key = rows.key(at);
      if (key === null) continue;
      this.#place = { key, top: rows.top(at) };
      return;
    }
    this.#place = null;
  }

  /** After rows, their heights or the window changed. */
  settle(box: Scrolled, rows: Drawn): void {
    if (this.#following) return this.toEnd(box);
    const place = this.#place;
    if (!place) return;
    for (let at = 0; at < rows.length; at += 1) {
      if (rows.key(at) !== place.key) continue;
      const moved = rows.top(at) - place.top;
      // Less cannot be seen, and to set it would end the swing of a finger.
      if (Math.abs(moved) >= 1) box.scrollTop += moved;
      this.#top = box.scrollTop;
      return;
    }
  }

  toEnd(box: Scrolled): void {
    this.#following = true;
    box.scrollTop = box.scrollHeight;
    this.#top = box.scrollTop;
  }

  /** On the way to a place in the middle. */
  release(): void {
    this.#following = false;
    this.#place = null;
  }
}

/** The first row of which something is seen. */
export function firstSeen(rows: Drawn): number {
  let low = 0;
  let high = rows.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (rows.bottom(middle) > 0) high = middle;
    else low = middle + 1;
  }
  return low;
}
