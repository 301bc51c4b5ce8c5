/** Where the address says that one is: in front of a room, perhaps at one of its messages. */
export interface Place {
  roomId: number;
  /** The position of a message. */
  seq: number | null;
}

/** `/r/12345` and `/r/12345#678`. Everything else is the list of rooms. */
export function parsePlace({ pathname, hash }: { pathname: string; hash: string }): Place | null {
  const room = /^\/r\/(\d{1,12})\/?$/.exec(pathname)?.[1];
  if (room === undefined) return null;
  const seq = /^#(\d{1,15})$/.exec(hash)?.[1];
  return { roomId: Number(room), seq: seq === undefined ? null : Number(seq) };
}

export function pathOf(roomId: number | null): string {
  return roomId === null ? '/' : `/r/${roomId}`;
}

/** A click that the page takes to a room itself; every other one is the browser's. */
export function linkedPlace(
  click: Pick<MouseEvent, 'button' | 'ctrlKey' | 'metaKey' | 'shiftKey' | 'altKey'>,
  link: Pick<HTMLAnchorElement, 'origin' | 'pathname' | 'hash' | 'target'> | null,
  origin: string,
): Place | null {
  if (!link || link.origin !== origin || (link.target !== '' && link.target !== '_self'))
    return null;
  if (click.button !== 0 || click.ctrlKey || click.metaKey || click.shiftKey || click.altKey) {
    return null;
  }
  return parsePlace(link);
}
