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

  /** `channel` tells the browser's other tabs of new tokens; null for none. */
  constructor({ session, clock, fetch = (...call) => globalThis.fetch(...call), channel = null }) {
    this.session = session;
    this.clock = clock;
    this.fetch = fetch;
    this.#channel = channel;
    channel?.addEventListener('message', ({ data }) => this.session.follow(data));
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
  async open(method, path, {
    body, auth = true, renews = auth, cookies = false, headers = {}, signal, keepalive,
  } = {}) {
    const asker = this.session.userID;
    if (renews && this.session.endsWithin(RENEW_BEFORE_END_MS)) await this.#renewFor(asker);
    const call = {
      method, signal, keepalive, cache: 'no-store', credentials: cookies ? 'same-origin' : 'omit', redirect: 'error',
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
      if (response.status === 401 && renews && attempt === 0 && this.session.isSignedIn
        && await this.#renewFor(asker)) continue;
      throw await errorOf(response);
    }
  }

  /** As `renew`; what one person asked for is never sent as another, whose cookie the browser may have by now. */
  async #renewFor(asker) {
    const isRenewed = await this.renew();
    if (isRenewed && asker !== null && this.session.userID !== asker) throw new ApiError(401);
    return isRenewed;
  }

  /** Begins a session by POST `path`, for all tabs that share its cookie. */
  begin(path, body) {
    return exclusively(async () => {
      const options = { auth: false, cookies: true };
      this.session.adopt(await this.post(path, { ...body, ...this.session.wish }, options));
      this.#channel?.postMessage(this.session.news(null));
    });
  }

  /** Ends the session, here whatever the server answers. */
  async end() {
    if (this.session.endsWithin(RENEW_BEFORE_END_MS)) await this.renew().catch(() => {});
    await exclusively(async () => {
      const from = this.session.stamp;
      try {
        // A renewal would wait for the lock that is held here.
        await this.delete('/sessions/current', { cookies: true, renews: false });
      } finally {
        this.session.clear();
        this.#channel?.postMessage(this.session.news(from));
      }
    });
  }

  /** Renews the tokens once for all who ask meanwhile, in this tab and others. False when the session is over. */
  renew() {
    const before = this.session.accessToken;
    this.#renewal ??= exclusively(async () => {
      // The message of the tab that renewed before us is delivered when we yield.
      await new Promise((resolve) => { setTimeout(resolve, 0); });
      const { accessToken } = this.session;
      return accessToken === before ? this.#renewNow() : accessToken !== null;
    }).finally(() => { this.#renewal = null; });
    return this.#renewal;
  }

  async #renewNow(attempt = 0) {
    const { stamp, proof } = this.session;
    if (stamp === null) return this.#over();
    // A token whose answer is lost with the page could be used only for the server's grace.
    const response = await this.#send('/sessions/refresh', {
      method: 'POST', cache: 'no-store', credentials: 'same-origin', keepalive: true,
      headers: { Accept: 'application/json', 'Content-Type': 'application/json', ...proof.headers },
      body: JSON.stringify(proof.body),
    });
    if (response.ok) {
      this.session.adoptRenewed(await response.json());
      this.#channel?.postMessage(this.session.news(stamp));
      return true;
    }
    // No word about the session: whoever asked is told that, and not that the token is refused.
    if (response.status >= 500 || response.status === 429) throw await errorOf(response);
    // Another tab was faster, where the browser has no locks.
    if (attempt === 0 && this.session.stamp !== stamp) return this.#renewNow(1);
    return this.#over();
  }

  #over() {
    this.session.clear();
    return false;
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

/** Runs `change` while no other tab changes the tokens: a refresh token that two use at once can end the session. */
function exclusively(change) {
  return globalThis.navigator?.locks ? navigator.locks.request('coduel.session', change) : change();
}
