import assert from 'node:assert/strict';
import test from 'node:test';
import { refreshTokenOf } from '../src/refresh-token.js';
import { CookieJar, memory } from './stand-ins.js';

test('the cookie is used where the browser keeps it, and trying leaves nothing behind', () => {
  const jar = new CookieJar();
  const token = refreshTokenOf(jar, memory());
  assert.equal(token.isShared, true);
  assert.deepEqual(token.wish, { cookie: true });
  assert.equal(jar.cookie, '');
  assert.equal(token.stamp, null);
});

test('the stamp is the value of one cookie among others', () => {
  const jar = new CookieJar();
  jar.cookie = 'other__Host-coduel_csrf=no; Path=/';
  const token = refreshTokenOf(jar, memory());
  assert.equal(token.stamp, null);
  jar.cookie = '__Host-coduel_csrf=abc; Path=/; Secure';
  assert.deepEqual(token.proof, { headers: { 'X-CSRF-Token': 'abc' }, body: {} });
  token.forget();
  assert.equal(token.stamp, null);
});

test('a browser without such cookies keeps the token in the tab', () => {
  const storage = memory();
  const token = refreshTokenOf(new CookieJar(false), storage);
  assert.equal(token.isShared, false);
  assert.deepEqual(token.wish, {});
  token.keep('r1');
  token.keep(undefined);
  assert.deepEqual(refreshTokenOf(new CookieJar(false), storage).proof, { headers: {}, body: { refresh_token: 'r1' } });
  token.forget();
  assert.equal(token.stamp, null);
});
