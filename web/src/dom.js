// Building elements without markup: text goes in as text nodes only, listeners as functions, so that nothing a
// server or another person wrote is ever parsed as HTML.

/**
 * Makes an element. `props` holds attributes (`true` sets an empty one, `false`, `null` and `undefined` leave it
 * out), `class`, `dataset` and `on: {event: listener}`. Children are nodes, strings or numbers; empty ones are skipped.
 */
export function h(tag, props = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(props ?? {})) {
    if (name === 'on') {
      for (const [event, listener] of Object.entries(value)) element.addEventListener(event, listener);
    } else if (name === 'dataset') {
      Object.assign(element.dataset, value);
    } else if (value === true) {
      element.setAttribute(name, '');
    } else if (value !== false && value !== null && value !== undefined) {
      element.setAttribute(name, String(value));
    }
  }
  append(element, children);
  return element;
}

/** Appends children as `h` does. */
export function append(element, children) {
  for (const child of children.flat(Infinity)) {
    if (child === null || child === undefined || child === false || child === '') continue;
    element.append(child instanceof Node ? child : String(child));
  }
  return element;
}

/** Sets the text of an element only when it differs, so that live regions speak once. */
export function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

/** Says `text` to people who use a screen reader. */
export function announce(text) {
  const region = document.getElementById('announcer');
  // The same sentence twice in a row is only spoken again when the text changes in between.
  region.textContent = region.textContent === text ? `${text}\u00a0` : text;
}

/**
 * What a view must undo when it goes: listeners, timers, connections. `signal` aborts at the end, `add` registers a
 * function, `every` a timer.
 */
export class Lifetime {
  #controller = new AbortController();

  get signal() { return this.#controller.signal; }
  get ended() { return this.signal.aborted; }

  add(undo) {
    if (this.ended) undo();
    else this.signal.addEventListener('abort', undo, { once: true });
  }

  every(milliseconds, run) {
    const timer = setInterval(run, milliseconds);
    this.add(() => clearInterval(timer));
  }

  end() { this.#controller.abort(); }
}

/** Resolves after `milliseconds`, or at once when `signal` aborts. */
export function pause(milliseconds, signal) {
  return new Promise((resolve) => {
    if (signal?.aborted) return resolve();
    const timer = setTimeout(done, milliseconds);
    function done() {
      clearTimeout(timer);
      signal?.removeEventListener('abort', done);
      resolve();
    }
    signal?.addEventListener('abort', done, { once: true });
  });
}
