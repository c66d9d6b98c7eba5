// Form fields with a label, a hint and a place for the server's complaint.

import { h, setText } from '../dom.js';
import { randomID } from '../ids.js';

/** An input with its label. `complain(text)` marks it wrong, `complain('')` right again. */
export function field({ label, hint = '', ...attributes }) {
  const id = `f-${randomID().slice(0, 8)}`;
  const input = h('input', { id, 'aria-describedby': `${id}-note`, ...attributes });
  const note = h('p', { id: `${id}-note`, class: 'field-note' }, hint);
  const element = h('div', { class: 'field' }, h('label', { for: id }, label), input, note);
  return {
    element,
    input,
    complain(text) {
      input.setAttribute('aria-invalid', String(Boolean(text)));
      note.classList.toggle('is-wrong', Boolean(text));
      setText(note, text || hint);
    },
  };
}

/** A line for what went wrong with a form as a whole. */
export function formMessage() {
  const element = h('p', { class: 'form-message', role: 'alert' });
  return { element, say: (text) => setText(element, text) };
}

/** Runs `work` with the form's buttons disabled; complaints go to the fields they name, the rest to the message. */
export async function submitting(form, message, fields, work) {
  const buttons = [...form.querySelectorAll('button')];
  for (const one of Object.values(fields)) one.complain('');
  message.say('');
  for (const button of buttons) button.disabled = true;
  try {
    await work();
  } catch (error) {
    const named = Object.entries(error.fields ?? {}).filter(([name]) => fields[name]);
    for (const [name, text] of named) fields[name].complain(text);
    if (named.length === 0) message.say(error.message);
    else fields[named[0][0]].input.focus();
  } finally {
    for (const button of buttons) button.disabled = false;
  }
}
