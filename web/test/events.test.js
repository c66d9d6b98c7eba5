import assert from 'node:assert/strict';
import test from 'node:test';
import { EventStreamParser } from '../src/events.js';

const STREAM = ': hello\r\n\r\nid: 7\nevent: match.found\ndata: {"room_id":\ndata: "r1"}\n\nretry: 250\rdata:x\r\r\nevent: lost\n\ndata: end\n\n';
const EXPECTED = [
  { type: 'match.found', data: '{"room_id":\n"r1"}', id: '7' },
  { type: 'message', data: 'x', id: '7' },
  { type: 'message', data: 'end', id: '7' },
];

test('events come out the same however the text is cut', () => {
  for (let size = 1; size <= STREAM.length; size += 1) {
    const parser = new EventStreamParser();
    const events = [];
    for (let at = 0; at < STREAM.length; at += size) events.push(...parser.push(STREAM.slice(at, at + size)));
    assert.deepEqual(events, EXPECTED, `pieces of ${size}`);
    assert.equal(parser.retryMs, 250);
    assert.equal(parser.lastEventID, '7');
  }
});

test('an endless line is refused', () => {
  const parser = new EventStreamParser();
  assert.throws(() => parser.push('x'.repeat((1 << 20) + 1)), /too long/);
});
