/** A field with more than so many messages in it is slow, and nobody reads them. */
export const MOST_MESSAGES = 20;

/** What is taken of a text of any length. Not half of a character. */
export function cut(text: string, most: number): { text: string; cut: boolean } {
  if (text.length <= most) return { text, cut: false };
  return {
    text: text
      .slice(0, most)
      .toWellFormed()
      .replace(/\uFFFD$/, ''),
    cut: true,
  };
}

/**
 * Parts that each fit into a message: between lines where there is one in the second half, else between words, else
 * wherever it must be.
 */
export function split(text: string, limit: number): string[] {
  const parts: string[] = [];
  let left = [...text.trim()];
  while (left.length > limit) {
    // One more: a break right after the part is as good.
    const head = left.slice(0, limit + 1).join('');
    const half = left.slice(0, limit >> 1).join('').length;
    const line = head.lastIndexOf('\n');
    const space = Math.max(line, head.lastIndexOf(' '));
    const end = line > half ? line : space > half ? space : left.slice(0, limit).join('').length;
    const part = head.slice(0, end);
    parts.push(part.trim());
    left = [
      ...left
        .slice([...part].length)
        .join('')
        .trimStart(),
    ];
  }
  parts.push(left.join(''));
  return parts.filter((part) => part !== '');
}
