/** `roomful-audit-2026-05-05T12-30-00Z.csv`: sorts by time, and is a name on every system. */
export function csvName(now: number): string {
  const at = new Date(now).toISOString().replace(/\.\d+Z$/, 'Z');
  return `roomful-audit-${at.replaceAll(':', '-')}.csv`;
}

/** From `<input type="datetime-local">`, in the reader's own time zone; null when it is empty. */
export function localTime(value: string): number | null {
  if (value === '') return null;
  const at = new Date(value).getTime();
  return Number.isNaN(at) ? null : at;
}

/** JSON for people: two spaces, and nothing for nothing. */
export function readable(value: unknown): string {
  return value === null || value === undefined ? '' : JSON.stringify(value, null, 2);
}

/** Hands a file to the browser. A link is the only way, and needs no place in the page. */
export function save(blob: Blob, name: string, page: Document = document): void {
  const url = URL.createObjectURL(blob);
  const link = page.createElement('a');
  link.href = url;
  link.download = name;
  link.click();
  // The browser reads it after this turn.
  setTimeout(() => URL.revokeObjectURL(url), 10_000);
}
