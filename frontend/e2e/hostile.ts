/**
 * Texts that have run a script in somebody's chat, after the families of OWASP's filter evasion sheet and PortSwigger's
 * list: elements, handlers, addresses, what parsers mend, templates, and Markdown. Whatever runs calls `ran()`.
 */
const ELEMENTS = [
  '<script>ran()</script>',
  '<SCRIPT>ran()</SCRIPT>',
  '<script >ran()</script >',
  '<script\n>ran()</script\n>',
  '<script/x>ran()</script>',
  '<scr<script>ipt>ran()</scr</script>ipt>',
  '<script src="data:text/javascript,ran()"></script>',
  '<script src=//127.0.0.1:1/x.js></script>',
  '</title><script>ran()</script>',
  '</textarea><script>ran()</script>',
  '</style><script>ran()</script>',
  '<!--><script>ran()</script>-->',
  '<![CDATA[><script>ran()</script>]]>',
  '<noscript><p title="</noscript><img src=x onerror=ran()>">',
  '<template><script>ran()</script></template>',
  '<iframe src="javascript:parent.ran()"></iframe>',
  '<iframe srcdoc="<script>parent.ran()</script>"></iframe>',
  '<object data="javascript:ran()"></object>',
  '<embed src="javascript:ran()">',
  '<base href="javascript:ran()//">',
  '<meta http-equiv="refresh" content="0;url=javascript:ran()">',
  '<link rel=stylesheet href="data:text/css,*{color:red}">',
  '<style>@import "//127.0.0.1:1/x.css";</style>',
  '<math><mi//xlink:href="data:x,<script>ran()</script>">',
  '<form action="javascript:ran()"><button>x</button></form>',
  '<isindex type=image src=x onerror=ran()>',
];

const HANDLERS = [
  '<img src=x onerror=ran()>',
  '<img src=x onerror="&#114;an()">',
  '<img/src=x/onerror=ran()>',
  '<img src=x:x onerror\n=\nran()>',
  '<img """><script>ran()</script>">',
  '<IMG SRC=`x` oNeRrOr=ran()>',
  '<svg onload=ran()>',
  '<svg/onload=ran()>',
  '<svg><script>ran()</script></svg>',
  '<svg><a xlink:href="javascript:ran()"><text y=9>x</text></a></svg>',
  '<svg><animate onbegin=ran() attributeName=x dur=1s>',
  '<svg><use href="data:image/svg+xml,<svg id=x onload=ran() />#x">',
  '<body onload=ran()>',
  '<input autofocus onfocus=ran()>',
  '<details open ontoggle=ran()>x</details>',
  '<video><source onerror=ran()></video>',
  '<audio src=x onerror=ran()>',
  '<marquee onstart=ran()>x</marquee>',
  '<div style="animation-name:x" onanimationstart=ran()>',
  '<a href=# onclick=ran()>x</a>',
  '" onmouseover="ran()" x="',
  "' autofocus onfocus='ran()",
  '"><img src=x onerror=ran()>',
  "'><svg onload=ran()>",
];

const ADDRESSES = [
  'javascript:ran()',
  'JaVaScRiPt:ran()',
  ' javascript:ran()',
  'java\tscript:ran()',
  'java\nscript:ran()',
  'javascript&colon;ran()',
  '&#106;avascript:ran()',
  'javascript:/*--></title></style></textarea></script><svg/onload=ran()>',
  'data:text/html,<script>ran()</script>',
  'data:text/html;base64,PHNjcmlwdD5yYW4oKTwvc2NyaXB0Pg==',
  'vbscript:ran()',
  'view-source:javascript:ran()',
  'blob:ran()',
  'feed:javascript:ran()',
  '//javascript:ran()',
  'http://x:javascript:ran()@y',
];

const MARKDOWN = [
  ...ADDRESSES.map((address) => `[click me](${address})`),
  '[click me](<javascript:ran()>)',
  '[click me](javascript:ran() "title")',
  '[click me][1]\n\n[1]: javascript:ran()',
  '<javascript:ran()>',
  '![x](x"onerror="ran())',
  '![x](javascript:ran())',
  '[![x](x)](javascript:ran())',
  '[x](https://example.org/"onmouseover="ran())',
  '[x](https://example.org/\u0000javascript:ran())',
  '```html\n<script>ran()</script>\n```',
  '`<img src=x onerror=ran()>`',
  '> <svg onload=ran()>',
  '- <img src=x onerror=ran()>\n- [x](javascript:ran())',
  '**<b onmouseover=ran()>bold</b>**',
  '@<img src=x onerror=ran()>',
  '#<img src=x onerror=ran()>',
  ':<img src=x onerror=ran()>:',
];

const TEMPLATES = [
  '{{constructor.constructor("ran()")()}}',
  '${ran()}',
  '#{ran()}',
  '{@html "<img src=x onerror=ran()>"}',
  '<%= ran() %>',
  '__proto__',
  'constructor',
  '+ADw-script+AD4-ran()+ADw-/script+AD4-',
  '\u003cscript\u003eran()\u003c/script\u003e',
  '\uff1cscript\uff1eran()\uff1c/script\uff1e',
];

export const HOSTILE: readonly string[] = [
  ...new Set([...ELEMENTS, ...HANDLERS, ...ADDRESSES, ...MARKDOWN, ...TEMPLATES]),
];

/** As much of them as fits where the server has a limit, so that it is the page that has to cope. */
export function fitting(max: number): string[] {
  const short = ['<b>x</b>', '<svg onload=x>', '<script>x', '"><img src=x>', "'onfocus=ran()'"];
  const visible = HOSTILE.map((text) =>
    text
      .replace(/\p{Cc}/gu, '')
      .trim()
      .slice(0, max),
  );
  return [...new Set([...short, ...visible])].filter((text) => text.length <= max && text !== '');
}
