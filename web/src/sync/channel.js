// One document of a room over its own socket: the stock y-websocket provider, and around it what the stock provider
// leaves to the page: refusals, stateless messages, and a new document when the server asks for one.

import * as decoding from 'lib0/decoding';
import { Awareness } from 'y-protocols/awareness';
import { WebsocketProvider } from 'y-websocket';
import * as Y from 'yjs';
import { pause } from '../dom.js';
import { MESSAGE_STATELESS, Questions, readStateless, statelessFrame } from './stateless.js';

const MESSAGE_SYNC = 0;
const MESSAGE_AUTH = 2;
const MESSAGE_SYNC_STATUS = 8;
const SYNC_STEP_1 = 0;
/** Refusals in a row, without a synchronised moment between them, after which the channel gives up. */
const MOST_REFUSALS = 5;
/** Handshakes that fail in a row before the token is doubted. */
const FAILED_HANDSHAKES = 4;
const CLOSED_BY_REFUSAL = new Set([4401, 4403, 4404, 4205]);

/**
 * Events: `document` (there is a new `doc`), `status`, `synced`, `reset` (detail: the server's code; the old document
 * is still in `doc`), `refused` (detail: the reason; the channel has given up).
 */
export class Channel extends EventTarget {
  doc = new Y.Doc();
  /** Lives as long as the document: its clock must not fall when only the socket is replaced. */
  awareness = new Awareness(this.doc);
  provider = null;
  /** connecting, connected, disconnected, refused or closed. */
  status = 'connecting';
  #name; #room; #writes; #tokens; #refusals = 0; #recovering = false; #closed = false; #askedForOurs = false;
  #questions = new Questions((message) => this.#send(message));

  /** `tokens(fresh)` resolves with a sync token of the room, a new one when `fresh`. */
  constructor({ serverURL, room, name, tokens, writes = false, user = null }) {
    super();
    this.serverURL = serverURL;
    this.#room = room;
    this.#name = name;
    this.#tokens = tokens;
    this.#writes = writes;
    this.user = user;
    this.#introduce();
    this.#open(false);
  }

  get name() { return this.#name; }
  get isSynced() { return this.provider?.synced === true; }
  /** True when everything typed here is on its way on the open socket, so that a message after it is ordered after it. */
  get isCurrent() { return this.isSynced && (!this.#writes || this.#askedForOurs); }

  /** Asks by stateless message; see `Questions.ask`. */
  ask(message, options) { return this.#questions.ask(message, options); }

  close() {
    if (this.#closed) return;
    this.#closed = true;
    this.#questions.end();
    this.#disconnect();
    this.awareness.destroy();
    this.#setStatus('closed');
  }

  async #open(fresh) {
    let token;
    try {
      token = await this.#tokens(fresh);
    } catch (error) {
      if ([401, 403, 404].includes(error.status)) return this.#giveUp(error.message);
      return this.#recover(() => {}, error.message);
    }
    if (this.#closed) return;
    const provider = new WebsocketProvider(this.serverURL, `${this.#room}/${this.#name}`, this.doc, {
      params: { token }, disableBc: true, connect: false, awareness: this.awareness,
    });
    this.provider = provider;
    this.#introduce();
    this.#handleMessages(provider);
    this.#followStatus(provider);
    provider.connect();
  }

  // Setting a field raises the state's clock, without which peers that saw us leave would not see us return.
  #introduce() {
    if (this.user) this.awareness.setLocalStateField('user', this.user);
  }

  #handleMessages(provider) {
    const readSync = provider.messageHandlers[MESSAGE_SYNC];
    provider.messageHandlers[MESSAGE_SYNC] = (encoder, decoder, ...rest) => {
      const step = decoding.peekVarUint(decoder);
      readSync(encoder, decoder, ...rest);
      if (step === SYNC_STEP_1) this.#askedForOurs = true;
    };
    provider.messageHandlers[MESSAGE_AUTH] = (encoder, decoder) => {
      if (decoding.readVarUint(decoder) === 0) this.#refused(provider, decoding.readVarString(decoder));
    };
    provider.messageHandlers[MESSAGE_STATELESS] = (encoder, decoder) => {
      const message = readStateless(decoder);
      if (message) this.#questions.answer(message);
    };
    // Sent only to framings that know it; read here so that it never counts as unknown.
    provider.messageHandlers[MESSAGE_SYNC_STATUS] = () => {};
  }

  #followStatus(provider) {
    provider.on('status', ({ status }) => {
      if (provider !== this.provider || this.#closed) return;
      if (status !== 'connected') this.#askedForOurs = false;
      this.#setStatus(status);
    });
    provider.on('sync', (synced) => {
      if (provider !== this.provider || !synced) return;
      this.#refusals = 0;
      this.#questions.opened();
      this.dispatchEvent(new Event('synced'));
    });
    provider.on('connection-close', (event) => {
      if (provider !== this.provider || this.#closed) return;
      this.#askedForOurs = false;
      this.#questions.closed();
      if (CLOSED_BY_REFUSAL.has(event?.code)) {
        this.#refused(provider, event.code === 4205 ? 'reset:epoch' : event.reason || `closed with ${event.code}`);
      } else if (provider.wsUnsuccessfulReconnects >= FAILED_HANDSHAKES) {
        this.#recover(() => {}, 'unreachable');
      }
    });
  }

  #refused(provider, reason) {
    if (provider !== this.provider) return;
    // Handled after the provider has finished with the frame or the close event it is in the middle of.
    queueMicrotask(() => {
      if (provider !== this.provider) return;
      const code = /^reset:(\w+)$/.exec(reason)?.[1];
      this.#recover(() => code && this.#replaceDocument(code), reason);
    });
  }

  /** Connects again with a new token after a pause that grows; gives up after a row of refusals. */
  async #recover(prepare, reason) {
    if (this.#recovering || this.#closed) return;
    this.#recovering = true;
    this.#refusals += 1;
    this.#disconnect();
    this.#setStatus('disconnected');
    const unreachable = reason === 'unreachable' || reason.startsWith('The server cannot');
    if (this.#refusals > MOST_REFUSALS && !unreachable) return this.#giveUp(reason);
    prepare();
    await pause(Math.min(250 * 2 ** (this.#refusals - 1), 8_000));
    this.#recovering = false;
    if (!this.#closed) await this.#open(true);
  }

  #replaceDocument(code) {
    this.dispatchEvent(new CustomEvent('reset', { detail: code }));
    this.awareness.destroy();
    this.doc = new Y.Doc();
    this.awareness = new Awareness(this.doc);
    this.dispatchEvent(new Event('document'));
  }

  #giveUp(reason) {
    this.#disconnect();
    this.#questions.end();
    this.#setStatus('refused');
    this.dispatchEvent(new CustomEvent('refused', { detail: reason }));
  }

  #disconnect() {
    const provider = this.provider;
    this.provider = null;
    this.#askedForOurs = false;
    provider?.destroy();
  }

  #send(message) {
    const socket = this.provider?.ws;
    if (!this.isSynced || socket?.readyState !== WebSocket.OPEN) return false;
    socket.send(statelessFrame(message));
    return true;
  }

  #setStatus(status) {
    if (this.status === status) return;
    this.status = status;
    this.dispatchEvent(new Event('status'));
  }
}
