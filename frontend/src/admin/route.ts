export const VIEWS = [
  'overview',
  'nodes',
  'rooms',
  'clients',
  'bans',
  'notices',
  'audit',
  'limits',
] as const;
export type ViewName = (typeof VIEWS)[number];

/** Where one is: the view, which one of its things is open, and what was searched for. */
export interface Route {
  view: ViewName;
  id: string | null;
  query: string;
}

/** `#/rooms/48213?q=tea`. What is no route is the first view. */
export function parseRoute(hash: string): Route {
  const [path = '', search = ''] = hash.replace(/^#\/?/, '').split('?', 2);
  const [view, id] = path.split('/');
  const known = VIEWS.find((name) => name === view);
  if (!known) return { view: 'overview', id: null, query: '' };
  return {
    view: known,
    id: id === undefined || id === '' ? null : decode(id),
    query: new URLSearchParams(search).get('q') ?? '',
  };
}

export function href({ view, id = null, query = '' }: Partial<Route> & { view: ViewName }): string {
  const search = query === '' ? '' : `?${new URLSearchParams({ q: query })}`;
  return `#/${view}${id === null ? '' : `/${encodeURIComponent(id)}`}${search}`;
}

/** Ids are numbers; anything else in a link somebody made finds nothing. */
export function numberId(id: string | null): number | null {
  return id !== null && /^\d{1,15}$/.test(id) ? Number(id) : null;
}

function decode(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}
