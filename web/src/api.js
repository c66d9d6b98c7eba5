// The HTTP interface under /api/v1: JSON in and out, problem+json as `ApiError`, the access token renewed when it is
// about to end or was refused.

import { randomID } from './ids.js';

const BASE = '/api/v1';
const RENEW_BEFORE_END_MS = 30_000;

/** An answer that was no success. `status` is 0 when there was no answer at all. */
export class ApiError extends Error {
  constructor(status, body = {}, retryAfterSeconds = null) {
    super(errorText(status, body, retryAfterSeconds));
    this.name = 'ApiError';
    this.status = status;
    this.body = body;
    this.retryAfterSeconds = retryAfterSeconds;
  }

  /** `{field: message}` from the `errors` of problem+json. */
  get fields() {
    const fields = {};
    for (const error of Array.isArray(this.body.errors) ? this.body.errors : []) {
      const name = error.field ?? String(error.pointer ?? '').split('/').pop();
      if (name) fields[name] = error.message ?? error.detail ?? error.code ?? '';
    }
    return fields;
  }
}

function errorText(status, body, retryAfterSeconds) {
  if (status === 0) return 'The server cannot be reached.';
  const text = body.detail || body.title || `The server answered ${status}.`;
  return status === 429 && retryAfterSeconds ? `${text} Try again in ${retryAfterSeconds} s.` : text;
}

export class Api {
  #renewal = null;
  #channel;

  /** `channel` tells the browser's other tabs of renewed tokens; null for none. */
  constructor({ session, clock, fetch = (...call) => globalThis.fetch(...call), channel = null }) {
    this.session = session;
    this.clock = clock;
    this.fetch = fetch;
    // A tab that was duplicated shares the refresh token; using it twice would end the session for both.
    this.#channel = channel;
    channel?.addEventListener('message', ({ data }) => {
      if (data?.from && data.from === this.session.refreshToken) this.session.adoptTokens(data.tokens);
    });
  }

  get(path, options) { return this.request('GET', path, options); }
  post(path, body, options) { return this.request('POST', path, { ...options, body }); }
  delete(path, options) { return this.request('DELETE', path, options); }

  /** The answer's JSON (undefined for an empty one). Throws `ApiError`. */
  async request(method, path, options = {}) {
    const response = await this.open(method, path, options);
    const text = await response.text();
    return text ? JSON.parse(text) : undefined;
  }

  /** The successful response itself, its body unread. Throws `ApiError`. */
  async open(method, path, { body, auth = true, headers = {}, signal, keepalive } = {}) {
    if (auth && this.session.endsWithin(RENEW_BEFORE_END_MS)) await this.renew();
    const call = {
      method, signal, keepalive, cache: 'no-store', credentials: 'omit', redirect: 'error',
      headers: { Accept: 'application/json', ...headers },
    };
    if (body !== undefined) {
      call.body = JSON.stringify(body);
      call.headers['Content-Type'] = 'application/json';
    }
    if (method === 'POST') call.headers['Idempotency-Key'] = randomID();
    for (let attempt = 0; ; attempt += 1) {
      if (auth && this.session.accessToken) call.headers.Authorization = `Bearer ${this.session.accessToken}`;
      const response = await this.#send(path, call);
      if (response.ok) return response;
      if (response.status === 401 && auth && attempt === 0 && this.session.isSignedIn && await this.renew()) continue;
      throw await errorOf(response);
    }
  }

  /** Renews the tokens once for all who ask meanwhile. False when the session is over. */
  renew() {
    this.#renewal ??= this.#exclusively(() => this.#renewNow()).finally(() => { this.#renewal = null; });
    return this.#renewal;
  }

  async #renewNow() {
    const from = this.session.refreshToken;
    if (!from) return false;
    const response = await this.#send('/sessions/refresh', {
      method: 'POST', cache: 'no-store', credentials: 'omit',
      headers: { Accept: 'application/json', 'Content-Type': 'application/json' },
      body: JSON.stringify({ refresh_token: from }),
    });
    if (response.ok) {
      this.session.adopt(await response.json());
      this.#channel?.postMessage({ from, tokens: this.session.tokens });
      return true;
    }
    // No word about the session: whoever asked is told that, and not that the token is refused.
    if (response.status >= 500 || response.status === 429) throw await errorOf(response);
    // Another tab may have been faster and told us meanwhile.
    if (this.session.refreshToken !== from) return true;
    this.session.clear();
    return false;
  }

  async #exclusively(run) {
    const before = this.session.refreshToken;
    if (!globalThis.navigator?.locks) return run();
    return navigator.locks.request('coduel.session', async () => {
      // The message of the tab that held the lock before us is delivered first when we yield.
      await new Promise((resolve) => { setTimeout(resolve, 0); });
      return this.session.refreshToken === before ? run() : true;
    });
  }

  async #send(path, call) {
    const sentAt = Date.now();
    let response;
    try {
      response = await this.fetch(BASE + path, call);
    } catch (error) {
      if (error?.name === 'AbortError') throw error;
      throw new ApiError(0);
    }
    this.clock.sample(sentAt, Date.now(), response.headers.get('Date'));
    return response;
  }
}

async function errorOf(response) {
  const retry = Number(response.headers.get('Retry-After'));
  let body = {};
  try {
    body = await response.json();
  } catch {
    // Not every answer on the way here is written by this server.
  }
  return new ApiError(response.status, body ?? {}, Number.isFinite(retry) && retry > 0 ? retry : null);
}
