/** `1 room`, `2 rooms`: of English; another language has its own rules in its own catalogue. */
const rules = new Intl.PluralRules('en');

export function plural(count: number, one: string, other: string): string {
  return rules.select(count) === 'one' ? one : other;
}
