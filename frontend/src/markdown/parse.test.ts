import { describe, expect, it } from 'vitest';
import { plainText } from './inline';
import { firstLine, isOnlyEmoji, parse } from './parse';
import type { Block, Inline, Surroundings } from './tree';

const around: Surroundings = {
  names: new Set(['ada', 'ada lovelace', 'user 48213', 'zoë']),
  origin: 'https://chat.example',
};

/** A tree in one line, so that a test can be read. */
function draw(nodes: readonly (Inline | Block)[]): string {
  return nodes
    .map((node): string => {
      switch (node.kind) {
        case 'text':
          return 'of' in node ? draw(node.of) : node.text;
        case 'code':
          return 'lang' in node ? `pre:${node.lang}(${node.text})` : `code(${node.text})`;
        case 'link':
          return `link(${draw(node.of)} → ${node.href}${node.host ? ` at ${node.host}` : ''})`;
        case 'mention':
          return `mention(${node.name})`;
        case 'room':
          return `room(${node.roomId}${node.at ? ` ${node.at}` : ''})`;
        case 'list':
          return `list${node.start ?? ''}(${node.items.map(draw).join(' | ')})`;
        default:
          return `${node.kind}(${draw(node.of)})`;
      }
    })
    .join('');
}
const drawn = (body: string) => draw(parse(body, around));

describe('emphasis', () => {
  it.each([
    ['**bold**', 'strong(bold)'],
    ['*it* and _it_', 'em(it) and em(it)'],
    ['__bold__ ~~gone~~', 'strong(bold) strike(gone)'],
    ['***both***', 'em(strong(both))'],
    ['**bold _and italic_**', 'strong(bold em(and italic))'],
    ['*a **b** c*', 'em(a strong(b) c)'],
    ['(*a*), "**b**"', '(em(a)), "strong(b)"'],
    ['**bold**text', 'strong(bold)text'],
    ['这是**重点**内容', '这是strong(重点)内容'],
    ['*two\nlines*', 'em(two\nlines)'],
  ])('%s', (body, tree) => expect(drawn(body)).toBe(tree));

  it.each([
    'snake_case_word and __init__py',
    '2*3*4 = 24, 2**3**4',
    'a * b * c',
    '**not closed',
    'not opened**',
    '~/.config ~ about',
    '* * *',
    '5 > 3 _ 2',
    '*a\n\nb*',
    '****',
  ])('%s stays as it is', (body) => expect(drawn(body)).toBe(body));

  it('is not where a backslash says so', () => {
    expect(drawn('\\*a\\* \\_b\\_ \\n')).toBe('*a* _b_ \\n');
  });

  it('closes what is inside when what is outside closes', () => {
    expect(drawn('**a _b** c_')).toBe('strong(a _b) c_');
  });
});

describe('code', () => {
  it.each([
    ['`*a*` b', 'code(*a*) b'],
    ['``a ` b``', 'code(a ` b)'],
    ['`` `a` ``', 'code(`a`)'],
    ['```js\nlet *a* = 1;\n```\nthen', 'pre:js(let *a* = 1;)then'],
    ['```\nnot closed', 'pre:(not closed)'],
    ['before\n~~~\n```\n~~~', 'beforepre:(```)'],
    ['`not closed', '`not closed'],
    ['`a @ada https://a.example`', 'code(a @ada https://a.example)'],
  ])('%j', (body, tree) => expect(drawn(body)).toBe(tree));
});

describe('blocks', () => {
  it.each([
    ['> a\n> *b*\nc', 'quote(a\nem(b))c'],
    ['> > deep', 'quote(quote(deep))'],
    ['- a\n- **b**', 'list(a | strong(b))'],
    ['1. a\n2. b', 'list1(a | b)'],
    ['3) a\n4) b', 'list3(a | b)'],
    ['- a\n  - b\n    - c\n- d', 'list(alist(blist(c)) | d)'],
    ['1. a\n   more\n2. b', 'list1(a\nmore | b)'],
    ['text\n- a', 'textlist(a)'],
    ['born in\n1986. What a year', 'born in\n1986. What a year'],
    ['a\n\nb', 'a\n\nb'],
    ['-a\n+b', '-a\n+b'],
    ['# no heading', '# no heading'],
  ])('%j', (body, tree) => expect(drawn(body)).toBe(tree));

  it('are no deeper than four', () => {
    expect(drawn('>'.repeat(300) + ' a')).toBe(`quote(quote(quote(quote(${'>'.repeat(296)} a))))`);
  });
});

describe('links', () => {
  it.each([
    [
      'see https://a.example/b_c_d.',
      'see link(https://a.example/b_c_d → https://a.example/b_c_d).',
    ],
    ['(https://a.example/x_(y))', '(link(https://a.example/x_(y) → https://a.example/x_(y)))'],
    ['**https://a.example**', 'strong(link(https://a.example → https://a.example/))'],
    ['<https://a.example/*>', 'link(https://a.example/* → https://a.example/*)'],
    ['[a *b*](https://c.example/)', 'link(a em(b) → https://c.example/ at c.example)'],
    ['[a](https://c.example/x_(y)) z', 'link(a → https://c.example/x_(y) at c.example) z'],
    ['[c.example](https://c.example/)', 'link(c.example → https://c.example/)'],
    [
      '[https://bank.example](https://evil.example/)',
      'link(https://bank.example → https://evil.example/ at evil.example)',
    ],
    [
      '[[a](https://b.example)](https://c.example)',
      '[link(a → https://b.example/ at b.example)](link(https://c.example → https://c.example/))',
    ],
    ['[hi](mailto:a@b.example?body=x)', 'link(hi → mailto:a@b.example at a@b.example)'],
    ['[a] (b) [c', '[a] (b) [c'],
    ['[a](https://b.example "t")', '[a](link(https://b.example → https://b.example/) "t")'],
    ['[ ](https://b.example)', '[ ](link(https://b.example → https://b.example/))'],
    ['xhttps://a.example', 'xhttps://a.example'],
  ])('%s', (body, tree) => expect(drawn(body)).toBe(tree));

  it('say in ASCII where look-alike letters lead', () => {
    expect(drawn('[apple.com](https://аpple.com)')).toContain('at xn--pple-43d.com');
    expect(drawn('https://аpple.com/a')).toBe(
      'link(https://xn--pple-43d.com/a → https://xn--pple-43d.com/a)',
    );
  });
});

describe('mentions and rooms', () => {
  it.each([
    ['@Ada, hi', 'mention(Ada), hi'],
    ['@ada lovelace!', 'mention(ada lovelace)!'],
    ['@User 48213', 'mention(User 48213)'],
    ['@Adam a@ada.example @Nobody', '@Adam a@ada.example @Nobody'],
    ['@Zoë', 'mention(Zoë)'],
    ['**@Ada**', 'strong(mention(Ada))'],
    ['#48213 and /r/48213', 'room(48213) and room(48213)'],
    ['/r/48213#12', 'room(48213 12)'],
    ['https://chat.example/r/48213', 'room(48213)'],
    ['#1 #01234 #123456 a#48213 x/r/48213', '#1 #01234 #123456 a#48213 x/r/48213'],
    [
      'https://other.example/r/48213',
      'link(https://other.example/r/48213 → https://other.example/r/48213)',
    ],
  ])('%s', (body, tree) => expect(drawn(body)).toBe(tree));
});

it('gives one line of it', () => {
  expect(firstLine('> **a** `b`\n> c', around)).toBe('a b');
  expect(firstLine('\n\n- [x](https://a.example)', around)).toBe('x');
  expect(firstLine('```js\n```', around)).toBe('');
});

it('knows what is only emoji', () => {
  for (const body of ['👍', '👍🏽 🇩🇪', '👩‍👩‍👧‍👦', '❤️', '1️⃣', '🏴󠁧󠁢󠁥󠁮󠁧󠁿', '🎉'.repeat(12)]) {
    expect(isOnlyEmoji(body), body).toBe(true);
  }
  for (const body of ['', 'a', '1', '👍 a', '🎉'.repeat(13), '\u200d', ' ']) {
    expect(isOnlyEmoji(body), body).toBe(false);
  }
});

describe('whatever comes', () => {
  const PIECES = [
    ...[
      '*',
      '**',
      '_',
      '__',
      '~~',
      '`',
      '```',
      '[',
      ']',
      '](',
      ')',
      '(',
      '<',
      '>',
      '\\',
      '\n',
      ' ',
      ' word ',
    ],
    ...[
      '- ',
      '1. ',
      '> ',
      'a',
      'é',
      '中',
      '👍🏽',
      '\u202e',
      '\u200b',
      '@ada',
      '@',
      '#48213',
      '/r/48213',
    ],
    ...[
      'https://a.example',
      'http://',
      'mailto:a@b.c',
      'javascript:x',
      '&#115;',
      '\ud800',
      '\u0301',
    ],
  ];

  function depth(nodes: readonly (Inline | Block)[]): number {
    let deepest = 0;
    for (const node of nodes) {
      if ('of' in node) deepest = Math.max(deepest, 1 + depth(node.of));
      if ('items' in node) deepest = Math.max(deepest, 1 + depth(node.items.flat()));
    }
    return deepest;
  }

  it('is a tree of bounded depth that loses no word, with links that are allowed', () => {
    // A generator of its own: a failure must come back.
    let state = 1;
    const next = (below: number) => {
      state = (Math.imul(state, 1103515245) + 12345) >>> 0;
      return (state >>> 16) % below;
    };
    for (let round = 0; round < 3000; round++) {
      let body = '';
      const length = next(60);
      for (let n = 0; n < length; n++) body += PIECES[next(PIECES.length)];
      const tree = parse(body, around);
      expect(depth(tree)).toBeLessThan(40);
      const text = draw(tree);
      for (const [, href] of text.matchAll(/ → (\S+)/g)) {
        expect(href, body).toMatch(/^(https?:\/\/|mailto:)/);
      }
      const count = (of: string) => of.split('word').length;
      expect(count(text), body).toBe(count(body));
    }
  });

  it.each([
    ...PIECES,
    '*a ',
    ' _a',
    '[a](b',
    '[a](https://b',
    '`a``',
    '> - ',
    '~~a*',
    '[*_~~',
    '(((',
    '- a\n  ',
  ])('takes little time for 2,000 characters of %j', (piece) => {
    const body = piece.repeat(2000 / piece.length);
    const growing = Array.from({ length: 60 }, (_, n) => piece.repeat(n))
      .join(' ')
      .slice(0, 2000);
    for (const text of [body, growing, body + '*_~`])']) {
      parse(text, around);
      // The best of a few: the machine may be busy with something else.
      const times = Array.from({ length: 5 }, () => {
        const from = performance.now();
        parse(text, around);
        return performance.now() - from;
      });
      expect(Math.min(...times)).toBeLessThan(5);
    }
  });

  it('takes time that only grows with the length', () => {
    const time = (chars: number) => {
      const body = '*a _b [c](https://d ~~e '.repeat(chars / 24);
      return Math.min(
        ...Array.from({ length: 5 }, () => {
          const from = performance.now();
          parse(body, around);
          return performance.now() - from;
        }),
      );
    };
    time(24_000);
    // Four times the length; sixteen times the time would be quadratic.
    expect(time(96_000) / time(24_000)).toBeLessThan(10);
  });
});

it('plain text has the words of mentions and rooms', () => {
  expect(
    plainText([
      { kind: 'mention', name: 'Ada' },
      { kind: 'room', roomId: 48213 },
    ]),
  ).toBe('@Ada#48213');
});
