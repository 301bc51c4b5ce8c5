import { readdirSync, readFileSync } from 'node:fs';
import { parse } from 'svelte/compiler';
import { expect, it } from 'vitest';

const CHAT = new URL('../chat/', import.meta.url);

/** Attributes that somebody reads. */
const SPOKEN =
  /^(?:aria-label|aria-description|aria-roledescription|aria-valuetext|alt|title|placeholder|label|hint|button)$/;
/** Words as a person reads them: several, or one with a capital. Names of keys and classes are none. */
const PROSE = /\p{L}[\p{L}’']*[.,:;!?…]? +\p{L}|^\p{Lu}\p{Ll}+[.…!?]?$/u;
/** A media query. */
const QUERY = /^\([\w-]+: ?[\w-]+\)$/;
const KEYS =
  /^(?:Ctrl \w|Enter|Escape|Tab|Home|End|Backspace|Delete|Arrow\w+|Page\w+|Mac\S*|Shift|Mod)$/;

type Node = Record<string, unknown> & { type?: string };

export function hardCoded(source: string): string[] {
  const found: string[] = [];
  const { fragment, instance } = parse(source, { modern: true });
  walk(fragment as never, '', found);
  if (instance) walk(instance.content as never, 'script', found);
  return found;
}

function walk(node: Node, attribute: string, found: string[]): void {
  const read = (text: string) => found.push(text.trim());
  switch (node.type) {
    case 'Comment':
    case 'ImportDeclaration':
    case 'StyleDirective':
      return;
    case 'Attribute':
      attribute = String(node.name);
      break;
    case 'Text': {
      const text = String(node.data);
      const spoken = attribute === '' || SPOKEN.test(attribute);
      if (spoken && /\p{L}{2}/u.test(text)) read(text);
      return;
    }
    case 'Literal':
    case 'TemplateElement': {
      const value = node.value as string | { cooked: string };
      const text = typeof value === 'object' && value ? value.cooked : value;
      if (typeof text !== 'string' || /^(?:class|style|d|media)$/.test(attribute)) return;
      if (QUERY.test(text.trim()) || KEYS.test(text.trim())) return;
      if (PROSE.test(text.trim())) read(text);
      return;
    }
  }
  for (const [key, inner] of Object.entries(node)) {
    if (/^(?:metadata|loc|start|end|raw|leadingComments|typeAnnotation)$/.test(key)) continue;
    for (const child of Array.isArray(inner) ? inner : [inner]) {
      if (typeof child === 'object' && child !== null) walk(child as Node, attribute, found);
    }
  }
}

it.each(readdirSync(CHAT).filter((name) => name.endsWith('.svelte')))(
  '%s takes its texts from the catalogue',
  (name) => {
    expect(hardCoded(readFileSync(new URL(name, CHAT), 'utf8'))).toEqual([]);
  },
);

it('sees what is written into a component', () => {
  expect(hardCoded('<p>Hello there</p>')).toEqual(['Hello there']);
  expect(hardCoded('<p title="Oh">{t.x}</p>')).toEqual(['Oh']);
  expect(hardCoded("<p>{ready ? 'Looking for rooms…' : t.x}</p>")).toEqual(['Looking for rooms…']);
  expect(hardCoded("<script>const label = 'Close';</script>")).toEqual(['Close']);
  expect(hardCoded('<p class="a b">{t.x} · #{number}</p>')).toEqual([]);
  expect(hardCoded("<input onkeydown={(e) => e.key === 'Enter'} />")).toEqual([]);
});
