// The page starts here: the services every view gets, the header, and the view of the current address.

import { loadAccount } from './account.js';
import { Api } from './api.js';
import { ServerClock } from './clock.js';
import { Lifetime, h } from './dom.js';
import { header } from './parts/header.js';
import { routeOf } from './router.js';
import { Session } from './session.js';
import { homeView } from './views/home.js';
import { joinView } from './views/join.js';
import { resetPasswordView, verifyEmailView } from './views/mail.js';
import { linkedView, signInFailedView, signedInView } from './views/sign-in.js';

// A room brings the editor with it, most of the page's weight; the lobby loads it while people read.
const loadRoom = () => import('./views/room.js');
const VIEWS = {
  home: homeView,
  join: joinView,
  'verify-email': verifyEmailView,
  'reset-password': resetPasswordView,
  'signed-in': signedInView,
  linked: linkedView,
  'sign-in-failed': signInFailedView,
  room: async (...given) => (await loadRoom()).roomView(...given),
};

const session = new Session();
const clock = new ServerClock();
const api = new Api({ session, clock, channel: new BroadcastChannel('coduel.session') });
const main = document.getElementById('main');
let shown = null;

const context = {
  api,
  session,
  clock,
  /** Goes to a hash of this page, or to the lobby with an empty one. */
  go(hash) {
    if (location.search) history.replaceState(null, '', location.pathname + (hash || '#/'));
    else if (location.hash !== hash) return void (location.hash = hash || '#/');
    show();
  },
};

function show() {
  shown?.end();
  shown = new Lifetime();
  main.replaceChildren();
  const route = routeOf(location);
  document.body.dataset.view = route.name;
  document.title = 'Coduel';
  const life = shown;
  Promise.resolve().then(() => VIEWS[route.name](main, { ...context, route, life })).catch(failed(life));
}

function failed(life) {
  return (error) => {
    if (life.ended) return;
    main.replaceChildren(h('section', { class: 'card narrow', role: 'alert' },
      h('h1', {}, 'This did not work'), h('p', {}, error.message),
      h('p', {}, h('a', { class: 'button', href: '#/' }, 'Back to the lobby'))));
  };
}

/** Another tab has signed in or out; what this one shows belongs to whoever was here `before`. */
function followPerson(before) {
  if (!session.isSignedIn) {
    session.clear();
    context.go('');
  } else if (before) {
    location.reload();
  } else {
    loadAccount(api).catch(() => {});
  }
}

async function start() {
  document.getElementById('top').append(...header(context));
  document.querySelector('.skip').addEventListener('click', (event) => {
    event.preventDefault();
    main.focus();
  });
  session.addEventListener('person', ({ before }) => followPerson(before));
  if (session.isSignedIn) {
    // Without an answer the page still starts; the first call that needs an account says what is wrong.
    await loadAccount(api).catch(() => {});
  }
  window.addEventListener('hashchange', show);
  show();
  setTimeout(() => loadRoom().catch(() => {}), 500);
}

start();
