// Server-sent events read with fetch, because EventSource cannot send an Authorization header.

import { pause } from './dom.js';

const FIRST_RETRY_MS = 1_000;
const LONGEST_RETRY_MS = 30_000;
const LONGEST_LINE = 1 << 20;

/** Takes text in any pieces, gives events `{type, data, id}` as the HTML standard's event stream grammar says. */
export class EventStreamParser {
  #rest = '';
  #data = [];
  #type = '';
  lastEventID = '';
  retryMs = null;

  /** The events completed by this piece of text. */
  push(text) {
    const events = [];
    // A carriage return at the very end may be the first half of a line break; it waits for what follows.
    const all = this.#rest + text;
    const held = all.endsWith('\r') ? 1 : 0;
    const lines = all.slice(0, all.length - held).split(/\r\n|\n|\r/);
    this.#rest = lines.pop() + (held ? '\r' : '');
    if (this.#rest.length > LONGEST_LINE) throw new Error('event stream: line too long');
    for (const line of lines) {
      if (line === '') this.#dispatch(events);
      else this.#field(line);
    }
    return events;
  }

  #field(line) {
    if (line.startsWith(':')) return;
    const colon = line.indexOf(':');
    const name = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? '' : line.slice(colon + 1).replace(/^ /, '');
    if (name === 'data') this.#data.push(value);
    else if (name === 'event') this.#type = value;
    else if (name === 'id' && !value.includes('\0')) this.lastEventID = value;
    else if (name === 'retry' && /^\d+$/.test(value)) this.retryMs = Number(value);
  }

  #dispatch(events) {
    if (this.#data.length > 0) {
      events.push({ type: this.#type || 'message', data: this.#data.join('\n'), id: this.lastEventID });
    }
    this.#data = [];
    this.#type = '';
  }
}

/**
 * Follows GET /me/events until `signal` aborts: calls `onEvent(type, value)` for each, connects again with the last id
 * after a break. Ends by itself when the server refuses the caller.
 */
export async function followEvents(api, onEvent, signal) {
  let lastEventID = '';
  let wait = FIRST_RETRY_MS;
  while (!signal.aborted) {
    try {
      const headers = { Accept: 'text/event-stream', ...(lastEventID ? { 'Last-Event-ID': lastEventID } : {}) };
      const response = await api.open('GET', '/me/events', { headers, signal });
      const parser = new EventStreamParser();
      const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
      for (let piece = await reader.read(); !piece.done; piece = await reader.read()) {
        wait = parser.retryMs ?? FIRST_RETRY_MS;
        for (const event of parser.push(piece.value)) {
          lastEventID = event.id || lastEventID;
          deliver(event, onEvent);
        }
      }
    } catch (error) {
      if (signal.aborted || [401, 403, 404].includes(error.status)) return;
    }
    await pause(wait, signal);
    wait = Math.min(wait * 2, LONGEST_RETRY_MS);
  }
}

function deliver(event, onEvent) {
  let value;
  try {
    value = JSON.parse(event.data);
  } catch {
    return;
  }
  onEvent(event.type, value);
}
