// Where the refresh token is, which the page exchanges for access tokens. In a cookie that no script can read and that
// all tabs of the browser share; where the browser keeps no such cookie, which needs TLS or loopback, in the tab.

const CSRF_COOKIE = '__Host-coduel_csrf';
const PROBE_COOKIE = '__Host-coduel_probe';
const ATTRIBUTES = '; Path=/; Secure; SameSite=Strict';
const TAB_KEY = 'coduel.refresh';

/** The place that this browser allows. */
export function refreshTokenOf(jar, storage) {
  return keepsHostCookies(jar) ? new CookieToken(jar) : new TabToken(storage);
}

/**
 * A token in the server's cookie. What the page sees of it is the second cookie, whose value goes with every use, so
 * that no other site can use the first.
 */
export class CookieToken {
  #jar;
  isShared = true;
  /** Added to a log-in's body. */
  wish = { cookie: true };

  /** `jar` is the document. */
  constructor(jar) { this.#jar = jar; }

  /** Changes with the token; null when there is none. */
  get stamp() { return valueOf(this.#jar, CSRF_COOKIE); }

  /** What a refresh has to send. */
  get proof() { return { headers: { 'X-CSRF-Token': this.stamp ?? '' }, body: {} }; }

  /** The answer has set the cookies. */
  keep() {}

  /** Without its companion the token is of no use to anybody here. */
  forget() { expire(this.#jar, CSRF_COOKIE); }
}

/** A token in the tab's session storage: a reload keeps it, a duplicated tab has it too, another tab does not. */
export class TabToken {
  #storage;
  isShared = false;
  wish = {};

  constructor(storage) { this.#storage = storage; }

  get stamp() { return this.#storage.getItem(TAB_KEY); }
  get proof() { return { headers: {}, body: { refresh_token: this.stamp } }; }

  keep(token) {
    if (typeof token === 'string') this.#storage.setItem(TAB_KEY, token);
  }

  forget() { this.#storage.removeItem(TAB_KEY); }
}

/** Whether a `__Host-` cookie that is written here can be read again. */
export function keepsHostCookies(jar) {
  jar.cookie = `${PROBE_COOKIE}=1${ATTRIBUTES}`;
  const kept = valueOf(jar, PROBE_COOKIE) !== null;
  if (kept) expire(jar, PROBE_COOKIE);
  return kept;
}

function valueOf(jar, name) {
  for (const pair of jar.cookie.split('; ')) {
    if (pair.startsWith(`${name}=`)) return pair.slice(name.length + 1) || null;
  }
  return null;
}

function expire(jar, name) {
  jar.cookie = `${name}=${ATTRIBUTES}; Max-Age=0`;
}
