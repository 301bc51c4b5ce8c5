import { shelf } from '../browser';
import { read, write } from '../state/memory';

const KEY = 'roomful.emoji';
const KEPT = 24;
const USUAL = ['👍', '❤️', '😂', '🎉', '😮', '🙏'];

/** What this browser's person used last, and what is usual where that is too few. */
export function recent(count: number): string[] {
  const found = read<unknown>(
    shelf(() => localStorage),
    KEY,
  );
  const used = Array.isArray(found) ? found.filter((one) => typeof one === 'string') : [];
  return [...new Set([...used, ...USUAL])].slice(0, count);
}

export function remember(emoji: string): void {
  const kept = [emoji, ...recent(KEPT).filter((one) => one !== emoji)].slice(0, KEPT);
  write(
    shelf(() => localStorage),
    KEY,
    kept,
  );
}
