// Choosing languages: chips that are real checkboxes or radio buttons.

import { h } from '../dom.js';
import { LANGUAGES } from '../languages.js';
import { randomID } from '../ids.js';

const KEY = 'coduel.languages';

/** A group of chips; `values()` are the chosen ids, at least one. */
export function languageChoice({ legend, several }) {
  const name = `l-${randomID().slice(0, 8)}`;
  const remembered = recall();
  const chosen = several ? remembered : remembered.slice(0, 1);
  const inputs = LANGUAGES.filter((language) => language.offered).map((language) => h('input', {
    type: several ? 'checkbox' : 'radio', name, value: language.id, checked: chosen.includes(language.id),
  }));
  const element = h('fieldset', { class: 'chips' }, h('legend', {}, legend),
    inputs.map((input) => h('label', { class: 'chip' }, input, h('span', {}, LANGUAGES.find(({ id }) => id === input.value).name))));
  return {
    element,
    values() {
      const values = inputs.filter((input) => input.checked).map((input) => input.value);
      const result = values.length > 0 ? values : [inputs[0].value];
      localStorage.setItem(KEY, JSON.stringify(result));
      return result;
    },
  };
}

function recall() {
  try {
    const stored = JSON.parse(localStorage.getItem(KEY));
    const known = stored.filter((id) => LANGUAGES.some((language) => language.offered && language.id === id));
    return known.length > 0 ? known : ['python'];
  } catch {
    return ['python'];
  }
}
