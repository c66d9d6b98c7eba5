// A pair room: one text, everyone's cursors, a talk beside it, and a submission when the room has a problem.

import { announce, h, setText } from '../dom.js';
import { colourIndex } from '../editor/cursors.js';
import { FileEditor } from '../editor/file-editor.js';
import { languageOf } from '../languages.js';
import { chat } from '../parts/chat.js';
import { connectionLine } from '../parts/connection.js';
import { lostText } from '../parts/lost-text.js';
import { panes } from '../parts/panes.js';
import { copyText, statement } from '../parts/statement.js';
import { submitter } from '../parts/submitter.js';
import { readRoomState } from '../room-state.js';
import { joinHash } from '../router.js';

export function pairView(main, context) {
  const { api, link, life, room, session } = context;
  const access = (room.documents ?? []).find((document) => document.name === 'main')?.access ?? 'write';
  const writes = access !== 'read';
  const channel = link.channel('main', { writes, user: { id: session.account.id, name: session.account.handle } });
  const state = link.channel('state');
  const problem = statement(api);
  const place = h('div', { class: 'desk-editor' });
  const people = h('ul', { class: 'people', 'aria-label': 'In this room' });
  const lost = lostText();
  let languageID = room.language ?? 'python';
  const send = submitter({ api, room: room.id, channel, language: () => languageID, life });
  const title = h('p', { class: 'desk-title' });
  const editor = new FileEditor(place, {
    channel, language: languageID, writes, cursors: true, label: writes ? 'Shared code' : 'Shared code, read only',
    onSubmit: () => { if (!send.button.hidden) send.submit(); }, onLeave: () => send.leave(),
    onLost: (text) => lost.keep(text, editor),
  });
  life.add(() => editor.destroy());

  const invite = inviteButton(context);
  const layout = panes([
    { id: 'problem', label: 'Problem', content: [problem.element] },
    { id: 'code', label: 'Code', content: [h('section', { class: 'desk desk-own', 'aria-label': 'Shared editor' },
      h('div', { class: 'desk-bar' }, title, connectionLine(channel, life)), lost.element, place, send.element)] },
    { id: 'talk', label: 'Talk', content: [h('section', { class: 'talk', dataset: { chat: 'chat' } }, h('h2', {}, 'Chat'),
      chat({ channel: link.channel('chat'), session, life, label: 'the room', onNews: () => layout.mark('talk') }).element)] },
  ], { label: 'Parts of the room', first: 'code' });
  main.append(
    h('div', { class: 'pair-head' }, h('h1', {}, 'Pair room'), people,
      h('span', { class: 'muted' }, 'Tab indents, Escape leaves the editor'), writes && invite),
    layout.element);

  const drawState = () => {
    const now = readRoomState(state.doc);
    const problemID = now.problemID ?? room.problem_id ?? null;
    if (problemID) problem.load(problemID);
    else problem.none('This room has no problem: write what you like.');
    send.button.hidden = !problemID || !writes;
    send.setEnabled(Boolean(problemID) && writes);
    send.poke();
    layout.element.classList.toggle('has-no-problem', !problemID);
  };
  follow(state, life, drawState, (doc, run) => doc.on('update', run));
  follow(channel, life, () => {
    languageID = languageInUse(channel.doc, languageID);
    if (editor.language.id !== languageID) editor.setLanguage(languageID);
    setText(title, languageOf(languageID).file);
  }, (doc, run) => doc.getMap('files').observe(run));
  followPeople(channel, life, people);
}

// The server makes the file of the room's language; a room whose answer names no language is told by its file.
function languageInUse(doc, id) {
  const files = doc.getMap('files');
  if (files.has(languageOf(id).file) || files.size === 0) return id;
  const [name] = files.keys();
  return ['python', 'cpp', 'c', 'javascript', 'java', 'rust', 'go', 'swift'].find((one) => languageOf(one).file === name) ?? id;
}

function follow(channel, life, draw, observe) {
  const run = () => {
    if (!life.ended) draw();
  };
  const attach = () => {
    observe(channel.doc, run);
    run();
  };
  channel.addEventListener('document', attach, { signal: life.signal });
  channel.addEventListener('synced', run, { signal: life.signal });
  attach();
}

function followPeople(channel, life, list) {
  const draw = () => {
    const seen = new Map();
    for (const state of channel.awareness.getStates().values()) {
      const user = state.user;
      if (user?.name) seen.set(String(user.id ?? user.name), user);
    }
    list.replaceChildren(...[...seen.values()].slice(0, 12).map((user) => h('li', { class: `person peer-ink-${colourIndex(user)}` },
      String(user.name).slice(0, 24))));
  };
  const attach = () => {
    channel.awareness.on('change', draw);
    draw();
  };
  channel.addEventListener('document', attach, { signal: life.signal });
  attach();
}

function inviteButton({ api, room, life }) {
  const shown = h('output', { class: 'invite-link' });
  const button = h('button', { type: 'button' }, 'Invite a partner');
  button.addEventListener('click', async () => {
    try {
      const { code } = await api.post(`/rooms/${encodeURIComponent(room.id)}/invites`, {});
      if (life.ended) return;
      setText(shown, `${location.origin}/${joinHash(code, room.id)}`);
      const copied = await copyText(shown.textContent, shown);
      announce(copied ? 'Invitation link copied.' : 'Invitation link ready.');
      setText(button, copied ? 'Link copied' : 'New link');
    } catch (error) {
      setText(shown, error.message);
    }
  });
  return h('div', { class: 'invite' }, button, shown);
}
