// When the server asks for a new document, what was typed and never accepted would be gone with the old one. It is kept
// and offered back.

import { h } from '../dom.js';

export function lostText() {
  const element = h('div', { class: 'notice lost', role: 'alert', hidden: true });
  return {
    element,
    /** Keeps `text`, to be put into `editor` when the person asks for it. */
    keep(text, editor) {
      const hide = () => {
        element.hidden = true;
        editor.focus();
      };
      const put = () => {
        editor.replaceText(text);
        hide();
      };
      element.hidden = false;
      element.replaceChildren(
        h('p', {}, 'The server started this document anew. Your last edits may be missing.'),
        h('button', { type: 'button', class: 'small', on: { click: put } }, 'Put my text back'),
        h('button', { type: 'button', class: 'quiet small', on: { click: hide } }, 'Keep the server\u2019s text'));
    },
  };
}
