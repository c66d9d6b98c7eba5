// Signing in and out.

/** Registers and signs in. */
export async function register(api, { handle, email, password }) {
  await api.post('/users', { handle, email, password }, { auth: false });
  await logIn(api, { login: handle, password });
}

export async function logIn(api, { login, password }) {
  await api.begin('/sessions', { login, password });
  await loadAccount(api);
}

export async function logInAsGuest(api, handle) {
  await api.begin('/sessions/guest', handle ? { handle } : {});
  await loadAccount(api);
}

/** Asks who we are; a session that is over is forgotten. */
export async function loadAccount(api) {
  try {
    const account = await api.get('/me');
    // Another tab may have signed in as somebody else meanwhile.
    if (account.id === api.session.userID) api.session.setAccount(account);
  } catch (error) {
    if (error.status !== 401) throw error;
    api.session.clear();
  }
}

/** Makes sure that there is an account to act with: a watcher who is nobody yet becomes a guest. */
export async function ensureAccount(api) {
  if (api.session.isSignedIn && !api.session.account) await loadAccount(api);
  if (!api.session.isSignedIn) await logInAsGuest(api, null);
}

export const logOut = (api) => api.end();

/** The names of the providers that one may log in at; none where the browser could not come back from there. */
export async function providers(api) {
  if (!api.session.takesHostCookies) return [];
  const { items } = await api.get('/oidc', { auth: false });
  return items.map((provider) => provider.name);
}
