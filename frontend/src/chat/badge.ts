const SIZE = 32;

/** The page's icon with a mark, as an address that needs no request. The count stands in the title. */
export function badged(unread: boolean): string {
  if (!unread) return '/favicon.svg';
  const svg =
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${SIZE} ${SIZE}">` +
    '<rect width="32" height="32" rx="8" fill="#4f46c8"/>' +
    '<path d="M7 12.5A4.5 4.5 0 0 1 11.5 8h9a4.5 4.5 0 0 1 4.5 4.5v4a4.5 4.5 0 0 1-4.5 4.5H15l-4.6 3.700a.6.6 0 0 1-1-.5v-3.6A4.5 4.5 0 0 1 7 16.5z" fill="#fff"/>' +
    '<circle cx="24" cy="8" r="7" fill="#e5484d" stroke="#fff" stroke-width="2"/></svg>';
  return `data:image/svg+xml,${encodeURIComponent(svg)}`;
}

/** On the tab and, where the page is installed, on its icon. */
export function showBadge(count: number): void {
  const icon = document.querySelector<HTMLLinkElement>('link[rel=icon]');
  const address = badged(count > 0);
  if (icon && icon.getAttribute('href') !== address) icon.href = address;
  const done = count > 0 ? navigator.setAppBadge?.(count) : navigator.clearAppBadge?.();
  // Refused where the page is not installed.
  done?.catch(() => {});
}
