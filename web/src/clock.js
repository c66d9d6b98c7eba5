// The server's time, estimated from the Date header of its answers.
//
// A Date header says that, at some moment between sending the request and receiving the answer, the server's clock
// stood in [date, date + 1 s). So offset = server - local lies in (date - received, date + 1000 - sent). Each answer
// narrows the interval; its middle is the estimate. When intervals no longer meet, a clock was set: start again.

const RESOLUTION_MS = 1000;

export class ServerClock {
  #low = -Infinity;
  #high = Infinity;
  #now;

  constructor(now = () => Date.now()) {
    this.#now = now;
  }

  /** Takes one answer into account; times are local milliseconds since 1970, `dateHeader` is the header's text. */
  sample(sentAt, receivedAt, dateHeader) {
    const date = Date.parse(dateHeader ?? '');
    if (Number.isNaN(date) || receivedAt < sentAt) return;
    const low = date - receivedAt;
    const high = date + RESOLUTION_MS - sentAt;
    if (low > this.#high || high < this.#low) {
      this.#low = low;
      this.#high = high;
    } else {
      this.#low = Math.max(low, this.#low);
      this.#high = Math.min(high, this.#high);
    }
  }

  /** Estimated server time minus local time; 0 before the first answer. */
  get offsetMs() {
    return Number.isFinite(this.#low) ? (this.#low + this.#high) / 2 : 0;
  }

  /** How far the estimate may be off; Infinity before the first answer. */
  get uncertaintyMs() {
    return (this.#high - this.#low) / 2;
  }

  /** The server's time now, in milliseconds since 1970. */
  now() {
    return this.#now() + this.offsetMs;
  }
}

/** A time of the server, RFC 3339 text or milliseconds since 1970, as milliseconds; null when there is none. */
export function timeMs(value) {
  if (typeof value === 'number' && Number.isFinite(value)) return value;
  const parsed = typeof value === 'string' ? Date.parse(value) : NaN;
  return Number.isNaN(parsed) ? null : parsed;
}

/** `75_000` as `1:15`, rounded up so that 0:00 means over. */
export function clockText(milliseconds) {
  const seconds = Math.max(0, Math.ceil(milliseconds / 1000));
  const hours = Math.floor(seconds / 3600);
  const minutes = Math.floor(seconds / 60) % 60;
  const rest = String(seconds % 60).padStart(2, '0');
  return hours > 0 ? `${hours}:${String(minutes).padStart(2, '0')}:${rest}` : `${minutes}:${rest}`;
}
