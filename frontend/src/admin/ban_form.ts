import { length } from '../state/text';
import type { NewBan } from '../protocol/generated';

export type Length = 'hour' | 'day' | 'week' | 'custom' | 'endless';
export type Unit = 'minutes' | 'hours' | 'days';

export const REASON_MAX = 500;
/** Ten years, as the server has it. */
const SECONDS_MAX = 315_360_000;
const PRESETS = { hour: 3_600, day: 86_400, week: 604_800 };
const UNITS: Record<Unit, number> = { minutes: 60, hours: 3_600, days: 86_400 };

/** What somebody has filled in. */
export interface BanForm {
  by: 'client' | 'address';
  clientId: string;
  address: string;
  reason: string;
  length: Length;
  amount: string;
  unit: Unit;
  confirm: boolean;
}

export type Checked<T> = { ok: true; value: T } | { ok: false; problem: string };

const good = <T>(value: T): Checked<T> => ({ ok: true, value });
const bad = (problem: string): { ok: false; problem: string } => ({ ok: false, problem });

/** How long, in seconds; null is without end. */
export function duration(
  form: Pick<BanForm, 'length' | 'amount' | 'unit'>,
): Checked<number | null> {
  if (form.length === 'endless') return good(null);
  if (form.length !== 'custom') return good(PRESETS[form.length]);
  const digits = form.amount.trim();
  if (!/^\d{1,9}$/.test(digits) || Number(digits) === 0) return bad('Say how long, as a number.');
  const seconds = Number(digits) * UNITS[form.unit];
  return seconds > SECONDS_MAX ? bad('At most ten years; or choose “without end”.') : good(seconds);
}

export type Target = { clientId: number } | { ip: string };

export function target(form: Pick<BanForm, 'by' | 'clientId' | 'address'>): Checked<Target> {
  if (form.by === 'client') {
    const digits = form.clientId.trim().replace(/^#/, '');
    return /^[1-9]\d{0,15}$/.test(digits)
      ? good({ clientId: Number(digits) })
      : bad('A client’s id has digits only.');
  }
  const network = parseNetwork(form.address.trim());
  return network
    ? good({ ip: form.address.trim() })
    : bad('An address like 203.0.113.7, or a network like 203.0.113.0/24 or 2001:db8::/48.');
}

export function reason(text: string): Checked<string> {
  const clean = text.trim();
  if (clean === '') return bad('Say why: it is kept in the audit log.');
  return length(clean) > REASON_MAX
    ? bad(`At most ${REASON_MAX} characters, please.`)
    : good(clean);
}

interface Network {
  version: 4 | 6;
  prefix: number;
}

/** Only as much as is needed to help while somebody types; the server is the judge. */
export function parseNetwork(text: string): Network | null {
  const [address = '', bits, ...more] = text.split('/');
  if (more.length > 0 || (bits !== undefined && !/^\d{1,3}$/.test(bits))) return null;
  const version = isV4(address) ? 4 : isV6(address) ? 6 : null;
  if (version === null) return null;
  const most = version === 4 ? 32 : 128;
  const prefix = bits === undefined ? most : Number(bits);
  return prefix > most ? null : { version, prefix };
}

const isV4 = (text: string): boolean =>
  /^\d{1,3}(\.\d{1,3}){3}$/.test(text) && text.split('.').every((part) => Number(part) <= 255);

function isV6(text: string): boolean {
  if (!text.includes(':') || !/^[0-9a-f:.]+$/i.test(text)) return false;
  try {
    return new URL(`http://[${text}]/`).hostname !== '';
  } catch {
    return false;
  }
}

/** Wide enough that the server wants to hear "I mean it". */
export function isWide(form: Pick<BanForm, 'by' | 'address'>): boolean {
  if (form.by !== 'address') return false;
  const network = parseNetwork(form.address.trim());
  return network !== null && network.prefix < (network.version === 4 ? 16 : 32);
}

/** The request, when the whole form is good. */
export function newBan(form: BanForm): Checked<NewBan> {
  const whom = target(form);
  if (!whom.ok) return whom;
  const long = duration(form);
  if (!long.ok) return long;
  const why = reason(form.reason);
  if (!why.ok) return why;
  return good({
    clientId: 'clientId' in whom.value ? whom.value.clientId : null,
    ip: 'ip' in whom.value ? whom.value.ip : null,
    reason: why.value,
    seconds: long.value,
    confirm: form.confirm,
  });
}

/**
 * For asking whom it would hit. Nothing is done by that, so what only the deed needs is filled in.
 */
export function trialBan(form: BanForm): Checked<NewBan> {
  return newBan({
    ...form,
    reason: form.reason.trim() || 'preview',
    length: duration(form).ok ? form.length : 'hour',
    confirm: true,
  });
}

/** A preview is of one target: after a change it says nothing. */
export function sameTarget(a: NewBan, b: NewBan): boolean {
  return a.clientId === b.clientId && a.ip === b.ip;
}
