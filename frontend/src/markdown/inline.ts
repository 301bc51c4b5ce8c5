import { saysWhere, shownAddress, target } from './link';
import type { Inline, Surroundings } from './tree';

/** What was opened and may be closed: a run of `*`, `_` or `~`, or a bracket. */
interface Frame {
  mark: string;
  /** How many of the run are left, and how many there were. */
  left: number;
  ran: number;
  /** The run could have closed something, too. */
  closes: boolean;
  of: Inline[];
}

/** More that are open at once are text: it bounds the depth of the tree, and the time. */
const MAX_OPEN = 16;
const LONGEST_NAME = 32;
/** Each `@` is looked up with every length that a name may have: in one piece of text, so many are. */
const MAX_MENTIONS = 100;

const SPACE = /^\s?$/;
const PUNCTUATION = /[\p{P}\p{S}]/u;
const WORD = /[\p{L}\p{N}_]/u;
const ALNUM = /[0-9A-Za-z]/;
/** Up to what is worth a look. */
const PLAIN = /[^\\`*_~[\]<@#/hHmM]+/y;
const ADDRESS = /(?:https?:\/\/|mailto:)[^\s<>"`[\]]+/iy;
const ANGLED = /<((?:https?:\/\/|mailto:)[^\s<>]+)>/iy;
const ROOM = /#([1-9]\d{4})(?![\p{L}\p{N}_])/uy;
const ROOM_PATH = /\/r\/([1-9]\d{4})(?:#(\d{1,15}))?(?![\p{L}\p{N}_/])/uy;

/**
 * The inline part of CommonMark that people use in a chat. Each character is looked at a bounded number of times.
 * It is our own because of its size: `marked` or `micromark` would take more than the page may weigh in all, make
 * strings of HTML, and do much that a chat has no use for.
 */
export function inline(text: string, around: Surroundings): Inline[] {
  return new Parser(text, around).parse();
}

class Parser {
  #at = 0;
  #mentions = 0;
  readonly #frames: Frame[] = [frame('', 0, false)];
  /** Lengths of runs of backticks that have no other like them further on. */
  readonly #unpaired = new Set<number>();

  constructor(
    private readonly text: string,
    private readonly around: Surroundings,
  ) {}

  parse(): Inline[] {
    while (this.#at < this.text.length) {
      const plain = this.#match(PLAIN);
      if (plain) this.#take(plain[0]);
      else if (!this.#special(this.text[this.#at]!)) this.#take(this.text[this.#at]!);
    }
    while (this.#frames.length > 1) this.#giveUp(this.#frames.length - 1);
    return this.#frames[0]!.of;
  }

  /** False where the character is only itself. */
  #special(char: string): boolean {
    switch (char) {
      case '\\':
        return this.#escape();
      case '`':
        return this.#code();
      case '[':
        this.#open(frame('[', 1, false));
        this.#at += 1;
        return true;
      case ']':
        return this.#link();
      case '<':
        return this.#angled();
      case '@':
        return this.#mention();
      case '#':
        return this.#room(ROOM);
      case '/':
        return this.#room(ROOM_PATH);
      case '*':
      case '_':
      case '~':
        this.#run(char);
        return true;
      default:
        return this.#address();
    }
  }

  #escape(): boolean {
    const next = this.text[this.#at + 1] ?? '';
    if (!/[!-/:-@[-`{-~]/.test(next)) return false;
    this.#at += 1;
    this.#take(next);
    return true;
  }

  #code(): boolean {
    const run = this.#match(/`+/y)![0];
    const start = this.#at + run.length;
    if (!this.#unpaired.has(run.length)) {
      for (const { 0: other, index } of this.text.slice(start).matchAll(/`+/g)) {
        if (other.length !== run.length) continue;
        const text = this.text.slice(start, start + index).replaceAll('\n', ' ');
        // A space on both sides is there to keep backticks apart.
        this.#add({ kind: 'code', text: /^ .*[^ ].* $/.test(text) ? text.slice(1, -1) : text });
        this.#at = start + index + run.length;
        return true;
      }
      this.#unpaired.add(run.length);
    }
    this.#take(run);
    return true;
  }

  #run(mark: string): void {
    const { text } = this;
    let end = this.#at;
    while (text[end] === mark) end += 1;
    const ran = end - this.#at;
    const before = lastChar(text, this.#at);
    const after = String.fromCodePoint(text.codePointAt(end) ?? 32);
    this.#at = end;

    const opens = !SPACE.test(after) && (!PUNCTUATION.test(after) || isEdge(before));
    const closes = !SPACE.test(before) && (!PUNCTUATION.test(before) || isEdge(after));
    // snake_case_word, 2*3*4 and ~/ are what they are.
    const inName = mark === '_' && WORD.test(before) && WORD.test(after);
    const inSum = ALNUM.test(before) && ALNUM.test(after);
    let left = ran;
    if (!inName && (mark !== '~' || ran === 2)) {
      if (closes) left = this.#close(mark, ran, opens);
      if (opens && left > 0 && !inSum) {
        this.#open({ ...frame(mark, left, closes), ran });
        return;
      }
    }
    this.#add({ kind: 'text', text: mark.repeat(left) });
  }

  /** Closes what a run can close, and says how much of it is left. */
  #close(mark: string, ran: number, opens: boolean): number {
    let left = ran;
    while (left > 0) {
      const index = this.#frames.findLastIndex(
        (open) =>
          open.mark === mark &&
          // Of runs that can do both, CommonMark has only some belong together.
          !((opens || open.closes) && (open.ran + ran) % 3 === 0 && ran % 3 !== 0),
      );
      if (index < 0) break;
      const open = this.#frames[index]!;
      const used = left > 1 && open.left > 1 ? 2 : 1;
      while (this.#frames.length > index + 1) this.#giveUp(this.#frames.length - 1);
      const kind = mark === '~' ? 'strike' : used === 2 ? 'strong' : 'em';
      const node: Inline = { kind, of: open.of };
      left -= used;
      open.left -= used;
      open.of = [node];
      if (open.left === 0) {
        this.#frames.pop();
        this.#add(node);
      }
    }
    return left;
  }

  #link(): boolean {
    const index = this.#frames.findLastIndex(({ mark }) => mark === '[');
    if (index < 0) return false;
    const found = this.#destination(this.#at + 1);
    const to = found && target(found.raw);
    const { of } = this.#frames[index]!;
    while (this.#frames.length > index + 1) this.#giveUp(this.#frames.length - 1);
    if (!to || plainText(of).trim() === '') {
      this.#giveUp(index);
      return false;
    }
    this.#frames.pop();
    // There are no links in links.
    for (const outer of this.#frames) if (outer.mark === '[') outer.mark = '\\[';
    const text = withoutLinks(of);
    const host = saysWhere(plainText(text), to) ? {} : { host: to.host };
    this.#add({ kind: 'link', href: to.href, ...host, of: text });
    this.#at = found!.end;
    return true;
  }

  /** `(https://…)`, with parentheses inside where they are paired. */
  #destination(start: number): { raw: string; end: number } | null {
    if (this.text[start] !== '(') return null;
    let depth = 0;
    for (let at = start; at < this.text.length; at++) {
      const char = this.text[at]!;
      if (/\s/.test(char) || depth > 3) return null;
      if (char === '(') depth += 1;
      if (char === ')') depth -= 1;
      if (depth === 0) return { raw: this.text.slice(start + 1, at), end: at + 1 };
    }
    return null;
  }

  #angled(): boolean {
    const found = this.#match(ANGLED);
    return found !== null && this.#bare(found[1]!, found[0].length);
  }

  #address(): boolean {
    if (WORD.test(lastChar(this.text, this.#at))) return false;
    const found = this.#match(ADDRESS);
    if (!found) return false;
    const raw = withoutTail(found[0]);
    return this.#bare(raw, raw.length);
  }

  #bare(raw: string, chars: number): boolean {
    const to = target(raw);
    if (!to) return false;
    this.#at += chars;
    const { origin } = this.around;
    if (raw.startsWith(`${origin}/r/`)) {
      ROOM_PATH.lastIndex = 0;
      const found = ROOM_PATH.exec(raw.slice(origin.length));
      if (found && found[0].length === raw.length - origin.length) return this.#addRoom(found);
    }
    const text = shownAddress(raw, to);
    this.#add({ kind: 'link', href: to.href, of: [{ kind: 'text', text }] });
    return true;
  }

  #mention(): boolean {
    if (++this.#mentions > MAX_MENTIONS || WORD.test(lastChar(this.text, this.#at))) return false;
    const start = this.#at + 1;
    // The longest name: somebody may be called what another's name begins with.
    for (let end = Math.min(this.text.length, start + LONGEST_NAME); end > start; end--) {
      const name = this.text.slice(start, end);
      if (!this.around.names.has(name.toLowerCase())) continue;
      if (WORD.test(String.fromCodePoint(this.text.codePointAt(end) ?? 32))) continue;
      this.#add({ kind: 'mention', name });
      this.#at = end;
      return true;
    }
    return false;
  }

  #room(pattern: RegExp): boolean {
    const before = lastChar(this.text, this.#at);
    if (WORD.test(before) || /[#&/.:]/.test(before)) return false;
    const found = this.#match(pattern);
    if (!found) return false;
    this.#at += found[0].length;
    return this.#addRoom(found);
  }

  #addRoom([, room, at]: RegExpExecArray): true {
    this.#add({ kind: 'room', roomId: Number(room), ...(at ? { at: Number(at) } : {}) });
    return true;
  }

  #match(pattern: RegExp): RegExpExecArray | null {
    pattern.lastIndex = this.#at;
    return pattern.exec(this.text);
  }

  #take(text: string): void {
    this.#add({ kind: 'text', text });
    this.#at += text.length;
  }

  #add(node: Inline): void {
    append(this.#frames.at(-1)!.of, node);
  }

  #open(open: Frame): void {
    if (this.#frames.length > MAX_OPEN) this.#giveUp(1);
    this.#frames.push(open);
  }

  /** What is not closed is text, and what is in it belongs to what it is in. */
  #giveUp(index: number): void {
    const [open] = this.#frames.splice(index, 1);
    const outer = this.#frames[index - 1]!.of;
    append(outer, { kind: 'text', text: open!.mark.at(-1)!.repeat(open!.left) });
    for (const node of open!.of) append(outer, node);
  }
}

function frame(mark: string, left: number, closes: boolean): Frame {
  return { mark, left, ran: left, closes, of: [] };
}

function append(list: Inline[], node: Inline): void {
  const last = list.at(-1);
  if (node.kind !== 'text') list.push(node);
  else if (last?.kind === 'text') last.text += node.text;
  else if (node.text !== '') list.push(node);
}

const isEdge = (char: string) => SPACE.test(char) || PUNCTUATION.test(char);

/** The character before `at`; not half of one. */
function lastChar(text: string, at: number): string {
  return [...text.slice(Math.max(0, at - 2), at)].at(-1) ?? '';
}

/** An address at the end of a sentence does not contain its full stop, nor the bracket around it. */
function withoutTail(raw: string): string {
  let end = raw.length;
  const many = (char: string) => raw.split(char).length - 1;
  let surplus = many(')') - many('(');
  for (; end > 0; end--) {
    const char = raw[end - 1]!;
    if (char === ')' && surplus > 0) surplus -= 1;
    else if (!/[.,:;!?'*_~]/.test(char)) break;
  }
  return raw.slice(0, end);
}

export function plainText(nodes: readonly Inline[]): string {
  return nodes
    .map((node) => {
      if ('text' in node) return node.text;
      if ('of' in node) return plainText(node.of);
      return node.kind === 'mention' ? `@${node.name}` : `#${node.roomId}`;
    })
    .join('');
}

function withoutLinks(nodes: readonly Inline[]): Inline[] {
  const list: Inline[] = [];
  for (const node of nodes) {
    if (node.kind === 'link') for (const inner of withoutLinks(node.of)) append(list, inner);
    else if (node.kind === 'mention' || node.kind === 'room')
      append(list, { kind: 'text', text: plainText([node]) });
    else append(list, 'of' in node ? { ...node, of: withoutLinks(node.of) } : node);
  }
  return list;
}
