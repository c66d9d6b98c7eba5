// What the links in mails lead to: an address is confirmed, a new password is chosen.

import { h } from '../dom.js';
import { field, formMessage, submitting } from '../parts/fields.js';
import { notice } from '../parts/notice.js';

/** Confirms the address that the mail went to. */
export async function verifyEmailView(main, { api, route, life }) {
  main.append(h('p', { class: 'muted' }, 'Confirming your address…'));
  await api.post('/email-verifications', { code: route.code }, { auth: false });
  if (!life.ended) notice(main, 'Your address is confirmed', 'Thank you. There is nothing else to do.');
}

/** Asks for a mail, or, with its code, for a new password. */
export function resetPasswordView(main, { api, route, life }) {
  const message = formMessage();
  const answer = route.code
    ? field({ label: 'New password', name: 'password', type: 'password', hint: 'At least 8 characters.',
      autocomplete: 'new-password', required: true, minlength: 8, maxlength: 128 })
    : field({ label: 'Handle or e-mail', name: 'login', autocomplete: 'username', required: true, maxlength: 254 });
  const form = h('form', { class: 'card narrow' },
    h('h1', {}, 'Choose a new password'), answer.element, message.element,
    h('button', { type: 'submit' }, route.code ? 'Set the password' : 'Send a mail'));
  form.addEventListener('submit', (event) => {
    event.preventDefault();
    submitting(form, message, { [answer.input.name]: answer }, async () => {
      if (route.code) {
        await api.post('/password-resets/complete', { code: route.code, password: answer.input.value }, { auth: false });
        if (!life.ended) notice(main, 'Your password is set', 'All devices were logged out: log in with the new one.');
      } else {
        await api.post('/password-resets', { login: answer.input.value.trim() }, { auth: false });
        if (!life.ended) notice(main, 'Look into your mail', 'If there is such an account, a mail with a link is on its way.');
      }
    });
  }, { signal: life.signal });
  main.append(form);
}
