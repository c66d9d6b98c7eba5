// Who is signed in on this tab. Tokens live in memory and in the tab's session storage, so that a reload keeps the
// session and another tab or a closed one does not.

const KEY = 'coduel.session';

/** Emits `change` when somebody signs in or out. */
export class Session extends EventTarget {
  #storage;
  #tokens = null;
  /** The answer of GET /me, once known. */
  account = null;

  constructor(storage = sessionStorage, now = () => Date.now()) {
    super();
    this.#storage = storage;
    this.now = now;
    try {
      this.#tokens = tokensOf(JSON.parse(storage.getItem(KEY) ?? 'null'));
    } catch {
      this.#tokens = null;
    }
  }

  get isSignedIn() { return this.#tokens !== null; }
  get accessToken() { return this.#tokens?.accessToken ?? null; }
  get refreshToken() { return this.#tokens?.refreshToken ?? null; }
  get isGuest() { return this.account?.roles?.includes('guest') ?? true; }

  /** True when the access token ends within `marginMs`, so that it is better renewed before it is used. */
  endsWithin(marginMs) {
    return this.#tokens !== null && this.#tokens.expiresAt - this.now() < marginMs;
  }

  /** Takes the tokens of an answer of POST /sessions, /sessions/guest or /sessions/refresh. */
  adopt(answer) {
    this.#keep(tokensOf({
      accessToken: answer.access_token,
      refreshToken: answer.refresh_token,
      expiresAt: this.now() + (answer.expires_in ?? 600) * 1000,
    }));
  }

  /** Takes tokens that another tab with the same session has just renewed. */
  adoptTokens(tokens) {
    const valid = tokensOf(tokens);
    if (valid) this.#keep(valid);
  }

  get tokens() { return this.#tokens && { ...this.#tokens }; }

  setAccount(account) {
    this.account = account;
    this.dispatchEvent(new Event('change'));
  }

  clear() {
    this.#tokens = null;
    this.account = null;
    this.#storage.removeItem(KEY);
    this.dispatchEvent(new Event('change'));
  }

  #keep(tokens) {
    this.#tokens = tokens;
    if (tokens) this.#storage.setItem(KEY, JSON.stringify(tokens));
  }
}

function tokensOf(value) {
  if (typeof value?.accessToken !== 'string' || typeof value.refreshToken !== 'string') return null;
  return { accessToken: value.accessToken, refreshToken: value.refreshToken, expiresAt: Number(value.expiresAt) || 0 };
}
