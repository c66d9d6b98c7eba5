// A room's talk: the messages of a chat document, and a line to write one.

import { append, h, setText } from '../dom.js';
import { colourIndex } from '../editor/cursors.js';
import { randomID } from '../ids.js';
import { timeMs } from '../clock.js';

const LONGEST_MESSAGE = 500;
const MOST_SHOWN = 300;

/** `channel` holds root array `messages`; `onNews` is called for messages of others that arrive while we are here. */
export function chat({ channel, session, life, label, mayPost = true, onNews = () => {} }) {
  const list = h('ol', { class: 'chat-list', role: 'log', 'aria-live': 'polite', 'aria-label': label, tabindex: 0 });
  const problem = h('p', { class: 'form-message', role: 'alert' });
  const input = h('input', {
    class: 'chat-input', 'aria-label': `Write to ${label}`, placeholder: 'Say something', maxlength: LONGEST_MESSAGE, autocomplete: 'off',
  });
  const form = h('form', { class: 'chat-form' }, input, h('button', { type: 'submit', class: 'quiet' }, 'Send'));
  const empty = h('p', { class: 'muted chat-empty' }, 'No messages yet.');
  const element = h('div', { class: 'chat' }, empty, list, problem, mayPost && form);
  const rows = new Map();
  let messages = null;
  let greeted = false;

  const draw = () => {
    const atEnd = list.scrollHeight - list.scrollTop - list.clientHeight < 40;
    const all = messages.toArray().filter((message) => message && typeof message === 'object').slice(-MOST_SHOWN);
    const ids = new Set(all.map((message) => String(message.id)));
    for (const [id, row] of rows) {
      if (ids.has(id)) continue;
      row.element.remove();
      rows.delete(id);
    }
    for (const message of all) drawMessage(message);
    empty.hidden = all.length > 0;
    if (atEnd) list.scrollTop = list.scrollHeight;
    greeted = channel.isSynced;
  };

  const drawMessage = (message) => {
    const id = String(message.id);
    const text = message.deleted ? 'This message was removed.' : String(message.text ?? '');
    const known = rows.get(id);
    if (known) return setText(known.text, text);
    const mine = message.author?.id !== undefined && message.author.id === session.account?.id;
    const body = h('span', { class: message.deleted ? 'chat-text muted' : 'chat-text' }, text);
    const at = timeMs(message.at);
    const row = h('li', { class: mine ? 'chat-row is-mine' : 'chat-row' },
      h('span', { class: `chat-author peer-ink-${colourIndex(message.author)}` }, message.author?.handle ?? 'someone'),
      at !== null && h('time', { class: 'chat-time', datetime: new Date(at).toISOString() },
        new Date(at).toLocaleTimeString([], { hour: '2-digit', minute: '2-digit' })), body);
    rows.set(id, { element: row, text: body });
    append(list, [row]);
    if (!mine && greeted) onNews();
  };

  const attach = () => {
    messages?.unobserve(draw);
    messages = channel.doc.getArray('messages');
    messages.observe(draw);
    draw();
  };

  form.addEventListener('submit', async (event) => {
    event.preventDefault();
    const text = input.value.trim();
    if (!text) return;
    input.value = '';
    setText(problem, '');
    try {
      await channel.ask({ type: 'chat.post', nonce: randomID(), text }, { repeatable: true });
    } catch (error) {
      if (life.ended) return;
      setText(problem, `Not sent: ${error.message}`);
      if (!input.value) input.value = text;
    }
  });
  channel.addEventListener('document', attach, { signal: life.signal });
  channel.addEventListener('synced', draw, { signal: life.signal });
  life.add(() => messages?.unobserve(draw));
  attach();
  return { element };
}
