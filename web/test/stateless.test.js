import assert from 'node:assert/strict';
import test from 'node:test';
import * as decoding from 'lib0/decoding';
import { MESSAGE_STATELESS, Questions, Refused, readStateless, statelessFrame } from '../src/sync/stateless.js';

test('a message survives the frame', () => {
  const decoder = decoding.createDecoder(statelessFrame({ type: 'chat.post', text: 'naïve 🙂' }));
  assert.equal(decoding.readVarUint(decoder), MESSAGE_STATELESS);
  assert.deepEqual(readStateless(decoder), { type: 'chat.post', text: 'naïve 🙂' });
});

test('what is no JSON object is no message', () => {
  for (const bytes of [[3, 123, 34, 97], [4, 110, 117, 108, 108], [9, 1], []]) {
    assert.equal(readStateless(decoding.createDecoder(new Uint8Array(bytes))), null);
  }
});

test('an answer finds its question', async () => {
  const questions = new Questions(() => true);
  const accepted = questions.ask({ type: 'submit', nonce: '1' });
  const refused = questions.ask({ type: 'submit', nonce: '2' });
  assert.equal(questions.answer({ type: 'submit.refused', nonce: '2', reason: 'busy' }), true);
  assert.equal(questions.answer({ type: 'submit.accepted', nonce: '1', id: 's' }), true);
  assert.equal(questions.answer({ type: 'submit.accepted', nonce: '1', id: 's' }), false);
  assert.equal((await accepted).id, 's');
  await assert.rejects(refused, (error) => error instanceof Refused && error.reason === 'busy');
});

test('a broken connection repeats what may be repeated and fails the rest', async () => {
  const sent = [];
  let open = true;
  const questions = new Questions((message) => open && sent.push(message.nonce) > 0);
  const chat = questions.ask({ type: 'chat.post', nonce: 'c' }, { repeatable: true });
  const submit = questions.ask({ type: 'submit', nonce: 's' });
  open = false;
  questions.closed();
  await assert.rejects(submit, { reason: 'disconnected' });
  await assert.rejects(questions.ask({ type: 'submit', nonce: 't' }), { reason: 'disconnected' });
  open = true;
  questions.opened();
  assert.deepEqual(sent, ['c', 's', 'c']);
  questions.answer({ type: 'chat.accepted', nonce: 'c' });
  await chat;
});

test('no answer is an answer after a while', async () => {
  const questions = new Questions(() => true, { timeoutMs: 5 });
  await assert.rejects(questions.ask({ type: 'submit', nonce: '1' }), { reason: 'timeout' });
});
