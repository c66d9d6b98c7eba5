// Between the changes of a Y.Text and those of the editor. Both count UTF-16 code units. What a Y.Text can hold besides
// text (embedded objects, put there by another client) takes one position in it, so it takes one character here too.

const OBJECT = '\uFFFC';

/** The text of a Y.Text as the editor shows it: `text.length` code units long. */
export function editorText(text) {
  return text.toDelta().map((part) => (typeof part.insert === 'string' ? part.insert : OBJECT)).join('');
}

/** A Y.Text event's delta as the editor's changes, in positions of the text before it. */
export function changesOf(delta) {
  const changes = [];
  let position = 0;
  for (const part of delta) {
    if (part.retain !== undefined) {
      position += part.retain;
    } else if (part.delete !== undefined) {
      changes.push({ from: position, to: position + part.delete });
      position += part.delete;
    } else {
      changes.push({ from: position, insert: typeof part.insert === 'string' ? part.insert : OBJECT });
    }
  }
  return changes;
}

/**
 * Writes the editor's `ChangeSet`, made on the text `before`, into a Y.Text; call inside a transaction. A change that
 * cuts a surrogate pair is widened to the whole pair: Yjs replaces the halves of a pair it has to split.
 */
export function applyChanges(changeSet, before, text) {
  let shift = 0;
  changeSet.iterChanges((start, end, _startAfter, _endAfter, inserted) => {
    const from = start - (cutsPair(before, start) ? 1 : 0);
    const to = end + (cutsPair(before, end) ? 1 : 0);
    const insert = before.sliceString(from, start) + inserted.sliceString(0, inserted.length, '\n') + before.sliceString(end, to);
    if (to > from) text.delete(from + shift, to - from);
    if (insert) text.insert(from + shift, insert);
    shift += insert.length - (to - from);
  });
}

function cutsPair(text, index) {
  return /^[\ud800-\udbff][\udc00-\udfff]$/.test(text.sliceString(Math.max(0, index - 1), index + 1));
}
