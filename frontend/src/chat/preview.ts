/** What can be known of a room without being in it. */
export type Preview =
  | { state: 'found'; name: string; memberCount: number }
  | { state: 'none' }
  /** The server did not answer, or not so that one could understand it. */
  | { state: 'unknown' };

const PATIENCE_MS = 5_000;
const NAME_CHARS = 64;

export async function preview(
  ask: (url: string, init: RequestInit) => Promise<Pick<Response, 'status' | 'json'>>,
  roomId: number,
  signal: AbortSignal = AbortSignal.timeout(PATIENCE_MS),
): Promise<Preview> {
  try {
    const answer = await ask(`/api/rooms/${roomId}`, {
      signal,
      headers: { accept: 'application/json' },
    });
    // A number that no room can have is a bad request to the server, and no room to a person.
    if (answer.status === 404 || answer.status === 400) return { state: 'none' };
    if (answer.status !== 200) return { state: 'unknown' };
    const { name, memberCount } = (await answer.json()) as Record<string, unknown>;
    if (typeof name !== 'string' || typeof memberCount !== 'number') return { state: 'unknown' };
    return { state: 'found', name: name.slice(0, NAME_CHARS), memberCount };
  } catch {
    return { state: 'unknown' };
  }
}
