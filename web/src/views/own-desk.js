// A player's own place in a battle: editor, language, submit, results.

import { h } from '../dom.js';
import { FileEditor } from '../editor/file-editor.js';
import { LANGUAGES, languageOf } from '../languages.js';
import { connectionLine } from '../parts/connection.js';
import { lostText } from '../parts/lost-text.js';
import { giveUpButton } from '../parts/give-up.js';
import { submitter } from '../parts/submitter.js';

const HINT = 'Read standard input, write standard output.';

/** `update(state)` opens and closes the editor as the battle goes. */
export function ownDesk({ api, link, life, room, session }) {
  const channel = link.channel(`player-${session.account.id}`, {
    writes: true, user: { id: session.account.id, name: session.account.handle },
  });
  const place = h('div', { class: 'desk-editor' });
  const language = h('select', { 'aria-label': 'Language', class: 'small' },
    LANGUAGES.filter((one) => one.offered).map((one) => h('option', { value: one.id }, one.name)));
  const send = submitter({ api, room: room.id, channel, language: () => language.value, life });
  const lost = lostText();
  const giveUp = giveUpButton(api, room.id);
  let editor = null;
  let chosen = false;

  language.addEventListener('change', () => {
    chosen = true;
    editor?.setLanguage(language.value);
    editor?.focus();
  });
  life.add(() => editor?.destroy());
  send.setEnabled(false);

  const element = h('section', { class: 'desk desk-own', 'aria-label': 'Your editor' },
    h('div', { class: 'desk-bar' }, h('p', { class: 'desk-title' }, 'Your code'), language, connectionLine(channel, life), giveUp),
    lost.element, place, send.element);

  return {
    element,
    update(state) {
      const me = state.players.find((player) => player.id === session.account.id);
      const open = state.phase === 'running' || state.phase === 'deciding';
      if (!editor) {
        offer(language, me?.language ?? room.language ?? 'python');
        editor = new FileEditor(place, {
          channel, language: language.value, writes: true, readOnly: !open, label: 'Your code', hint: HINT,
          empty: 'The editor opens when the battle starts.',
          onSubmit: () => send.submit(), onLeave: () => send.leave(), onLost: (text) => lost.keep(text, editor),
        });
      } else if (!chosen && !open && me?.language && me.language !== language.value) {
        offer(language, me.language);
        editor.setLanguage(me.language);
      }
      const opening = open && send.button.disabled;
      editor.setReadOnly(!open);
      send.setEnabled(open);
      giveUp.hidden = state.phase !== 'running';
      if (opening && document.activeElement?.tagName !== 'INPUT') editor.focus();
      send.poke();
    },
  };
}

// A language this page does not offer by itself is one that the room was made for.
function offer(select, id) {
  if (![...select.options].some((option) => option.value === id)) {
    select.append(h('option', { value: id }, languageOf(id).name));
  }
  select.value = id;
}
