/** The part of an element that scrolling needs. */
export type Scrolled = Pick<HTMLElement, 'scrollTop' | 'scrollHeight' | 'clientHeight'>;

/** Closer to the end than this counts as being there: a finger is not exact. */
const NEAR = 48;

/**
 * Keeps the reader's place while the list changes: at the end one stays at the end, elsewhere the
 * text under the eyes does not move. The browser's own anchoring is off, since it fails at the very
 * top, which is where older messages are loaded.
 */
export class ScrollKeeper {
  #following = true;
  #height = 0;
  #top = 0;

  get following(): boolean {
    return this.#following;
  }

  /** Near the top: time to load what is older. */
  static nearTop(element: Scrolled): boolean {
    return element.scrollTop < NEAR * 4;
  }

  /** The reader moved. */
  scrolled(element: Scrolled): void {
    this.#following = element.scrollHeight - element.scrollTop - element.clientHeight < NEAR;
    this.#top = element.scrollTop;
    this.#height = element.scrollHeight;
  }

  /** Before rows are added or taken away. */
  before(element: Scrolled): void {
    this.#height = element.scrollHeight;
    this.#top = element.scrollTop;
  }

  /** After it. `above` says that the change was above the reader, not below. */
  after(element: Scrolled, above: boolean): void {
    if (this.#following) this.toEnd(element);
    else if (above) element.scrollTop = this.#top + element.scrollHeight - this.#height;
  }

  toEnd(element: Scrolled): void {
    this.#following = true;
    element.scrollTop = element.scrollHeight;
  }
}
