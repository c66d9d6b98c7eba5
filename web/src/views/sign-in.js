// Logging in at a provider: the browser goes there, and what the server sends it back to.

import { notice } from '../parts/notice.js';

const PLACE_KEY = 'coduel.place';

const REFUSALS = {
  access_denied: 'The log-in was given up.',
  banned: 'This account is banned.',
  identity_taken: 'Somebody else has linked this identity to their account.',
  login_refused: 'The provider’s answer does not fit the log-in that was begun here.',
  unavailable: 'The provider cannot be reached at the moment. A password still works.',
  rate_limited: 'There were too many tries. Wait a minute.',
};

/** Where a browser begins a log-in at the provider `name`. */
export const providerPath = (name) => `/api/v1/oidc/${encodeURIComponent(name)}/start`;

/** Keeps the place to come back to. */
export function rememberPlace() {
  sessionStorage.setItem(PLACE_KEY, location.search + location.hash);
}

/** The session has begun: on to where it was wanted, in the place of this address. */
export function signedInView(main, { session }) {
  if (!session.account) {
    notice(main, 'You are not logged in', 'The browser did not keep the session. Are cookies allowed here?');
    return;
  }
  const place = sessionStorage.getItem(PLACE_KEY) ?? '';
  sessionStorage.removeItem(PLACE_KEY);
  location.replace(/^[?#](?!\/sign)/.test(place) ? `/${place}` : '#/');
}

export function linkedView(main) {
  notice(main, 'Linked', 'From now on you can log in there as well.');
}

export function signInFailedView(main, { route }) {
  notice(main, 'The log-in did not succeed', REFUSALS[route.code] ?? 'The server refused it.');
}
