// What the `state` document says, as one plain value the views draw. The document is written by the server alone;
// reading it stays tolerant, so that a field added or missing never breaks the page.

import { timeMs } from './clock.js';
import { verdictName } from './verdicts.js';

export const PHASES = ['waiting', 'countdown', 'running', 'deciding', 'finished'];

/** Reads the document's roots `room`, `players` and `events`. */
export function readRoomState(doc) {
  return roomStateOf(doc.getMap('room').toJSON(), doc.getMap('players').toJSON(), doc.getArray('events').toJSON());
}

/** The same from plain values. */
export function roomStateOf(room, players, events) {
  return {
    kind: room.kind ?? null,
    phase: PHASES.includes(room.phase) ? room.phase : 'waiting',
    problemID: room.problem_id ?? null,
    startedAt: timeMs(room.started_at),
    deadline: timeMs(room.deadline),
    winner: room.winner ?? null,
    disputed: room.disputed === true,
    spectators: Number.isFinite(room.spectators) ? room.spectators : 0,
    players: Object.entries(players).map(([id, value]) => playerOf(id, value ?? {}))
      .sort((one, other) => (one.id < other.id ? -1 : 1)),
    events: events.filter((event) => event && typeof event === 'object'),
  };
}

function playerOf(id, value) {
  return {
    id,
    handle: value.handle ?? id,
    language: value.language ?? null,
    submissions: count(value.submissions),
    testsPassed: count(value.tests_passed),
    testsTotal: count(value.tests_total),
    finishedAt: timeMs(value.finished_at),
    connected: value.connected === true,
  };
}

// A list of submissions is as good as their number.
function count(value) {
  return Array.isArray(value) ? value.length : Number.isFinite(value) ? value : 0;
}

/** The players with `id` first. */
export function withFirst(players, id) {
  return [...players.filter((player) => player.id === id), ...players.filter((player) => player.id !== id)];
}

/** The id of the player an event is about, or null. */
export function eventPlayer(event) {
  return event.player ?? null;
}

/** The verdicts a player has got so far, oldest first. */
export function verdictsOf(state, playerID) {
  return state.events
    .filter((event) => event.type === 'submission_finished' && eventPlayer(event) === playerID && event.verdict)
    .map((event) => event.verdict);
}

/** An event as a sentence; an unknown kind becomes its name with spaces. */
export function eventText(event, state, myID) {
  const id = eventPlayer(event);
  const handle = state.players.find((player) => player.id === id)?.handle ?? event.handle ?? 'Someone';
  const who = id !== null && id === myID ? 'You' : handle;
  switch (event.type) {
    case 'submission_started': return `${who} submitted`;
    case 'submission_finished': return `${who === 'You' ? 'Your' : `${handle}'s`} submission: ${verdictName(event.verdict)}`;
    case 'joined': return `${who} joined`;
    case 'left': return `${who} left`;
    case 'forfeited': return `${who} gave up`;
    case 'started': return 'The battle is on';
    case 'finished': return 'The battle is over';
    default: return `${id === null ? '' : `${who}: `}${String(event.type ?? 'event').replace(/[._]/g, ' ')}`;
  }
}

/** The line of the result banner for the person looking: `outcome` is won, lost, draw or decided (a watcher's view). */
export function resultOf(state, myID) {
  const winner = state.players.find((player) => player.id === state.winner);
  const playing = state.players.some((player) => player.id === myID);
  if (state.winner === null) return { outcome: 'draw', title: 'Draw', detail: 'Nobody solved it in time.' };
  if (playing && state.winner === myID) return { outcome: 'won', title: 'You win', detail: reasonOf(state) };
  const title = `${winner?.handle ?? 'Somebody'} wins`;
  return { outcome: playing ? 'lost' : 'decided', title, detail: reasonOf(state) };
}

function reasonOf(state) {
  const forfeit = state.events.some((event) => event.type === 'forfeited');
  const accepted = verdictsOf(state, state.winner).includes('AC');
  if (accepted) return 'First accepted submission.';
  return forfeit ? 'The other side gave up.' : '';
}
