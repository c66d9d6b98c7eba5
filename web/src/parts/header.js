// The bar on top: the name of the place, who is here, signing in and out.

import { logIn, logOut, providers, register } from '../account.js';
import { announce, h } from '../dom.js';
import { providerPath, rememberPlace } from '../views/sign-in.js';
import { field, formMessage, submitting } from './fields.js';

export function header(context) {
  const { session } = context;
  const who = h('div', { class: 'who' });
  const draw = () => who.replaceChildren(...(session.account ? signedIn(context) : signedOut(context)));
  session.addEventListener('change', draw);
  draw();
  return [
    h('a', { class: 'brand', href: '#/', 'aria-label': 'Coduel, the lobby' },
      h('span', { class: 'brand-left', 'aria-hidden': 'true' }, '›'),
      h('span', { 'aria-hidden': 'true' }, 'coduel'),
      h('span', { class: 'brand-right', 'aria-hidden': 'true' }, '‹')),
    who,
  ];
}

function signedIn({ api, session, go }) {
  const { account } = session;
  const rating = account.ratings?.duel?.rating;
  const standing = session.isGuest ? 'guest' : Number.isFinite(rating)
    ? `${Math.round(rating)}${account.ratings.duel.provisional ? '?' : ''}` : '';
  const leave = async () => {
    await logOut(api).catch(() => {});
    announce('You are logged out.');
    go('');
  };
  return [
    h('span', { class: 'who-name' }, account.handle, standing && h('span', { class: 'who-standing' }, standing)),
    session.isGuest && signInButton({ api, session }),
    h('button', { type: 'button', class: 'quiet', on: { click: leave } }, session.isGuest ? 'Leave' : 'Log out'),
  ].filter(Boolean);
}

function signedOut(context) {
  return [signInButton(context)];
}

function signInButton(context) {
  return h('button', { type: 'button', class: 'quiet sign-in', on: { click: () => openDialog(context) } }, 'Log in or register');
}

function openDialog({ api }) {
  const message = formMessage();
  const login = field({ label: 'Handle or e-mail', name: 'login', autocomplete: 'username', required: true });
  const handle = field({ label: 'Handle', name: 'handle', autocomplete: 'username', required: true, maxlength: 32 });
  const email = field({ label: 'E-mail', name: 'email', type: 'email', autocomplete: 'email', required: true });
  const password = field({ label: 'Password', name: 'password', type: 'password', autocomplete: 'current-password', required: true });
  const title = h('h2', { id: 'sign-in-title' });
  const rows = h('div');
  const send = h('button', { type: 'submit', class: 'primary' });
  const other = h('button', { type: 'button', class: 'quiet' });
  const cancel = h('button', { type: 'button', class: 'quiet' }, 'Cancel');
  const form = h('form', {}, title, rows, message.element, h('div', { class: 'row' }, send, other, cancel),
    providerLinks(api));
  const dialog = h('dialog', { 'aria-labelledby': 'sign-in-title' }, form);

  let registering = false;
  const draw = () => {
    title.textContent = registering ? 'Register' : 'Log in';
    send.textContent = registering ? 'Register' : 'Log in';
    other.textContent = registering ? 'I have an account' : 'I am new here';
    password.input.autocomplete = registering ? 'new-password' : 'current-password';
    rows.replaceChildren(...(registering ? [handle.element, email.element] : [login.element]), password.element);
    message.say('');
    rows.querySelector('input').focus();
  };
  other.addEventListener('click', () => {
    registering = !registering;
    draw();
  });
  cancel.addEventListener('click', () => dialog.close());
  form.addEventListener('submit', (event) => {
    event.preventDefault();
    submitting(form, message, registering ? { handle, email, password } : { login, password }, async () => {
      if (registering) await register(api, { handle: handle.input.value.trim(), email: email.input.value.trim(), password: password.input.value });
      else await logIn(api, { login: login.input.value.trim(), password: password.input.value });
      announce(`Logged in as ${api.session.account?.handle ?? ''}.`);
      dialog.close();
    });
  });
  dialog.addEventListener('close', () => dialog.remove());
  document.body.append(dialog);
  dialog.showModal();
  draw();
}

/** One link for each provider of the installation, once it has told them. */
function providerLinks(api) {
  const links = h('div', { class: 'row providers' });
  // Without an answer there is still the password.
  providers(api).catch(() => []).then((names) => links.append(...names.map((name) => h('a', {
    class: 'button', href: providerPath(name), on: { click: rememberPlace },
  }, `Log in with ${name}`))));
  return links;
}
