// Waiting for an opponent: a ticket, its state asked for and told by event, whichever is first.

import { announce, h, pause, setText } from '../dom.js';
import { followEvents } from '../events.js';
import { roomHash } from '../router.js';

const POLL_MS = 1_500;

/** Replaces the form's content by the wait. Resolves with what to tell when it ended without a match, else with ''. */
export async function waitForMatch(form, request, context) {
  const { api, life, go } = context;
  const ticket = await api.post('/matchmaking/tickets', request);
  const path = `/matchmaking/tickets/${encodeURIComponent(ticket.id)}`;
  const done = new AbortController();
  const withdraw = () => api.delete(path, { keepalive: true }).catch(() => {});
  life.signal.addEventListener('abort', () => done.abort(), { once: true });
  window.addEventListener('pagehide', withdraw, { signal: done.signal });

  const shown = show(form, request, done);
  const outcome = await Promise.race([
    matchByEvent(api, ticket.id, done.signal),
    matchByPolling(api, path, ticket, done.signal),
    new Promise((resolve) => { shown.onCancel = () => resolve({ status: 'cancelled' }); }),
    new Promise((resolve) => { life.signal.addEventListener('abort', () => resolve({ status: 'left' }), { once: true }); }),
  ]);
  done.abort();
  if (outcome.status === 'matched') {
    announce('Opponent found.');
    go(roomHash(outcome.room));
    return '';
  }
  if (outcome.status === 'expired') return 'Nobody came in time. Try again, or with more languages.';
  withdraw();
  return 'You left the queue.';
}

function show(form, request, done) {
  const started = performance.now();
  const elapsed = h('p', { class: 'wait-time' });
  const shown = { onCancel: () => {} };
  const cancel = h('button', { type: 'button', class: 'wide', on: { click: () => shown.onCancel() } }, 'Cancel');
  form.replaceChildren(
    h('div', { class: 'wait', role: 'status' }, h('div', { class: 'wait-mark', 'aria-hidden': 'true' }, h('i'), h('i')),
      h('h2', {}, 'Looking for an opponent'),
      h('p', { class: 'muted' }, `${request.rated ? 'Rated' : 'Casual'} duel · ${request.languages.join(', ')}`)),
    elapsed, cancel);
  cancel.focus();
  const tick = () => setText(elapsed, `${Math.floor((performance.now() - started) / 1000)} s`);
  const timer = setInterval(tick, 1_000);
  tick();
  done.signal.addEventListener('abort', () => clearInterval(timer), { once: true });
  return shown;
}

/** Resolves when the event tells of a match; never when the stream ends without one. */
function matchByEvent(api, ticketID, signal) {
  return new Promise((resolve) => {
    followEvents(api, (type, value) => {
      if (type !== 'match.found' || !value.room_id) return;
      if (value.ticket_id && value.ticket_id !== ticketID) return;
      resolve({ status: 'matched', room: value.room_id });
    }, signal);
  });
}

async function matchByPolling(api, path, first, signal) {
  let ticket = first;
  while (!signal.aborted) {
    if (ticket.status === 'matched' && ticket.room_id) return { status: 'matched', room: ticket.room_id };
    if (ticket.status === 'expired' || ticket.status === 'cancelled') return { status: ticket.status };
    await pause(POLL_MS, signal);
    if (signal.aborted) break;
    try {
      ticket = await api.get(path, { signal });
    } catch (error) {
      if (error.status === 404) return { status: 'expired' };
      if (error.status === 401 || error.status === 403) throw error;
    }
  }
  return { status: 'left' };
}
