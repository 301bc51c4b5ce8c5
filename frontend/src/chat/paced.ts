/**
 * Passes values on, the first at once and then at most one a frame, the newest: a busy room brings
 * more messages than a screen has frames, and each drawing lays the whole list out.
 */
export class Paced<T> {
  #busy = false;
  #next: { value: T } | null = null;

  constructor(
    private readonly pass: (value: T) => void,
    private readonly nextFrame: (act: () => void) => void,
  ) {}

  offer(value: T): void {
    this.#next = { value };
    if (!this.#busy) this.#flush();
  }

  #flush(): void {
    const next = this.#next;
    this.#next = null;
    this.#busy = next !== null;
    if (!next) return;
    this.pass(next.value);
    this.nextFrame(() => this.#flush());
  }
}
