import assert from 'node:assert/strict';
import test from 'node:test';
import * as Y from 'yjs';
import { eventText, readRoomState, resultOf, roomStateOf, verdictsOf, withFirst } from '../src/room-state.js';

const PLAYERS = {
  b: { handle: 'Ben', language: 'python', submissions: 1, tests_passed: 10, tests_total: 10, connected: true },
  a: { handle: 'Anna', language: 'cpp', submissions: 2, tests_passed: 3, tests_total: 10 },
};
const EVENTS = [
  { type: 'submission_started', player: 'a' },
  { type: 'submission_finished', player: 'a', verdict: 'WA' },
  { type: 'submission_finished', player: 'b', verdict: 'AC' },
];

test('a document of the server is read', () => {
  const doc = new Y.Doc();
  doc.getMap('room').set('phase', 'running');
  doc.getMap('room').set('deadline', '2026-01-01T00:15:00Z');
  doc.getMap('players').set('a', PLAYERS.a);
  doc.getArray('events').push([EVENTS[0]]);
  const state = readRoomState(doc);
  assert.equal(state.phase, 'running');
  assert.equal(state.deadline, Date.UTC(2026, 0, 1, 0, 15));
  assert.equal(state.players[0].handle, 'Anna');
  assert.equal(state.events.length, 1);
});

test('nothing in it is needed', () => {
  const state = roomStateOf({}, { x: null }, [null, 3, {}]);
  assert.equal(state.phase, 'waiting');
  assert.deepEqual([state.players[0].handle, state.players[0].testsTotal], ['x', 0]);
  assert.equal(eventText(state.events[0], state, null), 'event');
});

test('players, verdicts and sentences', () => {
  const state = roomStateOf({ phase: 'finished', winner: 'b' }, PLAYERS, EVENTS);
  assert.deepEqual(withFirst(state.players, 'b').map((player) => player.id), ['b', 'a']);
  assert.deepEqual(verdictsOf(state, 'a'), ['WA']);
  assert.equal(eventText(EVENTS[1], state, 'a'), 'Your submission: Wrong answer');
  assert.equal(eventText(EVENTS[2], state, 'a'), "Ben's submission: Accepted");
});

test('the result, as each sees it', () => {
  const state = roomStateOf({ phase: 'finished', winner: 'b' }, PLAYERS, EVENTS);
  assert.deepEqual(resultOf(state, 'b'), { outcome: 'won', title: 'You win', detail: 'First accepted submission.' });
  assert.equal(resultOf(state, 'a').outcome, 'lost');
  assert.equal(resultOf(state, 'z').outcome, 'decided');
  assert.equal(resultOf(roomStateOf({ phase: 'finished' }, PLAYERS, []), 'a').outcome, 'draw');
});
