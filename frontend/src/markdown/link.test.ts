import { expect, it } from 'vitest';
import { saysWhere, shownAddress, target } from './link';

it.each([
  ['https://a.example', 'https://a.example/', 'a.example'],
  ['HTTP://A.Example:8080/x', 'http://a.example:8080/x', 'a.example:8080'],
  ['https://müller.example/', 'https://xn--mller-kva.example/', 'xn--mller-kva.example'],
  ['https://paypaⅼ.example/', 'https://paypal.example/', 'paypal.example'],
  ['http://0x7f.1/', 'http://127.0.0.1/', '127.0.0.1'],
  ['mailto:a@b.example?bcc=c@d.example', 'mailto:a@b.example', 'a@b.example'],
])('%s may be a link', (raw, href, host) => {
  expect(target(raw)).toEqual({ href, host });
});

it.each([
  'javascript:alert(1)',
  'JaVaScRiPt:alert(1)',
  ' javascript:alert(1)',
  '\x01javascript:alert(1)',
  'java\tscript:alert(1)',
  'java\nscript:alert(1)',
  'java\0script:alert(1)',
  'java&#115;cript:alert(1)',
  'javascript&colon;alert(1)',
  '&#106;avascript:alert(1)',
  'jav\u200bascript:alert(1)',
  'ｊavascript:alert(1)',
  'javascript://https://a.example/%0aalert(1)',
  'vbscript:msgbox(1)',
  'data:text/html,<script>alert(1)</script>',
  'data:text/html;base64,PHNjcmlwdD4=',
  'blob:https://a.example/1',
  'file:///etc/passwd',
  'ftp://a.example',
  'view-source:https://a.example',
  '//a.example',
  '/relative',
  'a.example',
  'https:a.example',
  'https:///a.example',
  'https:\\\\a.example',
  'https://bank.example@evil.example/',
  'https://bank.example:x@evil.example/',
  'https://a.example/\u202egpj.exe',
  'https://a.\u200bexample/',
  'https://a b.example',
  'https://',
  'https://[',
  'https://a.example/"onclick="alert(1)',
  'https://a.example/<script>',
  'mailto:javascript:alert(1)',
  'mailto:',
  'http\u2236//a.example',
  `https://a.example/${'a'.repeat(2000)}`,
])('%j is text', (raw) => expect(target(raw)).toBeNull());

it('shows an address as it is when its host only looks like another', () => {
  const shown = (raw: string) => shownAddress(raw, target(raw)!);
  expect(shown('https://A.example/b?c')).toBe('https://A.example/b?c');
  expect(shown('https://аррӏе.example/')).toMatch(/^https:\/\/xn--/);
  expect(shown('http://2130706433/')).toBe('http://127.0.0.1/');
  expect(shown('https://a.example/ä')).toBe('https://a.example/ä');
});

it('knows when the text of a link is true by itself', () => {
  const to = target('https://a.example/')!;
  expect(saysWhere('a.example', to)).toBe(true);
  expect(saysWhere('https://A.example', to)).toBe(true);
  expect(saysWhere('here', to)).toBe(false);
  expect(saysWhere('https://а.example', to)).toBe(false);
});
