import assert from 'node:assert/strict';
import test from 'node:test';
import { ServerClock, clockText, timeMs } from '../src/clock.js';

const header = (ms) => new Date(Math.floor(ms / 1000) * 1000).toUTCString();

test('the offset narrows with every answer and holds the truth', () => {
  let local = 1_700_000_000_000;
  const clock = new ServerClock(() => local);
  const offset = 123_456;
  let uncertainty = Infinity;
  for (let index = 0; index < 40; index += 1) {
    const sent = local;
    local += 20 + (index * 37) % 60;
    clock.sample(sent, local, header(sent + 10 + offset));
    local += 331;
    assert.ok(clock.uncertaintyMs <= uncertainty);
    uncertainty = clock.uncertaintyMs;
    assert.ok(Math.abs(clock.offsetMs - offset) <= uncertainty + 1, `${clock.offsetMs} ± ${uncertainty}`);
  }
  assert.ok(uncertainty < 100, `± ${uncertainty} ms after 40 answers`);
  assert.equal(clock.now(), local + clock.offsetMs);
});

test('a clock that was set is followed', () => {
  const clock = new ServerClock(() => 0);
  clock.sample(1_000_000, 1_000_010, header(1_000_000));
  clock.sample(1_000_020, 1_000_030, header(9_000_000));
  assert.ok(Math.abs(clock.offsetMs - 8_000_000) < 1_100);
});

test('answers without a date change nothing', () => {
  const clock = new ServerClock(() => 42);
  clock.sample(1, 2, null);
  clock.sample(1, 2, 'yesterday');
  assert.equal(clock.now(), 42);
});

test('times and countdowns', () => {
  assert.equal(timeMs('1970-01-01T00:00:01Z'), 1000);
  assert.equal(timeMs(5), 5);
  assert.equal(timeMs(null), null);
  assert.equal(timeMs('soon'), null);
  assert.equal(clockText(75_000), '1:15');
  assert.equal(clockText(59_001), '1:00');
  assert.equal(clockText(-5), '0:00');
  assert.equal(clockText(3_600_000), '1:00:00');
});
