/** Where a link may lead, in ASCII: what the browser would open, not what it looks like. */
export interface Target {
  href: string;
  /** The host, or of `mailto:` the address. Look-alike letters of other scripts show as `xn--…`. */
  host: string;
}

const MAX_CHARS = 2000;
/** Characters that are not seen, or that turn around what is: an address has no use for them. */
const HIDDEN = /[\s\p{C}\\<>"`]/u;
const MAIL = /^mailto:([\w.!#$%&'*+/=?^{|}~-]{1,64}@[\w.-]{1,253})(?:\?|$)/i;

/**
 * The target of an address that may be a link, else null. It is a list of what is allowed: everything else, like
 * `javascript:` in any disguise, is text. So are addresses with a user name, which are made to be misread.
 */
export function target(raw: string): Target | null {
  if (raw.length > MAX_CHARS || HIDDEN.test(raw)) return null;
  const mail = MAIL.exec(raw);
  // Without what would fill in the letter.
  if (mail) return { href: `mailto:${mail[1]}`, host: mail[1]! };
  if (!/^https?:\/\/[^/]/i.test(raw) || !URL.canParse(raw)) return null;
  const { protocol, username, password, host, href } = new URL(raw);
  if (!/^https?:$/.test(protocol) || username || password || !host) return null;
  return { href, host };
}

/** A bare address as it may be shown: as it was written, unless its host only looks like the real one. */
export function shownAddress(raw: string, { href, host }: Target): string {
  const written = /^(?:https?:\/\/|mailto:)([^/?#]*)/i.exec(raw)?.[1] ?? '';
  return written.toLowerCase() === host.toLowerCase() ? raw : href;
}

/** Whether the text of a link says by itself, and truly, where it leads. */
export function saysWhere(text: string, { href, host }: Target): boolean {
  const said = text.trim().toLowerCase();
  return said === host || said === href.toLowerCase() || `${said}/` === href.toLowerCase();
}
