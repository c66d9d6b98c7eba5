import assert from 'node:assert/strict';
import test from 'node:test';
import { Api, ApiError } from '../src/api.js';
import { ServerClock } from '../src/clock.js';
import { Session } from '../src/session.js';

function memory() {
  const values = new Map();
  return {
    getItem: (key) => values.get(key) ?? null,
    setItem: (key, value) => values.set(key, value),
    removeItem: (key) => values.delete(key),
  };
}

/** An API whose server is `answer(path, call)`, returning `[status, body, headers]`. */
function apiWith(answer, storage = memory()) {
  const session = new Session(storage, () => 0);
  const calls = [];
  const api = new Api({
    session,
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

const tokens = (number, expires_in = 600) => ({ access_token: `a${number}`, refresh_token: `r${number}`, expires_in });

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
  const storage = memory();
  const { api, session } = apiWith(() => [401, { detail: 'no' }], storage);
  session.adopt(tokens(1));
  await assert.rejects(api.get('/me'), (error) => error instanceof ApiError && error.status === 401);
  assert.equal(session.isSignedIn, false);
  assert.equal(new Session(storage).isSignedIn, false);
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

test('a duplicated tab takes the tokens another has renewed', async () => {
  const channel = Object.assign(new EventTarget(), { postMessage: () => {} });
  const session = new Session(memory(), () => 0);
  const api = new Api({ session, clock: new ServerClock(), channel });
  session.adopt(tokens(1));
  const renewed = { accessToken: 'a2', refreshToken: 'r2', expiresAt: 600_000 };
  channel.dispatchEvent(new MessageEvent('message', { data: { from: 'another', tokens: renewed } }));
  assert.equal(api.session.accessToken, 'a1');
  channel.dispatchEvent(new MessageEvent('message', { data: { from: 'r1', tokens: renewed } }));
  assert.equal(api.session.accessToken, 'a2');
});
