// Submitting one's own text and following what becomes of it.

import * as Y from 'yjs';
import { announce, h, pause, setText } from '../dom.js';
import { base64, randomID } from '../ids.js';
import { submissionText, verdictClass } from '../verdicts.js';

const POLL_MS = 700;
const LONGEST_POLL_MS = 3_000;

/**
 * A bar with the results and a button, to stand after the editor: `leave()` takes the keyboard there, and Tab goes on
 * from it. `submit()` sends what the document holds now: on the document's own socket, ordered
 * after the edits, or by HTTP with our state vector while the socket is not current. `poke()` asks at once.
 */
export function submitter({ api, room, channel, language, life }) {
  const line = h('p', { class: 'submit-line', role: 'status' });
  const details = h('div', { class: 'submit-details' });
  const button = h('button', { type: 'button', class: 'primary', on: { click: () => submit() } },
    'Submit', h('kbd', { 'aria-hidden': 'true' }, /Mac|iP/.test(navigator.platform) ? '⌘↵' : 'Ctrl ↵'));
  let busy = false;
  let wake = () => {};

  async function submit() {
    if (busy || button.disabled) return;
    setBusy(true);
    details.replaceChildren();
    setText(line, 'Submitting…');
    try {
      const id = await send();
      await follow(id);
    } catch (error) {
      if (!life.ended) setText(line, `Not submitted: ${error.message}`);
    } finally {
      setBusy(false);
    }
  }

  async function send() {
    if (channel.isCurrent) {
      return (await channel.ask({ type: 'submit', nonce: randomID(), language: language() })).id;
    }
    const body = { language: language(), document: channel.name, state_vector: base64(Y.encodeStateVector(channel.doc)) };
    return (await api.post(`/rooms/${encodeURIComponent(room)}/submissions`, body)).id;
  }

  async function follow(id) {
    let wait = POLL_MS;
    while (!life.ended) {
      const submission = await api.get(`/submissions/${encodeURIComponent(id)}`);
      if (life.ended) return;
      setText(line, submissionText(submission));
      if (submission.status === 'finished') return showResult(submission);
      await Promise.race([pause(wait, life.signal), new Promise((resolve) => { wake = resolve; })]);
      wait = Math.min(wait * 1.3, LONGEST_POLL_MS);
    }
  }

  function showResult(submission) {
    line.replaceChildren(h('span', { class: verdictClass(submission.verdict) }, submission.verdict), ` ${submissionText(submission)}`);
    announce(submissionText(submission));
    details.replaceChildren();
    if (submission.compile_output) {
      details.append(h('pre', { class: 'compile', tabindex: 0, 'aria-label': 'Compiler output' }, submission.compile_output));
    }
    const tests = submission.tests ?? [];
    if (tests.length > 0) details.append(h('details', {}, h('summary', {}, `${tests.length} ${tests.length === 1 ? 'test' : 'tests'} run`), table(tests)));
  }

  function setBusy(value) {
    busy = value;
    button.setAttribute('aria-busy', String(value));
  }

  const element = h('div', { class: 'submit-bar', tabindex: -1 }, h('div', { class: 'submit-result' }, line, details), button);
  return {
    button,
    element,
    submit,
    leave: () => (button.hidden || button.disabled ? element : button).focus(),
    poke: () => wake(),
    setEnabled(enabled) { button.disabled = !enabled; },
  };
}

function table(tests) {
  const cells = (tag, texts) => texts.map((text) => h(tag, {}, text));
  return h('div', { class: 'scroll' }, h('table', {},
    h('thead', {}, h('tr', {}, cells('th', ['Test', 'Verdict', 'CPU', 'Memory']))),
    h('tbody', {}, tests.map((test, index) => h('tr', {}, cells('td', [
      test.name ?? String(index + 1),
      test.verdict ?? '–',
      Number.isFinite(test.cpu_time_ms) ? `${Math.round(test.cpu_time_ms)} ms` : '–',
      Number.isFinite(test.memory_bytes) ? `${(test.memory_bytes / 1048576).toFixed(1)} MiB` : '–',
    ]))))));
}
