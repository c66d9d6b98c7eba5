// Keeps an editor and a Y.Text equal, both ways, and gives the person undo of their own edits only.

import { Annotation, Prec, ViewPlugin, keymap } from 'codemirror';
import * as Y from 'yjs';
import { applyChanges, changesOf } from './delta.js';

const fromText = Annotation.define();

/** The extensions that bind `text`; the editor must start with `editorText(text)`. */
export function textBinding(text) {
  const origin = { editor: true };
  const undo = new Y.UndoManager(text, { trackedOrigins: new Set([origin]) });
  return [syncPlugin(text, origin, undo), undoKeys(undo)];
}

function syncPlugin(text, origin, undo) {
  return ViewPlugin.define((view) => {
    const observe = (event, transaction) => {
      if (transaction.origin !== origin) {
        view.dispatch({ changes: changesOf(event.delta), annotations: fromText.of(true) });
      }
    };
    text.observe(observe);
    return {
      update(update) {
        if (!update.docChanged || update.transactions.some((transaction) => transaction.annotation(fromText))) return;
        text.doc.transact(() => applyChanges(update.changes, update.startState.doc, text), origin);
      },
      destroy() {
        text.unobserve(observe);
        undo.destroy();
      },
    };
  });
}

function undoKeys(undo) {
  const back = () => { undo.undo(); return true; };
  const again = () => { undo.redo(); return true; };
  return Prec.highest(keymap.of([
    { key: 'Mod-z', run: back, preventDefault: true },
    { key: 'Mod-y', mac: 'Mod-Shift-z', run: again, preventDefault: true },
    { key: 'Mod-Shift-z', run: again, preventDefault: true },
  ]));
}
