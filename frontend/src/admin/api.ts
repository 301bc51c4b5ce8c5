import type {
  Accepted,
  AuditPage,
  BanMade,
  BanPage,
  BanPreview,
  ClientDetail,
  ClientPage,
  LimitPage,
  NewBan,
  NewNotice,
  Removed,
  RoomDetail,
  RoomMessages,
  RoomPage,
  Servers,
  Session,
  Stats,
} from '../protocol/generated';

/** Longer than the second that the server gives its nodes to confirm, and an Argon2 check of a password. */
const TIMEOUT_MS = 15_000;
/** A log of months as a file takes its time. */
const EXPORT_TIMEOUT_MS = 120_000;
/** Two clocks are never the same; the header has whole seconds. */
const SKEW_MS = 5_000;

export type Failure =
  /** The server said no: `status`, `title` and `detail` are its own. */
  | 'refused'
  /** Nothing came back. */
  | 'unreachable'
  | 'timeout'
  /** Something came back that is no answer of this API, such as a proxy's page. */
  | 'garbled'
  /** Nobody wants the answer any more. */
  | 'cancelled';

/** Why a call gave nothing. `message` is for people. */
export class ApiError extends Error {
  override name = 'ApiError';
  readonly failure: Failure;
  readonly status: number;
  /** Finds the request in the server's logs. */
  readonly requestId: string;
  readonly retryAfterMs: number | null;

  constructor(
    failure: Failure,
    message: string,
    more: { status?: number; requestId?: string; retryAfterMs?: number | null } = {},
  ) {
    super(message);
    this.failure = failure;
    this.status = more.status ?? 0;
    this.requestId = more.requestId ?? '';
    this.retryAfterMs = more.retryAfterMs ?? null;
  }
}

export interface PageOf {
  cursor?: string | null;
  limit?: number;
  query?: string;
}

/** Of the audit log; what is empty does not filter. Times are in milliseconds. */
export interface AuditFilter {
  actor: string;
  action: string;
  outcome: string;
  target: string;
  from: number | null;
  to: number | null;
}

interface Deps {
  fetch: (url: string, init: RequestInit) => Promise<Response>;
  now(): number;
  /** What is signed in with, or null. */
  token(): string | null;
  /** The server does not take this token any more. */
  rejected(token: string): void;
  timeoutMs?: number;
}

interface Call {
  query?: Record<string, string | number | boolean | null | undefined>;
  body?: unknown;
  signal?: AbortSignal | undefined;
  timeoutMs?: number;
  /** Signing in has no token yet, and its 401 is about the password. */
  anonymous?: boolean;
  /** Its 401 may be about a password too; a bad token shows itself at the next call. */
  aboutPassword?: boolean;
}

/** The HTTP calls under `/admin`. Each gives its answer or throws an `ApiError`. */
export class AdminApi {
  constructor(private readonly deps: Deps) {}

  /** `expiresAt` is by this page's clock, whatever the server's says. */
  async login(username: string, password: string): Promise<Session> {
    const call = { body: { username, password }, anonymous: true };
    const response = await this.#call('POST', '/login', call);
    const { token, expiresAt } = await this.#read<Session>(response);
    const there = Date.parse(response.headers.get('date') ?? '');
    const ahead = Number.isNaN(there) ? 0 : there - this.deps.now();
    return { token, expiresAt: expiresAt - (Math.abs(ahead) > SKEW_MS ? ahead : 0) };
  }

  /** The token is named, because it is forgotten before the answer comes. */
  logout(token: string): Promise<void> {
    return this.#nothing('POST', '/logout', {}, token);
  }

  changePassword(password: string, newPassword: string): Promise<void> {
    return this.#nothing('POST', '/password', {
      body: { password, newPassword },
      aboutPassword: true,
    });
  }

  servers(signal?: AbortSignal): Promise<Servers> {
    return this.#json('GET', '/servers', { signal });
  }

  drain(nodeId: string, reason: string): Promise<Accepted> {
    return this.#json('POST', `/servers/${encodeURIComponent(nodeId)}/drain`, {
      query: { reason },
    });
  }

  stats(signal?: AbortSignal): Promise<Stats> {
    return this.#json('GET', '/stats', { signal });
  }

  limits(signal?: AbortSignal): Promise<LimitPage> {
    return this.#json('GET', '/limits', { signal });
  }

  clients(page: PageOf, signal?: AbortSignal): Promise<ClientPage> {
    return this.#json('GET', '/client', { query: { ...page }, signal });
  }

  client(clientId: number, signal?: AbortSignal): Promise<ClientDetail> {
    return this.#json('GET', `/client/${clientId}`, { signal });
  }

  removeClient(clientId: number, reason: string): Promise<Removed> {
    return this.#json('DELETE', `/client/${clientId}`, { query: { reason } });
  }

  rooms(page: PageOf, signal?: AbortSignal): Promise<RoomPage> {
    return this.#json('GET', '/room', { query: { ...page }, signal });
  }

  room(roomId: number, signal?: AbortSignal): Promise<RoomDetail> {
    return this.#json('GET', `/room/${roomId}`, { signal });
  }

  removeRoom(roomId: number, reason: string): Promise<Removed> {
    return this.#json('DELETE', `/room/${roomId}`, { query: { reason } });
  }

  /** As they were written, ascending: the newest, or those before a position. */
  messages(
    roomId: number,
    page: { before?: string | null; limit?: number },
    signal?: AbortSignal,
  ): Promise<RoomMessages> {
    return this.#json('GET', `/room/${roomId}/messages`, { query: { ...page }, signal });
  }

  removeMessage(roomId: number, seq: number, reason: string): Promise<Removed> {
    return this.#json('DELETE', `/room/${roomId}/messages/${seq}`, { query: { reason } });
  }

  bans(page: PageOf, signal?: AbortSignal): Promise<BanPage> {
    return this.#json('GET', '/bans', { query: { ...page }, signal });
  }

  ban(ban: NewBan): Promise<BanMade> {
    return this.#json('POST', '/bans', { body: ban });
  }

  previewBan(ban: NewBan, signal?: AbortSignal): Promise<BanPreview> {
    return this.#json('POST', '/bans', { body: ban, query: { dryRun: true }, signal });
  }

  lift(banId: string): Promise<void> {
    return this.#nothing('DELETE', `/bans/${encodeURIComponent(banId)}`);
  }

  notice(notice: NewNotice): Promise<Accepted> {
    return this.#json('POST', '/notices', { body: notice });
  }

  audit(filter: AuditFilter, page: PageOf, signal?: AbortSignal): Promise<AuditPage> {
    return this.#json('GET', '/audit', { query: { ...filter, ...page }, signal });
  }

  /** As a file, because a link cannot carry the token. */
  async auditCsv(filter: AuditFilter): Promise<Blob> {
    const response = await this.#call('GET', '/audit', {
      query: { ...filter, format: 'csv' },
      timeoutMs: EXPORT_TIMEOUT_MS,
    });
    if (!mediaType(response).startsWith('text/csv')) throw garbled(response);
    return whole(response.blob());
  }

  async #json<T>(method: string, path: string, call: Call): Promise<T> {
    return this.#read(await this.#call(method, path, call), call.signal);
  }

  async #read<T>(response: Response, signal?: AbortSignal): Promise<T> {
    let body: unknown;
    try {
      body = await response.json();
    } catch (error) {
      throw isAbort(error) ? failed(error, signal) : garbled(response);
    }
    if (typeof body !== 'object' || body === null) throw garbled(response);
    return body as T;
  }

  async #nothing(method: string, path: string, call: Call = {}, token?: string): Promise<void> {
    await this.#call(method, path, call, token);
  }

  async #call(method: string, path: string, call: Call, named?: string): Promise<Response> {
    const token = call.anonymous ? null : (named ?? this.deps.token());
    const timeout = AbortSignal.timeout(call.timeoutMs ?? this.deps.timeoutMs ?? TIMEOUT_MS);
    let response: Response;
    try {
      response = await this.deps.fetch(`/admin${path}${queryString(call.query)}`, {
        method,
        headers: {
          accept: 'application/json',
          ...(token === null ? {} : { authorization: `Bearer ${token}` }),
          ...(call.body === undefined ? {} : { 'content-type': 'application/json' }),
        },
        ...(call.body === undefined ? {} : { body: JSON.stringify(call.body) }),
        signal: call.signal ? AbortSignal.any([call.signal, timeout]) : timeout,
        // The answers are about this second, and a sign-in must not travel to another place.
        cache: 'no-store',
        redirect: 'error',
        credentials: 'omit',
      });
    } catch (error) {
      throw failed(error, call.signal);
    }
    if (response.ok) return response;
    // A token given back by hand needs no second farewell.
    const aboutToken = named === undefined && !call.aboutPassword;
    if (response.status === 401 && token !== null && aboutToken) this.deps.rejected(token);
    throw await refusal(response, this.deps.now());
  }
}

/** `?a=1&b=2`, without what is empty. */
export function queryString(query: Call['query'] = {}): string {
  const search = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    if (value !== null && value !== undefined && value !== '') search.set(name, `${value}`);
  }
  return search.size === 0 ? '' : `?${search}`;
}

async function refusal(response: Response, now: number): Promise<ApiError> {
  const { status } = response;
  let title = '';
  let detail = '';
  let requestId = response.headers.get('x-request-id') ?? '';
  if (/\bjson$/.test(mediaType(response))) {
    const body = (await response.json().catch(() => null)) as Record<string, unknown> | null;
    title = text(body?.title);
    detail = text(body?.detail);
    requestId = text(body?.requestId) || requestId;
  }
  const words = detail || title || STATUS_WORDS[status] || `The server answered ${status}.`;
  return new ApiError('refused', sentence(words), {
    status,
    requestId,
    retryAfterMs: retryAfter(response.headers.get('retry-after'), now),
  });
}

/** For answers without words, such as a proxy's. */
const STATUS_WORDS: Partial<Record<number, string>> = {
  401: 'You are not signed in any more',
  404: 'It is not there any more',
  429: 'Too many requests',
  502: 'The admin service is not running',
  503: 'The server cannot do this right now',
  504: 'The admin service did not answer in time',
};

/** Seconds or a date, in milliseconds from now. */
export function retryAfter(header: string | null, now: number): number | null {
  if (header === null) return null;
  if (/^\d+$/.test(header.trim())) return Number(header) * 1000;
  const at = Date.parse(header);
  return Number.isNaN(at) ? null : Math.max(0, at - now);
}

const garbled = ({ status }: Response): ApiError => notUnderstood(status);

/** Another version, or something in between that answered in the server's place. */
export function notUnderstood(status = 0): ApiError {
  const text = 'The answer could not be understood. Is the server up to date?';
  return new ApiError('garbled', text, { status });
}

function failed(error: unknown, caller: AbortSignal | undefined): ApiError {
  if (caller?.aborted) return new ApiError('cancelled', 'Cancelled.');
  if (isAbort(error)) return new ApiError('timeout', 'The server did not answer in time.');
  return new ApiError('unreachable', 'The server cannot be reached.');
}

async function whole(body: Promise<Blob>): Promise<Blob> {
  try {
    return await body;
  } catch (error) {
    throw failed(error, undefined);
  }
}

const isAbort = (error: unknown): boolean =>
  error instanceof DOMException && (error.name === 'AbortError' || error.name === 'TimeoutError');

const mediaType = (response: Response): string =>
  (response.headers.get('content-type') ?? '').split(';')[0]!.trim().toLowerCase();

const text = (value: unknown): string => (typeof value === 'string' ? value : '');

function sentence(words: string): string {
  const first = words.charAt(0).toUpperCase() + words.slice(1);
  return /[.!?…]$/.test(first) ? first : `${first}.`;
}
