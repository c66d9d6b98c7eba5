// What happened in a battle, one line an event, spoken as it comes.

import { timeMs } from '../clock.js';
import { h } from '../dom.js';
import { eventText } from '../room-state.js';

const MOST_SHOWN = 100;

export function feed({ session }) {
  const element = h('ol', { class: 'feed', role: 'log', 'aria-live': 'polite', 'aria-label': 'What happened', tabindex: 0 });
  let shown = 0;
  return {
    element,
    update(state) {
      // Events are only ever added; a shorter list is a new document.
      if (state.events.length < shown) {
        element.replaceChildren();
        shown = 0;
      }
      for (const event of state.events.slice(shown).slice(-MOST_SHOWN)) {
        const at = timeMs(event.at);
        const since = at !== null && state.startedAt !== null ? Math.max(0, Math.floor((at - state.startedAt) / 1000)) : null;
        element.prepend(h('li', {},
          since !== null && h('span', { class: 'feed-time' }, `${Math.floor(since / 60)}:${String(since % 60).padStart(2, '0')}`),
          eventText(event, state, session.account?.id)));
      }
      shown = state.events.length;
      while (element.childElementCount > MOST_SHOWN) element.lastElementChild.remove();
    },
  };
}
