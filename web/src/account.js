// Signing in and out.

/** Registers and signs in. */
export async function register(api, { handle, email, password }) {
  await api.post('/users', { handle, email, password }, { auth: false });
  await logIn(api, { login: handle, password });
}

export async function logIn(api, { login, password }) {
  api.session.adopt(await api.post('/sessions', { login, password }, { auth: false }));
  await loadAccount(api);
}

export async function logInAsGuest(api, handle) {
  const body = handle ? { handle } : {};
  api.session.adopt(await api.post('/sessions/guest', body, { auth: false }));
  await loadAccount(api);
}

/** Asks who we are; a session that is over is forgotten. */
export async function loadAccount(api) {
  try {
    api.session.setAccount(await api.get('/me'));
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

export async function logOut(api) {
  try {
    await api.delete('/sessions/current');
  } finally {
    api.session.clear();
  }
}
