// Stateless messages (type 5): a JSON string beside the document, asked with a nonce and answered with it.

import * as decoding from 'lib0/decoding';
import * as encoding from 'lib0/encoding';

export const MESSAGE_STATELESS = 5;

/** The frame of a stateless message. */
export function statelessFrame(message) {
  const encoder = encoding.createEncoder();
  encoding.writeVarUint(encoder, MESSAGE_STATELESS);
  encoding.writeVarString(encoder, JSON.stringify(message));
  return encoding.toUint8Array(encoder);
}

/** The message after the type, or null when it is no JSON object. */
export function readStateless(decoder) {
  try {
    const value = JSON.parse(decoding.readVarString(decoder));
    return value !== null && typeof value === 'object' ? value : null;
  } catch {
    return null;
  }
}

/** A refusal, or no answer: `reason` is the server's code or `timeout` or `disconnected`. */
export class Refused extends Error {
  constructor(reason, answer = {}) {
    super(sentence(reason, answer));
    this.name = 'Refused';
    this.reason = reason;
  }
}

function sentence(reason, answer) {
  const text = REASONS[reason] ?? `The server refused: ${String(reason).replace(/[._]/g, ' ')}.`;
  return answer.retry_after_ms > 0 ? `${text} Try again in ${Math.ceil(answer.retry_after_ms / 1000)} s.` : text;
}

const REASONS = {
  timeout: 'The server did not answer in time.',
  disconnected: 'The connection broke before the server answered.',
  too_fast: 'Too fast. Wait a moment.',
  too_long: 'The text is too long.',
  not_allowed: 'You may not do this here.',
  not_started: 'The battle has not started.',
  battle_over: 'The battle is over.',
  submission_unfinished: 'Your last submission is still being judged.',
  too_soon: 'Submissions must be a few seconds apart.',
  too_many_submissions: 'You have used all your submissions.',
  document_behind: 'Your last edits are not with the server yet. Try again in a moment.',
  invalid_file: 'There is no program of this language in the room.',
  source_too_large: 'The program is too large.',
  no_problem: 'This room has no problem.',
  unavailable: 'The judge cannot take submissions now.',
};

/**
 * The questions that wait for an answer. A question that may be asked again (the server honours a nonce once) is sent
 * again after a reconnect; another fails when its socket closes.
 */
export class Questions {
  #waiting = new Map();
  #send;
  #timeoutMs;

  /** `send` writes a message and returns whether the socket took it. */
  constructor(send, { timeoutMs = 15_000 } = {}) {
    this.#send = send;
    this.#timeoutMs = timeoutMs;
  }

  /** Resolves with the `….accepted` answer, rejects with `Refused`. */
  ask(message, { repeatable = false } = {}) {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => this.#settle(message.nonce, (entry) => entry.reject(new Refused('timeout'))), this.#timeoutMs);
      this.#waiting.set(message.nonce, { message, repeatable, timer, resolve, reject });
      if (!this.#send(message) && !repeatable) {
        this.#settle(message.nonce, (entry) => entry.reject(new Refused('disconnected')));
      }
    });
  }

  /** Takes a message of the server; true when it answered a question. */
  answer(message) {
    if (!this.#waiting.has(message.nonce)) return false;
    this.#settle(message.nonce, (entry) => {
      if (String(message.type).endsWith('.accepted')) entry.resolve(message);
      else entry.reject(new Refused(message.reason ?? 'refused', message));
    });
    return true;
  }

  opened() {
    for (const entry of this.#waiting.values()) this.#send(entry.message);
  }

  closed() {
    for (const [nonce, entry] of this.#waiting) {
      if (!entry.repeatable) this.#settle(nonce, () => entry.reject(new Refused('disconnected')));
    }
  }

  /** Fails everything that still waits. */
  end() {
    for (const [nonce, entry] of this.#waiting) this.#settle(nonce, () => entry.reject(new Refused('disconnected')));
  }

  #settle(nonce, finish) {
    const entry = this.#waiting.get(nonce);
    if (!entry) return;
    clearTimeout(entry.timer);
    this.#waiting.delete(nonce);
    finish(entry);
  }
}
