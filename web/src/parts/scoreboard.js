// The head of a battle: two players facing each other, their progress as lanes that grow towards the middle, and the
// time between them.

import { clockText } from '../clock.js';
import { announce, h, setText } from '../dom.js';
import { languageOf } from '../languages.js';
import { verdictsOf, withFirst } from '../room-state.js';
import { verdictClass, verdictName } from '../verdicts.js';

const SIDES = ['left', 'right'];
/** Seconds before the end that are said aloud. */
const SPOKEN_SECONDS = [300, 60, 30, 10];
const SHOWN_VERDICTS = 6;

/** `update(state)` draws a state of the room; the clock runs by itself until `life` ends. */
export function scoreboard({ clock, session, life }) {
  const sides = SIDES.map(side);
  const time = h('p', { class: 'clock', role: 'timer' }, '–:––');
  const phase = h('p', { class: 'phase' });
  const watchers = h('p', { class: 'watchers muted' });
  const element = h('header', { class: 'score' }, sides[0].element,
    h('div', { class: 'score-middle' }, time, phase, watchers), sides[1].element);
  let state = null;
  let spoken = Infinity;

  const tick = () => {
    if (!state) return;
    const now = clock.now();
    const [text, words] = timeText(state, now);
    setText(time, text);
    setText(phase, words);
    const left = state.phase === 'running' && state.deadline !== null ? Math.ceil((state.deadline - now) / 1000) : null;
    time.classList.toggle('is-short', left !== null && left <= 60);
    const due = left === null ? undefined : SPOKEN_SECONDS.find((seconds) => left <= seconds && left > seconds - 2 && seconds < spoken);
    if (due) {
      spoken = due;
      announce(`${due >= 60 ? `${due / 60} minutes` : `${due} seconds`} left.`.replace(/^1 minutes/, '1 minute'));
    }
  };
  life.every(200, tick);

  return {
    element,
    update(next) {
      state = next;
      const players = withFirst(state.players, session.account?.id);
      sides.forEach((one, index) => one.update(players[index], state, session.account?.id));
      setText(watchers, state.spectators > 0 ? `${state.spectators} watching` : '');
      tick();
    },
  };
}

function timeText(state, now) {
  switch (state.phase) {
    case 'waiting': return ['–:––', 'Waiting for both players'];
    case 'countdown': {
      const left = state.startedAt === null ? null : Math.round((state.startedAt - now) / 1000);
      return [left !== null && left > 0 ? String(left) : '…', 'Get ready'];
    }
    case 'running': return [state.deadline === null ? '–:––' : clockText(state.deadline - now), 'Time left'];
    case 'deciding': return ['0:00', 'Waiting for the last verdicts'];
    default: return ['End', 'The battle is over'];
  }
}

function side(name) {
  const handle = h('span', { class: 'player-name' });
  const tag = h('span', { class: 'player-tag' });
  const fill = h('div', { class: 'lane-fill' });
  const lane = h('div', { class: 'lane', role: 'progressbar', 'aria-valuemin': 0 }, fill);
  const tests = h('span', { class: 'player-tests' });
  const verdicts = h('span', { class: 'player-verdicts' });
  const element = h('section', { class: `player player-${name}` },
    h('p', { class: 'player-head' }, handle, tag), lane, h('p', { class: 'player-foot' }, tests, verdicts));
  return {
    element,
    update(player, state, myID) {
      element.classList.toggle('is-absent', !player);
      if (!player) {
        setText(handle, 'Nobody yet');
        return;
      }
      element.dataset.player = player.id;
      element.setAttribute('aria-label', player.handle);
      element.classList.toggle('is-winner', state.phase === 'finished' && state.winner === player.id);
      setText(handle, player.handle);
      setText(tag, tagText(player, state, myID));
      drawLane(lane, fill, player);
      setText(tests, testsText(player));
      drawVerdicts(verdicts, verdictsOf(state, player.id).slice(-SHOWN_VERDICTS));
    },
  };
}

function tagText(player, state, myID) {
  const parts = [languageOf(player.language).name];
  if (player.id === myID) parts.unshift('you');
  if (state.phase === 'finished' && state.winner === player.id) parts.unshift('winner');
  if (!player.connected && state.phase !== 'finished') parts.push('away');
  return parts.filter(Boolean).join(' · ');
}

function drawLane(lane, fill, player) {
  const share = player.testsTotal > 0 ? Math.min(1, player.testsPassed / player.testsTotal) : 0;
  fill.style.width = `${(share * 100).toFixed(1)}%`;
  lane.setAttribute('aria-valuemax', String(player.testsTotal || 1));
  lane.setAttribute('aria-valuenow', String(player.testsPassed));
  lane.setAttribute('aria-label', `Tests passed by ${player.handle}`);
}

function testsText(player) {
  const tries = `${player.submissions} ${player.submissions === 1 ? 'submission' : 'submissions'}`;
  return player.testsTotal > 0 ? `${player.testsPassed} of ${player.testsTotal} tests · ${tries}` : tries;
}

function drawVerdicts(element, codes) {
  const text = codes.join(' ');
  if (element.dataset.codes === text) return;
  element.dataset.codes = text;
  element.replaceChildren(...codes.map((code) => h('abbr', { class: verdictClass(code), title: verdictName(code) }, code)));
}
