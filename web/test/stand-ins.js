// Stand-ins for what only a browser has.

/** Something like `sessionStorage`. */
export function memory() {
  const values = new Map();
  return {
    getItem: (key) => values.get(key) ?? null,
    setItem: (key, value) => values.set(key, value),
    removeItem: (key) => values.delete(key),
  };
}

/** Something like `document.cookie`; `keeps` is whether it takes secure cookies. */
export class CookieJar {
  #cookies = new Map();

  constructor(keeps = true) { this.keeps = keeps; }

  get cookie() { return [...this.#cookies].map(([name, value]) => `${name}=${value}`).join('; '); }

  set cookie(text) {
    const [pair, ...attributes] = text.split('; ');
    if (!this.keeps && attributes.includes('Secure')) return;
    const [name, value] = pair.split('=');
    if (attributes.includes('Max-Age=0')) this.#cookies.delete(name);
    else this.#cookies.set(name, value);
  }
}
