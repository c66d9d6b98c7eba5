// The lobby: ask for a duel, open a pair room, watch a battle.

import { ensureAccount, logInAsGuest } from '../account.js';
import { h } from '../dom.js';
import { field, formMessage, submitting } from '../parts/fields.js';
import { languageChoice } from '../parts/language-choice.js';
import { inviteFromText, joinHash, roomFromText, roomHash } from '../router.js';
import { waitForMatch } from './queue.js';

export function homeView(main, context) {
  const cards = h('div', { class: 'lobby' });
  let waiting = false;
  const draw = (notice = '') => cards.replaceChildren(duelCard(context, notice, queue), pairCard(context), watchCard(context));
  // While one waits for an opponent the other ways in rest.
  const queue = async (form, start) => {
    waiting = true;
    let notice = '';
    try {
      const request = await start();
      for (const other of cards.children) other.inert = other !== form;
      notice = await waitForMatch(form, request, context);
    } finally {
      waiting = false;
      for (const other of cards.children) other.inert = false;
    }
    if (notice) draw(notice);
  };
  main.append(
    h('section', { class: 'hero' },
      h('h1', {}, 'Same problem. Two editors. ', h('span', { class: 'hero-accent' }, 'One winner.')),
      h('p', {}, 'Race somebody on a small programming problem while others watch, or share one editor with a partner.')),
    cards);
  context.session.addEventListener('change', () => {
    if (!waiting) draw();
  }, { signal: context.life.signal });
  draw();
}

function handleField() {
  return field({ label: 'Play as', name: 'handle', hint: 'Any name you like. Guests need no account.', maxlength: 32,
    autocomplete: 'nickname', placeholder: 'guest' });
}

/** Signs in as a guest under the name in `handle` when nobody is signed in yet. */
async function asSomebody({ api, session }, handle) {
  if (session.isSignedIn) return ensureAccount(api);
  await logInAsGuest(api, handle?.input.value.trim() || null);
}

function duelCard(context, notice, queue) {
  const { session } = context;
  const message = formMessage();
  message.say(notice);
  const handle = session.account ? null : handleField();
  const languages = languageChoice({ legend: 'I can write', several: true });
  const mayRate = Boolean(session.account) && !session.isGuest;
  const rated = checkbox('Rated', mayRate ? 'Counts for your rating.' : 'Only with an account.', { disabled: !mayRate, checked: mayRate });
  const open = checkbox('Let others watch while a rated duel runs', 'Only where both agree.', { disabled: !mayRate });
  const form = h('form', { class: 'card card-duel' },
    h('h2', {}, 'Duel'), h('p', { class: 'muted' }, 'The first accepted submission wins.'),
    handle?.element, languages.element, rated.element, mayRate && open.element, message.element,
    h('button', { type: 'submit', class: 'primary wide' }, 'Find an opponent'));
  form.addEventListener('submit', (event) => {
    event.preventDefault();
    submitting(form, message, handle ? { handle } : {}, () => queue(form, async () => {
      await asSomebody(context, handle);
      return {
        mode: 'duel', languages: languages.values(), topics: [], rated: rated.input.checked && !session.isGuest,
        watch: open.input.checked ? 'open' : 'closed',
      };
    }));
  });
  return form;
}

function checkbox(label, hint, attributes) {
  const input = h('input', { type: 'checkbox', ...attributes });
  return { input, element: h('label', { class: 'check' }, input, h('span', {}, label, h('small', {}, hint))) };
}

function pairCard(context) {
  const message = formMessage();
  const handle = context.session.account ? null : handleField();
  const languages = languageChoice({ legend: 'Language', several: false });
  const problem = h('select', { name: 'problem' }, h('option', { value: '' }, 'No problem, just write'));
  const code = field({ label: 'Have an invitation?', name: 'code', placeholder: 'Code or link', autocomplete: 'off' });
  fillProblems(problem, context);
  const create = h('form', {}, handle?.element, languages.element,
    h('div', { class: 'field' }, h('label', {}, 'Problem', problem)), message.element,
    h('button', { type: 'submit', class: 'wide' }, 'Open a pair room'));
  const joinMessage = formMessage();
  const join = h('form', { class: 'divided' }, code.element, joinMessage.element, h('button', { type: 'submit', class: 'quiet' }, 'Join'));
  create.addEventListener('submit', (event) => {
    event.preventDefault();
    submitting(create, message, handle ? { handle } : {}, async () => {
      await asSomebody(context, handle);
      const room = await context.api.post('/rooms', {
        kind: 'pair', visibility: 'private', language: languages.values()[0], ...(problem.value ? { problem_id: problem.value } : {}),
      });
      context.go(roomHash(room.id));
    });
  });
  join.addEventListener('submit', (event) => {
    event.preventDefault();
    submitting(join, joinMessage, { code }, async () => {
      const invite = inviteFromText(code.input.value);
      if (!invite) return code.complain('This is no invitation code or link.');
      await asSomebody(context, handle);
      context.go(invite.room ? joinHash(invite.code, invite.room) : `#/join/${encodeURIComponent(invite.code)}`);
    });
  });
  return h('section', { class: 'card card-pair' }, h('h2', {}, 'Pair'),
    h('p', { class: 'muted' }, 'One editor, two cursors. You get a link to share.'), create, join);
}

async function fillProblems(select, { api, life }) {
  try {
    const { items } = await api.get('/problems?limit=100', { auth: false, signal: life.signal });
    select.append(...items.map((item) => h('option', { value: item.id }, item.title ?? item.id)));
  } catch {
    // Without the list a pair room can still be opened.
  }
}

function watchCard(context) {
  const message = formMessage();
  const room = field({ label: 'Room', name: 'room', placeholder: 'Link or room id', autocomplete: 'off' });
  const form = h('form', {}, room.element, message.element, h('button', { type: 'submit', class: 'wide' }, 'Watch'));
  form.addEventListener('submit', (event) => {
    event.preventDefault();
    const id = roomFromText(room.input.value);
    if (id) context.go(roomHash(id));
    else room.complain('This is no room link or id.');
  });
  return h('section', { class: 'card card-watch' }, h('h2', {}, 'Watch'),
    h('p', { class: 'muted' }, 'Follow a battle live. What the players type reaches you a little later.'), form);
}
