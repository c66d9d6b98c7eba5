import assert from 'node:assert/strict';
import test from 'node:test';
import { EditorState } from 'codemirror';
import * as Y from 'yjs';
import { applyChanges, changesOf, editorText } from '../src/editor/delta.js';

// mulberry32
function random(seed) {
  let state = seed >>> 0;
  return (below) => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below;
  };
}

const PIECES = ['a', 'xyz', '\n', '🙂', 'é', '\r\n', '\t', '  if x:\n', '\u2028'];

/** A Y.Text and an editor state held equal to it, as the binding does with a view. */
class Replica {
  constructor() {
    this.doc = new Y.Doc();
    this.text = this.doc.getText('t');
    this.state = EditorState.create({ doc: '', extensions: [EditorState.lineSeparator.of('\n')] });
    this.text.observe((event, transaction) => {
      if (transaction.origin === this) return;
      this.state = this.state.update({ changes: changesOf(event.delta) }).state;
    });
  }

  apply(transaction) {
    const before = this.state.doc;
    this.state = transaction.state;
    this.doc.transact(() => applyChanges(transaction.changes, before, this.text), this);
  }

  // An editor's caret never stands inside a surrogate pair.
  boundary(index) {
    return /^[\ud800-\udbff][\udc00-\udfff]$/.test(this.state.sliceDoc(Math.max(0, index - 1), index + 1)) ? index + 1 : index;
  }

  edit(next) {
    const length = this.state.doc.length;
    const changes = [];
    let from = 0;
    for (let count = 1 + next(3); count > 0 && from <= length; count -= 1) {
      const start = this.boundary(from + next(length - from + 1));
      const end = this.boundary(Math.min(length, start + next(6)));
      changes.push({ from: start, to: end, insert: next(3) === 0 ? '' : PIECES[next(PIECES.length)] });
      from = end + 1;
    }
    const transaction = this.state.update({ changes });
    this.apply(transaction);
  }
}

test('editors and texts stay equal under random edits from many sides', () => {
  const seed = Number(process.env.CODUEL_TEST_SEED ?? Date.now() % 1_000_000);
  const rounds = 200 * Number(process.env.CODUEL_TEST_SCALE ?? 1);
  const note = `CODUEL_TEST_SEED=${seed} script/web --test`;
  const next = random(seed);
  const replicas = [new Replica(), new Replica(), new Replica()];
  for (let round = 0; round < rounds; round += 1) {
    const one = replicas[next(3)];
    const kind = next(10);
    if (kind < 6) one.edit(next);
    else if (kind === 6) one.text.insertEmbed(one.boundary(next(one.text.length + 1)), { image: 'x' });
    else if (kind === 7) {
      const start = one.boundary(next(one.text.length + 1));
      const end = one.boundary(Math.min(one.text.length, start + 1));
      if (end > start) one.text.format(start, end - start, { bold: true });
    } else {
      const other = replicas[next(3)];
      Y.applyUpdate(other.doc, Y.encodeStateAsUpdate(one.doc, Y.encodeStateVector(other.doc)));
    }
    for (const replica of replicas) assert.equal(replica.state.doc.sliceString(0), editorText(replica.text), note);
  }
  for (let pass = 0; pass < 2; pass += 1) {
    for (const one of replicas) for (const other of replicas) Y.applyUpdate(other.doc, Y.encodeStateAsUpdate(one.doc));
  }
  const texts = replicas.map((replica) => replica.state.sliceDoc());
  assert.equal(texts[1], texts[0], note);
  assert.equal(texts[2], texts[0], note);
  assert.equal(texts[0].length, replicas[0].text.length, note);
});

test('half a surrogate pair changes as a whole pair', () => {
  const one = new Replica();
  one.apply(one.state.update({ changes: { from: 0, insert: 'a🙂b🙃c' } }));
  // 🙂 and 😀 differ in both halves, 🙂 and 🙃 only in the second: what an input method sends may be the difference.
  one.apply(one.state.update({ changes: [{ from: 2, to: 3, insert: '\ude43' }, { from: 5, to: 6, insert: '\ude42' }] }));
  assert.equal(one.text.toString(), 'a🙃b🙂c');
  assert.equal(one.state.sliceDoc(), 'a🙃b🙂c');
});
