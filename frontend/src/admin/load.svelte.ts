import { ApiError, notUnderstood } from './api';
import { collect, unique, type PageRead } from './collect';

const PAGE = 50;
/** The most that the server gives at once. */
const PAGE_MAX = 500;

/** Something read from the server, as a view shows it. Who asks last wins. */
export class Load<T> {
  data = $state.raw<T | null>(null);
  error = $state.raw<ApiError | null>(null);
  busy = $state(false);
  #abort = new AbortController();

  async load(read: (signal: AbortSignal) => Promise<T>): Promise<T | null> {
    this.#abort.abort();
    const abort = new AbortController();
    this.#abort = abort;
    this.busy = true;
    try {
      const data = await read(abort.signal);
      if (abort.signal.aborted) return null;
      this.data = data;
      this.error = null;
      return data;
    } catch (error) {
      const known = error instanceof ApiError;
      // What is on the screen stays there, with the error beside it.
      if (!abort.signal.aborted) this.error = known ? error : notUnderstood();
      if (!known) reportError(error);
      return null;
    } finally {
      if (this.#abort === abort) this.busy = false;
    }
  }

  cancel(): void {
    this.#abort.abort();
    this.busy = false;
  }
}

export type ReadPage<Row> = (
  page: { cursor: string | null; limit: number },
  signal: AbortSignal,
) => Promise<PageRead<Row>>;

interface Listed<Row> {
  rows: readonly Row[];
  cursor: string | null;
  total: number | null;
}

/** A list that is read page by page. */
export class Listing<Row> {
  readonly #load = new Load<Listed<Row>>();
  #stale = $state(false);

  constructor(
    private readonly read: ReadPage<Row>,
    private readonly key: (row: Row) => string | number,
  ) {}

  get rows(): readonly Row[] {
    return this.#load.data?.rows ?? [];
  }

  /** The rows are of another search; those of this one are on their way, or could not be had. */
  get stale(): boolean {
    return this.#stale;
  }

  /** Something has been read, though it may be nothing. */
  get loaded(): boolean {
    return this.#load.data !== null;
  }

  get total(): number | null {
    return this.#load.data?.total ?? null;
  }

  get more(): boolean {
    return !this.#stale && (this.#load.data?.cursor ?? null) !== null;
  }

  get busy(): boolean {
    return this.#load.busy;
  }

  get error(): ApiError | null {
    return this.#load.error;
  }

  /** From the start, as for another search. */
  async restart(): Promise<void> {
    this.#stale = true;
    await this.#from(null, [], PAGE);
  }

  /** As many rows as there are, anew. */
  async refresh(): Promise<void> {
    if (!this.busy) await this.#from(null, [], Math.max(PAGE, this.rows.length));
  }

  /** It is gone: nobody need wait for the next reading to see that. */
  remove(key: string | number): void {
    this.cancel();
    const data = this.#load.data;
    if (data) {
      const rows = data.rows.filter((row) => this.key(row) !== key);
      this.#load.data = { ...data, rows };
    }
    void this.refresh();
  }

  async next(): Promise<void> {
    const { cursor = null, rows = [] } = this.#load.data ?? {};
    if (!this.busy && this.more) await this.#from(cursor, rows, PAGE);
  }

  cancel(): void {
    this.#load.cancel();
  }

  async #from(cursor: string | null, before: readonly Row[], want: number): Promise<void> {
    const limit = Math.min(PAGE_MAX, want);
    await this.#load.load(async (signal) => {
      const page = await collect((at) => this.read({ cursor: at, limit }, signal), cursor, want);
      if (!signal.aborted) this.#stale = false;
      return {
        rows: unique([...before, ...page.rows], this.key),
        cursor: page.cursor,
        total: page.total ?? null,
      };
    });
  }
}
