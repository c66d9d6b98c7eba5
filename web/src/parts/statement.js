// The problem: title, limits, statement, samples that can be copied.

import { announce, h } from '../dom.js';
import { limitsText, problemOf } from '../problem.js';
import { sanitise } from '../sanitise.js';

/** A place for one problem; `load(id)` fetches and shows it, once for the same id. */
export function statement(api) {
  const element = h('article', { class: 'statement' }, h('p', { class: 'muted' }, 'The problem appears when the battle starts.'));
  let current = null;
  return {
    element,
    async load(id) {
      if (!id || id === current) return;
      current = id;
      element.replaceChildren(h('p', { class: 'muted' }, 'Loading the problem…'));
      try {
        const problem = problemOf(await api.get(`/problems/${encodeURIComponent(id)}`));
        if (current === id) draw(element, problem);
      } catch (error) {
        current = null;
        const again = h('button', { type: 'button', on: { click: () => this.load(id) } }, 'Try again');
        element.replaceChildren(h('p', { class: 'notice' }, `The problem could not be loaded. ${error.message}`), again);
      }
    },
    none(text) { element.replaceChildren(h('p', { class: 'muted' }, text)); },
  };
}

function draw(element, problem) {
  element.dataset.problem = problem.id;
  element.replaceChildren(
    h('h2', { class: 'statement-title' }, problem.title),
    h('p', { class: 'muted statement-limits' }, limitsText(problem)),
    h('div', { class: 'prose' }, problem.html ? sanitise(problem.html) : h('pre', { class: 'plain' }, problem.markdown)),
    ...problem.samples.map((sample, index) => sampleView(sample, index)),
  );
}

function sampleView(sample, index) {
  return h('section', { class: 'sample', 'aria-label': `Sample ${index + 1}` },
    block(`Sample ${index + 1}, input`, sample.input), block(`Sample ${index + 1}, output`, sample.answer));
}

function block(title, text) {
  const pre = h('pre', { tabindex: 0, 'aria-label': title }, text);
  const button = h('button', { type: 'button', class: 'quiet small', 'aria-label': `Copy ${title.toLowerCase()}` }, 'Copy');
  button.addEventListener('click', async () => {
    const copied = await copyText(text, pre);
    button.textContent = copied ? 'Copied' : 'Selected';
    announce(copied ? `${title} copied.` : `${title} selected.`);
    setTimeout(() => { button.textContent = 'Copy'; }, 1500);
  });
  return h('div', { class: 'sample-half' }, h('div', { class: 'row between' }, h('h3', {}, title.split(', ')[1]), button), pre);
}

/** Copies `text`; where the clipboard is closed to the page, selects it in `element` and returns false. */
export async function copyText(text, element) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    getSelection()?.selectAllChildren(element);
    return false;
  }
}
