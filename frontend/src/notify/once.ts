import { read, write, type Shelf } from '../state/memory';

const KEY = 'roomful.notified';
const KEPT = 50;

/**
 * Of several tabs that saw the same message, one speaks of it. Together with a lock, where the
 * browser has them; without it two may, rarely.
 */
export async function claim(
  shelf: Shelf,
  locks: Pick<LockManager, 'request'> | undefined,
  name: string,
): Promise<boolean> {
  const take = () => {
    const found = read<string[]>(shelf, KEY);
    const claimed = Array.isArray(found) ? found : [];
    if (claimed.includes(name)) return false;
    write(shelf, KEY, [...claimed, name].slice(-KEPT));
    return true;
  };
  return locks ? await locks.request(KEY, async () => take()) : take();
}
