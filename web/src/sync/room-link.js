// The channels of one room, which share its sync token.

import { Channel } from './channel.js';

export class RoomLink {
  #api; #token; #asking = null; #channels = new Map();

  /** `token` may come from POST /rooms; without it one is asked for. */
  constructor({ api, room, token = null, origin = location.origin }) {
    this.#api = api;
    this.room = room;
    this.#token = token;
    this.serverURL = `${origin.replace(/^http/, 'ws')}/sync`;
  }

  /** The channel of a document, opened at the first call. */
  channel(name, options = {}) {
    const open = this.#channels.get(name);
    if (open) return open;
    const channel = new Channel({
      serverURL: this.serverURL, room: this.room, name, tokens: (fresh) => this.#tokenFor(fresh), ...options,
    });
    this.#channels.set(name, channel);
    return channel;
  }

  /** Closes one document's channel, so that the next `channel` call opens it anew. */
  closeChannel(name) {
    this.#channels.get(name)?.close();
    this.#channels.delete(name);
  }

  close() {
    for (const channel of this.#channels.values()) channel.close();
    this.#channels.clear();
  }

  async #tokenFor(fresh) {
    if (this.#token && !fresh) return this.#token;
    this.#asking ??= this.#api.post(`/rooms/${encodeURIComponent(this.room)}/sync-tokens`, {})
      .then((answer) => { this.#token = answer.sync_token; })
      .finally(() => { this.#asking = null; });
    await this.#asking;
    return this.#token;
  }
}
