// A view that says one thing and leads back to the lobby.

import { h } from '../dom.js';

export function notice(main, title, text) {
  main.replaceChildren(h('section', { class: 'card narrow', role: 'status' },
    h('h1', {}, title), h('p', {}, text), h('p', {}, h('a', { class: 'button', href: '#/' }, 'To the lobby'))));
}
