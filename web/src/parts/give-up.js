// Giving up a battle: asked twice, on the same button.

import { announce, h, setText } from '../dom.js';

const SURE_MS = 4_000;

export function giveUpButton(api, room) {
  let sure = false;
  const button = h('button', { type: 'button', class: 'quiet small', hidden: true }, 'Give up');
  const ask = (value) => {
    sure = value;
    setText(button, value ? 'Really give up?' : 'Give up');
  };
  button.addEventListener('click', async () => {
    if (!sure) {
      ask(true);
      announce('Press again to give up.');
      setTimeout(() => ask(false), SURE_MS);
      return;
    }
    button.disabled = true;
    try {
      await api.post(`/rooms/${encodeURIComponent(room)}/forfeit`, {});
    } catch (error) {
      announce(`Not given up: ${error.message}`);
      setText(button, error.message);
      button.disabled = false;
    }
  });
  return button;
}
