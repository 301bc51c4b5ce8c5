import { describe, expect, it } from 'vitest';
import {
  duration,
  isWide,
  newBan,
  parseNetwork,
  reason,
  sameTarget,
  target,
  trialBan,
  type BanForm,
} from './ban_form';

const form = (more: Partial<BanForm> = {}): BanForm => ({
  by: 'client',
  clientId: '12345',
  address: '',
  reason: 'spam',
  length: 'day',
  amount: '',
  unit: 'hours',
  confirm: false,
  ...more,
});

describe('how long', () => {
  it.each([
    [{ length: 'hour' }, 3_600],
    [{ length: 'day' }, 86_400],
    [{ length: 'week' }, 604_800],
    [{ length: 'endless' }, null],
    [{ length: 'custom', amount: ' 90 ', unit: 'minutes' }, 5_400],
    [{ length: 'custom', amount: '3650', unit: 'days' }, 315_360_000],
  ] as const)('%j is %s', (more, seconds) => {
    expect(duration(form(more))).toEqual({ ok: true, value: seconds });
  });

  it.each(['', '0', '-1', '1.5', '1e3', 'ten', '3651'])('refuses %j days', (amount) => {
    expect(duration(form({ length: 'custom', amount, unit: 'days' })).ok).toBe(false);
  });
});

describe('whom', () => {
  it('is a client by number, with or without the sign', () => {
    expect(target(form({ clientId: ' #12345 ' }))).toEqual({
      ok: true,
      value: { clientId: 12345 },
    });
    for (const clientId of ['', 'ada', '1 2', '-5', '0', '9'.repeat(17)]) {
      expect(target(form({ clientId })).ok).toBe(false);
    }
  });

  it('is an address or a network', () => {
    expect(target(form({ by: 'address', address: ' 203.0.113.7 ' }))).toEqual({
      ok: true,
      value: { ip: '203.0.113.7' },
    });
    expect(parseNetwork('203.0.113.0/24')).toEqual({ version: 4, prefix: 24 });
    expect(parseNetwork('2001:db8::/48')).toEqual({ version: 6, prefix: 48 });
    expect(parseNetwork('::1')).toEqual({ version: 6, prefix: 128 });
    for (const wrong of [
      '',
      '1.2.3',
      '256.1.1.1',
      '1.2.3.4/33',
      '::/129',
      '1.2.3.4/',
      'a::g',
      '::1/8/8',
    ]) {
      expect(parseNetwork(wrong)).toBeNull();
    }
  });

  it('is wide below /16, and /32 of IPv6', () => {
    const wide = (address: string) => isWide({ by: 'address', address });
    expect(wide('10.0.0.0/16')).toBe(false);
    expect(wide('10.0.0.0/15')).toBe(true);
    expect(wide('2001:db8::/32')).toBe(false);
    expect(wide('2001::/31')).toBe(true);
    expect(isWide({ by: 'client', address: '0.0.0.0/0' })).toBe(false);
  });
});

it('wants a reason that fits', () => {
  expect(reason('  spam ')).toEqual({ ok: true, value: 'spam' });
  expect(reason(' ').ok).toBe(false);
  expect(reason('x'.repeat(501)).ok).toBe(false);
  expect(reason('👩'.repeat(500)).ok).toBe(true);
});

describe('the request', () => {
  it('is whole', () => {
    expect(newBan(form())).toEqual({
      ok: true,
      value: { clientId: 12345, ip: null, reason: 'spam', seconds: 86_400, confirm: false },
    });
    expect(newBan(form({ reason: '' })).ok).toBe(false);
    expect(newBan(form({ length: 'custom' })).ok).toBe(false);
  });

  it('to try asks for a target only', () => {
    const trial = trialBan(form({ reason: '', length: 'custom' }));
    expect(trial).toMatchObject({ ok: true, value: { reason: 'preview', confirm: true } });
    expect(trialBan(form({ clientId: '' })).ok).toBe(false);
  });

  it('is for the same target whatever else changes', () => {
    const of = (more: Partial<BanForm>) => {
      const checked = newBan(form(more));
      if (!checked.ok) throw new Error(checked.problem);
      return checked.value;
    };
    expect(sameTarget(of({}), of({ reason: 'other', length: 'week' }))).toBe(true);
    expect(sameTarget(of({}), of({ clientId: '12346' }))).toBe(false);
    expect(sameTarget(of({}), of({ by: 'address', address: '::1' }))).toBe(false);
  });
});
