import type { Vault } from './keeper';

/**
 * Runs the act while nobody else holds the name, so that one at most runs it; does nothing when
 * somebody does.
 */
export type WhenFree = (name: string, act: () => Promise<void>) => Promise<void>;

interface Parts {
  indexedDB: IDBFactory;
  /** The name that this tab holds for as long as it lives. */
  owner: string;
  whenFree: WhenFree;
  now: () => number;
}

/** What one tab has not sent. */
interface Kept {
  owner: string;
  /** Under whose name. */
  clientId: number | null;
  at: number;
  entries: readonly unknown[];
}

const STORE = 'outbox';
/** Nobody came back for it. */
const FORGOTTEN_MS = 7 * 86_400_000;
/** More than anybody wants to find again, if many tabs came to the same end. */
const MOST = 500;

/**
 * The vault in IndexedDB: one record a tab. Own lines and not a library: a change of owner must be
 * one transaction, and a database that the browser closed must be opened again.
 */
export function indexedVault({ indexedDB, owner, whenFree, now }: Parts): Vault {
  let database: Promise<IDBDatabase> | null = null;

  const open = (): Promise<IDBDatabase> =>
    (database ??= new Promise<IDBDatabase>((resolve, reject) => {
      const request = indexedDB.open('roomful', 1);
      request.onupgradeneeded = () => request.result.createObjectStore(STORE, { keyPath: 'owner' });
      request.onsuccess = () => {
        const db = request.result;
        // Browsers close databases of pages that they freeze, and when storage is cleared.
        db.onclose = () => (database = null);
        db.onversionchange = () => {
          db.close();
          database = null;
        };
        resolve(db);
      };
      request.onerror = request.onblocked = () => reject(request.error);
    }).catch((error) => {
      database = null;
      throw error;
    }));

  /** One transaction. Over when it is written, so far as a crash of the browser is concerned. */
  const within = async <T>(
    mode: IDBTransactionMode,
    act: (store: IDBObjectStore, found: (value: T) => void) => void,
  ): Promise<T | undefined> => {
    const db = await open();
    return new Promise((resolve, reject) => {
      let result: T | undefined;
      const transaction = db.transaction(STORE, mode);
      transaction.oncomplete = () => resolve(result);
      transaction.onerror = transaction.onabort = () => reject(transaction.error);
      act(transaction.objectStore(STORE), (value) => (result = value));
    });
  };

  /** From one owner to another in one transaction: no crash loses it, and no two get it. */
  const take = (from: string, clientId: number) =>
    within<readonly unknown[]>('readwrite', (store, found) => {
      const theirs = store.get(from);
      theirs.onsuccess = () => {
        const entries = entriesOf(theirs.result);
        if (entries.length === 0) return;
        const ours = store.get(owner);
        ours.onsuccess = () => {
          const all = [...entries, ...entriesOf(ours.result)].slice(-MOST);
          store.put({ owner, clientId, at: now(), entries: all } satisfies Kept);
          store.delete(from);
          found(entries);
        };
      };
    });

  return {
    async load() {
      const found = await within<unknown>('readonly', (store, take) => {
        const request = store.get(owner);
        request.onsuccess = () => take(request.result);
      });
      return entriesOf(found);
    },

    async save(entries, clientId) {
      await within('readwrite', (store) => {
        if (entries.length === 0) store.delete(owner);
        else store.put({ owner, clientId, at: now(), entries } satisfies Kept);
      });
    },

    async adopt(clientId) {
      const records = await within<Kept[]>('readonly', (store, found) => {
        const request = store.getAll();
        request.onsuccess = () => found(request.result as Kept[]);
      });
      const adopted: unknown[] = [];
      for (const record of records ?? []) {
        if (record.owner === owner) continue;
        const isOld = !(now() - record.at < FORGOTTEN_MS);
        if (record.clientId !== clientId && !isOld) continue;
        await whenFree(record.owner, async () => {
          if (record.clientId === clientId) {
            adopted.push(...((await take(record.owner, clientId)) ?? []));
          } else await within('readwrite', (store) => void store.delete(record.owner));
        });
      }
      return adopted;
    },
  };
}

function entriesOf(record: unknown): readonly unknown[] {
  const entries = (record as Partial<Kept> | undefined)?.entries;
  return Array.isArray(entries) ? entries : [];
}
