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
    super(answer.detail ?? answer.message ?? REASONS[reason] ?? String(reason).replace(/[._]/g, ' '));
    this.name = 'Refused';
    this.reason = reason;
  }
}

const REASONS = {
  timeout: 'The server did not answer in time.',
  disconnected: 'The connection broke before the server answered.',
  rate_limited: 'Too fast. Wait a moment.',
  too_long: 'The text is too long.',
  empty: 'There is nothing to send.',
  not_allowed: 'You may not do this here.',
  busy: 'Your last submission is still being judged.',
  unfinished: 'Your last submission is still being judged.',
  too_soon: 'Submissions must be a few seconds apart.',
  not_running: 'The battle is not running.',
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
