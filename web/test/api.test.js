import assert from 'node:assert/strict';
import test from 'node:test';
import { Api, ApiError } from '../src/api.js';
import { ServerClock } from '../src/clock.js';
import { CookieToken, TabToken } from '../src/refresh-token.js';
import { Session } from '../src/session.js';
import { CookieJar, memory } from './stand-ins.js';

/** An API whose server is `answer(path, call)`, returning `[status, body, headers]`. */
function apiWith(answer, { refresh = new TabToken(memory()), channel = null } = {}) {
  const session = new Session(refresh, () => 0);
  const calls = [];
  const api = new Api({
    session,
    channel,
    clock: new ServerClock(),
    fetch: async (url, call) => {
      const path = url.replace('/api/v1', '');
      calls.push({ path, ...call });
      const [status, body, headers] = await answer(path, call);
      return new Response(body === undefined ? null : JSON.stringify(body), { status, headers });
    },
  });
  return { api, session, calls };
}

const tokens = (number, expires_in = 600, user = 'u1') => ({
  access_token: `a${number}`, refresh_token: `r${number}`, expires_in, user: { id: user, handle: user },
});

test('a refused access token is renewed once for all who wait', async () => {
  let renewals = 0;
  const { api, session } = apiWith((path, call) => {
    if (path === '/sessions/refresh') {
      renewals += 1;
      return [200, tokens(2)];
    }
    return call.headers.Authorization === 'Bearer a2' ? [200, { ok: true }] : [401, {}];
  });
  session.adopt(tokens(1));
  const answers = await Promise.all([api.get('/me'), api.get('/me'), api.get('/me')]);
  assert.deepEqual(answers, [{ ok: true }, { ok: true }, { ok: true }]);
  assert.equal(renewals, 1);
  assert.equal(session.accessToken, 'a2');
});

test('a token about to end is renewed before it is used', async () => {
  const { api, session, calls } = apiWith((path) => (path === '/sessions/refresh' ? [200, tokens(2)] : [200, {}]));
  session.adopt(tokens(1, 5));
  await api.get('/me');
  assert.deepEqual(calls.map((call) => call.path), ['/sessions/refresh', '/me']);
});

test('a session that is over is forgotten', async () => {
  const refresh = new TabToken(memory());
  const { api, session } = apiWith(() => [401, { detail: 'no' }], { refresh });
  session.adopt(tokens(1));
  await assert.rejects(api.get('/me'), (error) => error instanceof ApiError && error.status === 401);
  assert.equal(session.isSignedIn, false);
  assert.equal(new Session(refresh).isSignedIn, false);
});

test('a server that is away ends no session', async () => {
  const { api, session } = apiWith((path) => (path === '/sessions/refresh' ? [503, {}] : [401, {}]));
  session.adopt(tokens(1));
  await assert.rejects(api.get('/me'));
  assert.equal(session.isSignedIn, true);
});

test('problem+json becomes an error with its fields', async () => {
  const { api, calls } = apiWith(() => [422, { detail: 'Bad.', errors: [{ field: 'handle', message: 'taken' }, { pointer: '/email', message: 'odd' }] }]);
  const error = await api.post('/users', { handle: 'x' }, { auth: false }).catch((caught) => caught);
  assert.equal(error.message, 'Bad.');
  assert.deepEqual(error.fields, { handle: 'taken', email: 'odd' });
  assert.match(calls[0].headers['Idempotency-Key'], /^[0-9a-f]{32}$/);
  assert.equal(calls[0].headers.Authorization, undefined);
});

test('too many requests say when to come back', async () => {
  const { api } = apiWith(() => [429, { title: 'Too many requests.' }, { 'Retry-After': '7' }]);
  await assert.rejects(api.get('/me'), /Try again in 7 s/);
});

test('without cookies a duplicated tab takes the tokens another has renewed, and only those', async () => {
  const channel = Object.assign(new EventTarget(), { postMessage: () => {} });
  const { session } = apiWith(() => [500], { channel });
  session.adopt(tokens(1));
  const access = { token: 'a2', userID: 'u1', expiresAt: 600_000 };
  const tell = (from) => channel.dispatchEvent(new MessageEvent('message', { data: { from, access, refreshToken: 'r2' } }));
  tell('another');
  tell(null);
  assert.equal(session.accessToken, 'a1');
  tell('r1');
  assert.deepEqual([session.accessToken, session.stamp], ['a2', 'r2']);
});

/** A server with one session whose refresh token is the number in the cookies of `jar`. */
function cookieServer(jar, { user = 'u1' } = {}) {
  const state = { current: 1, refused: 0, user };
  const set = () => { jar.cookie = `__Host-coduel_csrf=c${state.current}; Path=/; Secure`; };
  const answer = (path, call) => {
    if (path === '/sessions/current') return [204];
    if (path === '/me') return [200, { id: state.user }];
    if (path === '/sessions/refresh') {
      if (call.headers['X-CSRF-Token'] !== `c${state.current}`) {
        state.refused += 1;
        return [403, { code: 'csrf_token_missing' }];
      }
      state.current += 1;
    }
    set();
    const { refresh_token, ...rest } = tokens(state.current, 600, state.user);
    return [201, rest];
  };
  return { state, answer };
}

/** Channels that hear each other, as those of the tabs of one browser. */
function channels(count) {
  const all = Array.from({ length: count }, () => new EventTarget());
  for (const one of all) {
    one.postMessage = (data) => {
      const copy = structuredClone(data);
      for (const other of all) if (other !== one) other.dispatchEvent(new MessageEvent('message', { data: copy }));
    };
  }
  return all;
}

test('with cookies no script holds a refresh token', async () => {
  const jar = new CookieJar();
  const { answer } = cookieServer(jar);
  const { api, session, calls } = apiWith(answer, { refresh: new CookieToken(jar) });
  await api.begin('/sessions', { login: 'ann', password: 'secret' });
  assert.deepEqual(JSON.parse(calls[0].body), { login: 'ann', password: 'secret', cookie: true });
  assert.equal(calls[0].credentials, 'same-origin');
  assert.equal(session.stamp, 'c1');
  await api.renew();
  assert.deepEqual([calls[1].body, calls[1].credentials, calls[1].headers['X-CSRF-Token']], ['{}', 'same-origin', 'c1']);
  await api.get('/me');
  assert.equal(calls[2].credentials, 'omit');
});

test('a tab that is opened later is signed in by the cookie', async () => {
  const jar = new CookieJar();
  const { answer } = cookieServer(jar);
  await apiWith(answer, { refresh: new CookieToken(jar) }).api.begin('/sessions', {});
  const second = apiWith(answer, { refresh: new CookieToken(jar) });
  assert.equal(second.session.isSignedIn, true);
  await second.api.get('/me');
  assert.deepEqual(second.calls.map((call) => call.path), ['/sessions/refresh', '/me']);
});

test('a tab without locks that comes second tries the newer cookie', async () => {
  const jar = new CookieJar();
  const { state, answer } = cookieServer(jar);
  const first = apiWith(answer, { refresh: new CookieToken(jar) });
  await first.api.begin('/sessions', {});
  const slow = apiWith((path, call) => {
    // The other tab is faster, once.
    if (state.current === 1) answer('/sessions/refresh', { headers: { 'X-CSRF-Token': 'c1' } });
    return answer(path, call);
  }, { refresh: new CookieToken(jar) });
  assert.equal(await slow.api.renew(), true);
  assert.deepEqual([state.refused, state.current], [1, 3]);
});

test('the tabs of a browser sign out together, and one that changes who it is tells the others', async () => {
  const jar = new CookieJar();
  const { state, answer } = cookieServer(jar);
  const [one, two] = channels(2).map((channel) => apiWith(answer, { channel, refresh: new CookieToken(jar) }));
  const before = [];
  two.session.addEventListener('person', (event) => before.push(event.before));
  await one.api.begin('/sessions', {});
  assert.equal(two.session.accessToken, 'a1');
  state.user = 'u2';
  await one.api.renew();
  assert.equal(two.session.userID, 'u2');
  await one.api.end();
  assert.deepEqual([one.session.isSignedIn, two.session.isSignedIn, jar.cookie], [false, false, '']);
  assert.deepEqual(before, [null, 'u1', 'u2']);
});

test('a tab notices that a renewal was of another person', async () => {
  const jar = new CookieJar();
  const { state, answer } = cookieServer(jar);
  const { api, session } = apiWith(answer, { refresh: new CookieToken(jar) });
  await api.begin('/sessions', {});
  const before = [];
  session.addEventListener('person', (event) => before.push(event.before));
  await api.renew();
  state.user = 'u2';
  await api.renew();
  assert.deepEqual(before, ['u1']);
});

test('what one person asked for is not sent as another', async () => {
  const jar = new CookieJar();
  const { state, answer } = cookieServer(jar);
  const { api, calls } = apiWith((path, call) => (path === '/rooms' ? [401] : answer(path, call)), { refresh: new CookieToken(jar) });
  await api.begin('/sessions', {});
  state.user = 'u2';
  await assert.rejects(api.post('/rooms', {}), (error) => error.status === 401);
  assert.deepEqual(calls.map((call) => call.path), ['/sessions', '/rooms', '/sessions/refresh']);
});

test('signing out counts here also when the server is away', async () => {
  const jar = new CookieJar();
  const server = cookieServer(jar);
  let away = false;
  const { api, session } = apiWith((path, call) => (away ? [503, {}] : server.answer(path, call)), { refresh: new CookieToken(jar) });
  await api.begin('/sessions', {});
  away = true;
  await assert.rejects(api.end());
  assert.deepEqual([session.isSignedIn, jar.cookie], [false, '']);
});
