// Panes side by side on a wide screen, one at a time on a narrow one, where a row of buttons chooses it. Which of the
// two holds is the style sheet's matter; nothing here measures.

import { h } from '../dom.js';

/** `panes`: `{id, label, content}`. `show(id)` brings one forward, `mark(id)` points at news in one that is hidden. */
export function panes(list, { label, first }) {
  const buttons = new Map();
  const sections = new Map();
  for (const { id, label: name, content } of list) {
    buttons.set(id, h('button', { type: 'button', class: 'pane-button', on: { click: () => show(id) } }, name));
    sections.set(id, h('section', { class: `pane pane-${id}`, 'aria-label': name }, content));
  }
  const show = (id) => {
    for (const [other, section] of sections) {
      section.classList.toggle('is-shown', other === id);
      buttons.get(other).setAttribute('aria-pressed', String(other === id));
    }
    buttons.get(id).classList.remove('has-news');
  };
  const mark = (id) => {
    if (!sections.get(id).classList.contains('is-shown')) buttons.get(id).classList.add('has-news');
  };
  show(first ?? list[0].id);
  return {
    element: h('div', { class: 'panes' },
      h('nav', { class: 'pane-buttons', 'aria-label': label }, [...buttons.values()]),
      h('div', { class: 'pane-list' }, [...sections.values()])),
    show,
    mark,
  };
}
