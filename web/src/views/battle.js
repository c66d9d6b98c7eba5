// A battle, for those who play it and those who watch it.

import { h, setText } from '../dom.js';
import { FileEditor } from '../editor/file-editor.js';
import { languageOf } from '../languages.js';
import { chat } from '../parts/chat.js';
import { connectionLine } from '../parts/connection.js';
import { copyText, statement } from '../parts/statement.js';
import { feed } from '../parts/feed.js';
import { panes } from '../parts/panes.js';
import { resultBanner } from '../parts/result.js';
import { scoreboard } from '../parts/scoreboard.js';
import { readRoomState, withFirst } from '../room-state.js';
import { watchSearch } from '../router.js';
import { ownDesk } from './own-desk.js';

export function battleView(main, context) {
  const { api, link, life, plays, session } = context;
  const stateChannel = link.channel('state');
  const problem = statement(api);
  const score = scoreboard(context);
  const happened = feed(context);
  const result = resultBanner(context);
  const editors = h('div', { class: 'editors' });
  const desk = plays ? ownDesk(context) : null;
  if (desk) editors.append(desk.element);
  const talk = h('div', { class: 'talks' });
  const layout = panes([
    { id: 'problem', label: 'Problem', content: [problem.element] },
    { id: 'code', label: 'Code', content: [editors] },
    { id: 'talk', label: 'Talk', content: [
      h('details', { class: 'feed-box', open: true }, h('summary', {}, 'What happened'), happened.element), talk] },
  ], { label: 'Parts of the battle', first: 'code' });
  main.append(score.element, result.element, roomBar(context, stateChannel), layout.element);

  const seats = new OtherSeats(context, editors);
  const talks = new Talks(context, talk, () => layout.mark('talk'));
  let state = null;
  const draw = () => {
    if (!stateChannel.isSynced && state === null) return;
    state = readRoomState(stateChannel.doc);
    main.dataset.phase = state.phase;
    const over = state.phase === 'finished';
    score.update(state);
    happened.update(state);
    result.update(state);
    problem.load(state.problemID ?? context.room.problem_id);
    desk?.update(state);
    seats.update(withFirst(state.players, session.account.id), over);
    talks.update(over);
  };
  followDocument(stateChannel, life, draw);
}

/** Calls `draw` once a frame at most while the document changes, and when it is synchronised or replaced. */
function followDocument(channel, life, draw) {
  let due = false;
  const later = () => {
    if (due) return;
    due = true;
    // A timer, not an animation frame: verdicts are announced in a tab in the background too.
    setTimeout(() => {
      due = false;
      if (!life.ended) draw();
    }, 16);
  };
  const attach = () => {
    channel.doc.on('update', later);
    later();
  };
  channel.addEventListener('document', attach, { signal: life.signal });
  channel.addEventListener('synced', later, { signal: life.signal });
  attach();
}

function roomBar({ room, plays, life }, channel) {
  const address = `${location.origin}/${watchSearch(room.id)}`;
  const shown = h('span', { class: 'visually-hidden' }, address);
  const copy = h('button', { type: 'button', class: 'quiet small' }, 'Copy watch link');
  copy.addEventListener('click', async () => {
    setText(copy, await copyText(address, shown) ? 'Copied' : address);
    setTimeout(() => setText(copy, 'Copy watch link'), 3_000);
  });
  return h('div', { class: 'room-bar' }, connectionLine(channel, life),
    h('span', { class: plays ? 'muted key-hint' : 'muted' }, plays ? 'Ctrl or Cmd + Enter submits · Tab indents, Escape leaves the editor' : watchingText(room)),
    shown, copy);
}

function watchingText(room) {
  const delay = room.spectator_delay_s;
  if (delay === 'end') return 'You are watching · the code is shown after the end';
  return delay > 0 ? `You are watching · the code comes ${delay} s late` : 'You are watching';
}

/** The editors of the others, read-only: a watcher's at once (the server delays them), the opponent's after the end. */
class OtherSeats {
  #context; #parent; #seats = new Map();

  constructor(context, parent) {
    this.#context = context;
    this.#parent = parent;
  }

  update(players, over) {
    const { plays, session } = this.#context;
    for (const player of players) {
      if (player.id === session.account.id && plays) continue;
      if (plays && !over) continue;
      this.#seat(player);
    }
  }

  #seat(player) {
    const known = this.#seats.get(player.id);
    if (known) {
      if (player.language && known.language !== player.language) {
        known.language = player.language;
        known.editor.setLanguage(player.language);
      }
      return;
    }
    const { link, life, plays } = this.#context;
    const channel = link.channel(`player-${player.id}`);
    const place = h('div', { class: 'desk-editor' });
    const caption = h('p', { class: 'desk-title' }, player.handle,
      h('span', { class: 'muted' }, ` ${languageOf(player.language).name}, read only`));
    this.#parent.append(h('section', { class: 'desk desk-other', 'aria-label': `Editor of ${player.handle}`, dataset: { player: player.id } },
      h('div', { class: 'desk-bar' }, caption), place));
    const editor = new FileEditor(place, { channel, language: player.language, writes: false, cursors: true, label: `Code of ${player.handle}`,
      empty: plays ? 'Nothing was written here.' : 'Nothing here yet. What is typed reaches you a little later.' });
    life.add(() => editor.destroy());
    this.#seats.set(player.id, { editor, language: player.language });
  }
}

/** Players talk to each other, watchers among themselves; after the end everyone reads both. */
class Talks {
  #context; #parent; #onNews; #open = new Set();

  constructor(context, parent, onNews) {
    this.#context = context;
    this.#parent = parent;
    this.#onNews = onNews;
    const first = context.plays ? 'chat' : 'chat-watchers';
    this.#add(first);
  }

  update(over) {
    if (!over) return;
    this.#add('chat');
    this.#add('chat-watchers');
  }

  #add(name) {
    if (this.#open.has(name)) return;
    this.#open.add(name);
    const { link, session, life, plays } = this.#context;
    const title = name === 'chat' ? 'Players' : 'Watchers';
    const own = plays ? name === 'chat' : name === 'chat-watchers';
    const one = chat({
      channel: link.channel(name), session, life, label: `${title}' chat`, mayPost: own, onNews: this.#onNews,
    });
    this.#parent.append(h('section', { class: 'talk', dataset: { chat: name } }, h('h2', {}, title), one.element));
  }
}
