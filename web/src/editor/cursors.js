// Other people's carets and selections, from the awareness states that Yjs editor bindings share:
// `user {id, name}` and `cursor {anchor, head}` as relative positions. Colours are classes: the page's policy allows no
// style attributes.

import { Decoration, EditorView, ViewPlugin, WidgetType } from 'codemirror';
import * as Y from 'yjs';
import { bucket } from '../ids.js';

export const COLOURS = ['#0b7285', '#c2410c', '#5f3dc4', '#2b8a3e', '#a61e4d', '#1864ab', '#846100', '#495057'];
const MAX_NAME = 24;

/** The colour of a person, as an index into `COLOURS`. */
export function colourIndex(user) {
  return bucket(String(user?.id ?? user?.name ?? ''), COLOURS.length);
}

class Caret extends WidgetType {
  constructor(name, colour) {
    super();
    this.name = name;
    this.colour = colour;
  }

  eq(other) { return other.name === this.name && other.colour === this.colour; }

  toDOM() {
    const caret = document.createElement('span');
    caret.className = `peer-caret peer-${this.colour}`;
    caret.setAttribute('aria-hidden', 'true');
    const label = document.createElement('span');
    label.className = 'peer-name';
    label.textContent = this.name;
    caret.append('\u2060', label, '\u2060');
    return caret;
  }

  get estimatedHeight() { return -1; }
  ignoreEvent() { return true; }
}

/** Shows the others' cursors in `text`, and with `share` tells them ours. */
export function peerCursors(text, awareness, { share }) {
  const plugin = ViewPlugin.define((view) => {
    const redraw = ({ added, updated, removed }) => {
      if (![...added, ...updated, ...removed].some((id) => id !== awareness.clientID)) return;
      // Awareness changes may arrive while the view is updating, when it takes no transaction.
      setTimeout(() => { if (value.alive) view.dispatch({}); });
    };
    const value = {
      alive: true,
      decorations: decorate(view, text, awareness),
      update(update) {
        if (share && (update.selectionSet || update.docChanged || update.focusChanged)) {
          publish(update.view, text, awareness);
        }
        value.decorations = decorate(update.view, text, awareness);
      },
      destroy() {
        value.alive = false;
        awareness.off('change', redraw);
        if (share && awareness.getLocalState() !== null) awareness.setLocalStateField('cursor', null);
      },
    };
    awareness.on('change', redraw);
    return value;
  }, { decorations: (value) => value.decorations });
  return [plugin, theme];
}

function publish(view, text, awareness) {
  const { anchor, head } = view.state.selection.main;
  const relative = (index) => Y.relativePositionToJSON(Y.createRelativePositionFromTypeIndex(text, index));
  // After the binding has written the change that moved the caret.
  queueMicrotask(() => {
    if (text.length < Math.max(anchor, head) || awareness.getLocalState() === null) return;
    const cursor = view.hasFocus ? { anchor: relative(anchor), head: relative(head) } : null;
    const before = awareness.getLocalState().cursor ?? null;
    if (JSON.stringify(before) !== JSON.stringify(cursor)) awareness.setLocalStateField('cursor', cursor);
  });
}

function decorate(view, text, awareness) {
  const ranges = [];
  const length = view.state.doc.length;
  for (const [id, state] of awareness.getStates()) {
    if (id === awareness.clientID || !state.cursor) continue;
    const anchor = absolute(state.cursor.anchor, text);
    const head = absolute(state.cursor.head, text);
    if (anchor === null || head === null || Math.max(anchor, head) > length) continue;
    const colour = colourIndex(state.user);
    if (anchor !== head) {
      ranges.push(Decoration.mark({ class: `peer-selection peer-${colour}` }).range(Math.min(anchor, head), Math.max(anchor, head)));
    }
    const name = String(state.user?.name ?? 'Someone').slice(0, MAX_NAME);
    ranges.push(Decoration.widget({ widget: new Caret(name, colour), side: 1 }).range(head));
  }
  return Decoration.set(ranges, true);
}

// A peer's cursor is whatever the peer sent; one that makes no sense is not drawn.
function absolute(json, text) {
  try {
    const position = Y.createAbsolutePositionFromRelativePosition(Y.createRelativePositionFromJSON(json), text.doc);
    return position && position.type === text ? position.index : null;
  } catch {
    return null;
  }
}

const theme = EditorView.baseTheme({
  '.peer-caret': { position: 'relative', borderLeft: '2px solid var(--peer)', marginLeft: '-1px', marginRight: '-1px' },
  '.peer-name': {
    position: 'absolute', bottom: '100%', left: '-2px', padding: '0 4px', borderRadius: '4px 4px 4px 0',
    background: 'var(--peer)', color: '#fff', font: '600 11px/1.5 system-ui, sans-serif', whiteSpace: 'nowrap',
    pointerEvents: 'none', zIndex: 5,
    // The name is seen when the caret moves and when it is pointed at; then it makes way for the text beneath.
    opacity: 0, animation: 'peer-name-fades 3s ease-in',
  },
  '.peer-caret:hover .peer-name': { opacity: 1, animation: 'none' },
  '@keyframes peer-name-fades': { '0%': { opacity: 1 }, '70%': { opacity: 1 }, '100%': { opacity: 0 } },
  '.cm-line:first-child .peer-name': { bottom: 'auto', top: '100%', borderRadius: '0 4px 4px 4px' },
  '.peer-selection': { background: 'color-mix(in srgb, var(--peer) 25%, transparent)' },
  ...Object.fromEntries(COLOURS.map((colour, index) => [`.peer-${index}`, { '--peer': colour }])),
});
