// One line that says whether what is typed reaches the server.

import { h, setText } from '../dom.js';

const WORDS = {
  connecting: 'Connecting…',
  connected: 'Connected',
  disconnected: 'Connection lost, trying again…',
  closed: '',
};

/** Follows a channel; speaks only of trouble and of its end. */
export function connectionLine(channel, life) {
  const element = h('p', { class: 'connection', role: 'status' });
  let reason = '';
  const draw = () => {
    element.dataset.status = channel.status;
    setText(element, channel.status === 'refused' ? `Refused by the server: ${reason}` : WORDS[channel.status] ?? '');
  };
  channel.addEventListener('status', draw, { signal: life.signal });
  channel.addEventListener('refused', (event) => {
    reason = event.detail;
    draw();
  }, { signal: life.signal });
  draw();
  return element;
}
