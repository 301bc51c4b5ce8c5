import { inline, plainText } from './inline';
import type { Block, Surroundings } from './tree';

/** Quotes and lists that are deeper are text. */
const MAX_DEPTH = 4;

const FENCE = /^ {0,3}(`{3,}|~{3,})[ \t]*([\w+#.-]{0,20})[ \t]*$/;
const QUOTE = /^ {0,3}> ?/;
/** A line of nothing but marks is none. */
const ITEM = /^( *)([-*+]|\d{1,9}[.)])( +)(?=\S)(?![-*+ ]*$)/;

/** What a message says. Pure, and in time that grows with its length and no faster. */
export function parse(body: string, around: Surroundings): Block[] {
  return blocks(body.split('\n'), around, 0);
}

function blocks(lines: readonly string[], around: Surroundings, depth: number): Block[] {
  const list: Block[] = [];
  let text: string[] = [];
  const flush = () => {
    const joined = text.join('\n').replace(/^\n+/, '').trimEnd();
    text = [];
    if (joined === '') return;
    // Emphasis does not reach over an empty line.
    const of = joined.split(/(\n[ \t]*\n)/).flatMap((part) => inline(part, around));
    list.push({ kind: 'text', of });
  };

  for (let at = 0; at < lines.length;) {
    const line = lines[at]!;
    const fence = FENCE.exec(line);
    const item = ITEM.exec(line);
    if (fence) {
      flush();
      const end = fenceEnd(lines, at + 1, fence[1]!);
      list.push({ kind: 'code', lang: fence[2]!, text: lines.slice(at + 1, end).join('\n') });
      at = end + 1;
    } else if (depth < MAX_DEPTH && QUOTE.test(line)) {
      flush();
      const from = at;
      while (at < lines.length && QUOTE.test(lines[at]!)) at += 1;
      const inside = lines.slice(from, at).map((quoted) => quoted.replace(QUOTE, ''));
      list.push({ kind: 'quote', of: blocks(inside, around, depth + 1) });
    } else if (depth < MAX_DEPTH && item && (text.length === 0 || interrupts(item[2]!))) {
      flush();
      const ordered = /\d/.test(item[2]!);
      const items: Block[][] = [];
      while (at < lines.length) {
        const next = ITEM.exec(lines[at]!);
        if (!next || next[2]!.at(-1) !== item[2]!.at(-1)) break;
        const from = at++;
        while (at < lines.length && indent(lines[at]!) >= indent(lines[from]!) + 2) at += 1;
        const inside = lines.slice(from, at);
        inside[0] = inside[0]!.slice(next[0].length);
        const width = Math.min(next[0].length, ...inside.slice(1).map(indent));
        for (let n = 1; n < inside.length; n++) inside[n] = inside[n]!.slice(width);
        items.push(blocks(inside, around, depth + 1));
      }
      list.push({ kind: 'list', ...(ordered ? { start: parseInt(item[2]!, 10) } : {}), items });
    } else {
      text.push(line);
      at += 1;
    }
  }
  flush();
  return list;
}

/** The line that closes a code block, or the end: what is being typed is code already. */
function fenceEnd(lines: readonly string[], from: number, mark: string): number {
  let end = from;
  for (; end < lines.length; end++) {
    const line = lines[end]!.trim();
    if (line.startsWith(mark) && /^(?:`+|~+)$/.test(line)) break;
  }
  return end;
}

/** A line of a sentence that begins with a year is no list. */
const interrupts = (marker: string) => !/\d/.test(marker) || parseInt(marker, 10) === 1;

function indent(line: string): number {
  return /\S/.test(line) ? line.length - line.trimStart().length : -1;
}

/** One line of what a message says, without its marks: for a quotation or an announcement. */
export function firstLine(body: string, around: Surroundings): string {
  const first = (list: readonly Block[]): string => {
    for (const block of list) {
      const text =
        block.kind === 'text'
          ? plainText(block.of)
          : block.kind === 'code'
            ? block.text
            : first(block.kind === 'quote' ? block.of : block.items.flat());
      const line = text.trim().split('\n')[0]!;
      if (line !== '') return line;
    }
    return '';
  };
  return first(parse(body.slice(0, 400), around));
}

const EMOJI =
  /(?:\p{RI}{2}|[#*\d]\uFE0F?\u20E3|\p{ExtPict}(?:\uFE0F|\p{EMod})?[\u{E0020}-\u{E007F}]*(?:\u200D\p{ExtPict}(?:\uFE0F|\p{EMod})?)*)/u;
const ONLY_EMOJI = new RegExp(`^(?:${EMOJI.source}\\s*){1,12}$`, 'u');

/** A few emoji and nothing else are drawn large. */
export function isOnlyEmoji(body: string): boolean {
  return body.length <= 200 && ONLY_EMOJI.test(body);
}
