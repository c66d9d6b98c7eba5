// The banner at the end of a battle.

import { announce, h } from '../dom.js';
import { resultOf } from '../room-state.js';

const GLYPHS = { won: '★', lost: '•', draw: '=', decided: '★' };

/** Shows itself once, when the state says that the battle is over. */
export function resultBanner({ session }) {
  const element = h('section', { class: 'result', 'aria-label': 'Result', hidden: true });
  return {
    element,
    update(state) {
      if (state.phase !== 'finished' || !element.hidden) return;
      const result = resultOf(state, session.account?.id);
      element.hidden = false;
      element.dataset.outcome = result.outcome;
      element.dataset.winner = state.winner ?? '';
      element.replaceChildren(
        h('span', { class: 'result-glyph', 'aria-hidden': 'true' }, GLYPHS[result.outcome]),
        h('div', { class: 'result-text' }, h('h2', {}, result.title), result.detail && h('p', {}, result.detail),
          state.disputed && h('p', {}, 'An earlier submission was lost by our own fault: the win stands, the ratings do not move.')),
        h('a', { class: 'button', href: '#/' }, 'Play another'));
      announce(`${result.title}. ${result.detail}`);
    },
  };
}
