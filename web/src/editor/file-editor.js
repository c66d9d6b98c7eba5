// The editor of one file of a document: follows the root map `files`, so that a file that appears, is replaced or comes
// with a new document is shown as it is now.

import * as Y from 'yjs';
import { languageOf, languageOfFile } from '../languages.js';
import { CodeEditor } from './editor.js';
import { editorText } from './delta.js';

/**
 * Options: `channel`, `language` (id), `writes` (may create the file once synced), `readOnly`, `label`, `hint`, `cursors`
 * (draw the others'), `empty` (said while there is no file), `onSubmit`, `onLeave`, `onLost(text)` (the server asked for a new document; `text` was in the old).
 */
export class FileEditor {
  #options; #parent; #language; #editor = null; #shown = null; #readOnly; #files = null; #undo = [];
  #onFiles = () => this.#show();

  constructor(parent, options) {
    this.#parent = parent;
    this.#options = options;
    this.#language = languageOf(options.language);
    this.#readOnly = options.readOnly ?? !options.writes;
    const { channel } = options;
    this.#listen(channel, 'document', () => this.#attach());
    this.#listen(channel, 'synced', () => this.#show());
    this.#listen(channel, 'reset', () => this.#rememberText());
    this.#attach();
  }

  get language() { return this.#language; }
  get text() { return this.#shown; }

  /** Shows the file of another language, made when it is missing and we may write. */
  setLanguage(id) {
    this.#language = languageOf(id);
    this.#show();
  }

  setReadOnly(readOnly) {
    if (this.#readOnly === readOnly) return;
    this.#readOnly = readOnly;
    this.#editor?.setReadOnly(readOnly, this.#hint());
    this.#show();
  }

  /** Replaces the whole text, as one edit of ours. */
  replaceText(text) {
    const shared = this.#shown;
    if (!shared || this.#readOnly) return;
    shared.doc.transact(() => {
      shared.delete(0, shared.length);
      shared.insert(0, text);
    });
  }

  focus() { this.#editor?.focus(); }

  destroy() {
    for (const undo of this.#undo) undo();
    this.#files?.unobserve(this.#onFiles);
    this.#editor?.destroy();
    this.#editor = null;
  }

  #listen(target, type, listener) {
    target.addEventListener(type, listener);
    this.#undo.push(() => target.removeEventListener(type, listener));
  }

  #attach() {
    this.#files?.unobserve(this.#onFiles);
    this.#files = this.#options.channel.doc.getMap('files');
    this.#files.observe(this.#onFiles);
    this.#shown = null;
    this.#show();
  }

  #show() {
    const text = this.#find();
    if (text && text === this.#shown) return;
    this.#shown = text;
    this.#editor?.destroy();
    this.#editor = null;
    if (!text) {
      const waiting = document.createElement('p');
      waiting.className = 'editor-empty';
      waiting.textContent = this.#options.channel.isSynced ? this.#options.empty ?? 'Nothing here yet.' : 'Loading the text…';
      this.#parent.replaceChildren(waiting);
      return;
    }
    const { channel, label, cursors, onSubmit, onLeave } = this.#options;
    this.#editor = new CodeEditor(this.#parent, {
      text, label: `${label}, ${this.#language.file}`, language: this.#language, readOnly: this.#readOnly, hint: this.#hint(),
      awareness: cursors ? channel.awareness : null, onSubmit, onLeave,
    });
  }

  #find() {
    const { channel, writes } = this.#options;
    const found = this.#files.get(this.#language.file);
    if (found instanceof Y.Text) return found;
    if (writes && !this.#readOnly && channel.isSynced && !this.#files.has(this.#language.file)) {
      const created = new Y.Text();
      // Adding it calls the observer, which finds it and shows it.
      this.#files.set(this.#language.file, created);
      return created;
    }
    return writes ? null : this.#other();
  }

  // A reader sees what there is, in whatever language it is written.
  #other() {
    for (const [name, value] of this.#files) {
      const language = languageOfFile(name);
      if (language && value instanceof Y.Text && (value.length > 0 || this.#files.size === 1)) {
        this.#language = language;
        return value;
      }
    }
    return null;
  }

  #hint() {
    return this.#readOnly ? '' : this.#options.hint ?? '';
  }

  #rememberText() {
    const text = this.#shown ? editorText(this.#shown) : '';
    if (text) this.#options.onLost?.(text);
  }
}
