// Who is signed in. The access token lives in memory; `refresh-token.js` says where the token is that renews it.

import { refreshTokenOf } from './refresh-token.js';

/**
 * Emits `change` when the account is known, another, or gone; `person` when another tab has signed in as somebody else
 * than this one has, or signed out.
 */
export class Session extends EventTarget {
  #refresh;
  #access = null;
  /** The answer of GET /me, once known. */
  account = null;

  constructor(refresh = refreshTokenOf(document, sessionStorage), now = () => Date.now()) {
    super();
    this.#refresh = refresh;
    this.now = now;
  }

  /** True also before the first access token, when one can be had. */
  get isSignedIn() { return this.#access !== null || this.stamp !== null; }
  get accessToken() { return this.#access?.token ?? null; }
  get userID() { return this.#access?.userID ?? null; }
  get isGuest() { return this.account?.roles?.includes('guest') ?? true; }

  /** Changes with the refresh token; null without one. */
  get stamp() { return this.#refresh.stamp; }
  /** What a log-in's body says about where the refresh token shall be. */
  get wish() { return this.#refresh.wish; }
  /** The header fields and the body of a refresh. */
  get proof() { return this.#refresh.proof; }
  get takesHostCookies() { return this.#refresh.isShared; }

  /** True when an access token is to be had and the present one, if any, ends within `marginMs`. */
  endsWithin(marginMs) {
    return this.isSignedIn && (this.#access?.expiresAt ?? 0) - this.now() < marginMs;
  }

  /** Takes the tokens of an answer of POST /sessions, /sessions/guest or /sessions/refresh. */
  adopt(answer) {
    this.#refresh.keep(answer.refresh_token);
    this.#access = accessOf({
      token: answer.access_token,
      userID: answer.user?.id ?? null,
      expiresAt: this.now() + (answer.expires_in ?? 600) * 1000,
    });
  }

  /** Takes the tokens of a renewal; the browser's cookie may be of another person by now. */
  adoptRenewed(answer) {
    const before = this.userID;
    this.adopt(answer);
    if (before !== null) this.#noticePerson(before);
  }

  /** What other tabs are told after a change; `from` is the stamp before it. */
  news(from) {
    const refreshToken = this.#refresh.isShared ? null : this.stamp;
    return { from, access: this.#access && { ...this.#access }, refreshToken };
  }

  /** Takes the news of another tab, where they are of the same session or the browser has only one. */
  follow(news) {
    const concerns = this.#refresh.isShared || (news?.from && news.from === this.stamp);
    if (!concerns) return;
    const before = this.userID;
    this.#access = accessOf(news.access);
    if (this.#access) this.#refresh.keep(news.refreshToken);
    else this.#refresh.forget();
    this.#noticePerson(before);
  }

  setAccount(account) {
    this.account = account;
    this.dispatchEvent(new Event('change'));
  }

  clear() {
    this.#access = null;
    this.account = null;
    this.#refresh.forget();
    this.dispatchEvent(new Event('change'));
  }

  #noticePerson(before) {
    if (this.userID === before) return;
    this.account = null;
    this.dispatchEvent(Object.assign(new Event('person'), { before }));
  }
}

function accessOf(value) {
  if (typeof value?.token !== 'string') return null;
  return { token: value.token, userID: value.userID ?? null, expiresAt: Number(value.expiresAt) || 0 };
}
