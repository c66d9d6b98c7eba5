import assert from 'node:assert/strict';
import test from 'node:test';
import { inviteFromText, joinHash, roomFromText, roomHash, routeOf, watchSearch } from '../src/router.js';

test('routes', () => {
  assert.deepEqual(routeOf({}), { name: 'home' });
  assert.deepEqual(routeOf({ hash: '#/' }), { name: 'home' });
  assert.deepEqual(routeOf({ hash: roomHash('019a-b') }), { name: 'room', room: '019a-b' });
  assert.deepEqual(routeOf({ search: watchSearch('019a-b') }), { name: 'room', room: '019a-b' });
  assert.deepEqual(routeOf({ hash: joinHash('code', 'r1') }), { name: 'join', code: 'code', room: 'r1' });
  assert.deepEqual(routeOf({ hash: '#/join/code' }), { name: 'join', code: 'code', room: null });
  assert.deepEqual(routeOf({ search: '?watch=a', hash: '#/rooms/b' }), { name: 'room', room: 'b' });
});

test('links of mails', () => {
  assert.deepEqual(routeOf({ hash: '#/verify-email/a_B-1' }), { name: 'verify-email', code: 'a_B-1' });
  assert.deepEqual(routeOf({ hash: '#/reset-password/a_B-1' }), { name: 'reset-password', code: 'a_B-1' });
  assert.deepEqual(routeOf({ hash: '#/reset-password' }), { name: 'reset-password', code: null });
  assert.equal(routeOf({ hash: '#/verify-email/' }).name, 'home');
});

test('where a log-in at a provider ends', () => {
  assert.deepEqual(routeOf({ hash: '#/signed-in' }), { name: 'signed-in' });
  assert.deepEqual(routeOf({ hash: '#/linked' }), { name: 'linked' });
  assert.deepEqual(routeOf({ hash: '#/sign-in-failed/banned' }), { name: 'sign-in-failed', code: 'banned' });
  assert.deepEqual(routeOf({ hash: '#/sign-in-failed/<b>' }), { name: 'sign-in-failed', code: null });
});

test('names that are none lead home', () => {
  for (const hash of ['#/rooms/', '#/rooms/..%2f..', '#/rooms/%', '#/rooms/a b', `#/rooms/${'x'.repeat(129)}`, '#/join/']) {
    assert.equal(routeOf({ hash }).name, 'home', hash);
  }
});

test('pasted links', () => {
  assert.equal(roomFromText(' http://h:1/?watch=r1 '), 'r1');
  assert.equal(roomFromText('https://h/#/rooms/r2'), 'r2');
  assert.equal(roomFromText('r3'), 'r3');
  assert.equal(roomFromText('not a room'), null);
  assert.deepEqual(inviteFromText('https://h/#/join/c/r'), { code: 'c', room: 'r' });
  assert.equal(inviteFromText('https://h/'), null);
});
