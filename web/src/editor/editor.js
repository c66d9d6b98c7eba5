// One editor. It lives in a shadow root of its own: there CodeMirror puts its rules into adopted style sheets, which a
// policy of `style-src 'self'` allows; in the document itself it would write <style> elements, which it forbids.

import {
  Compartment, EditorSelection, EditorState, EditorView, bracketMatching, defaultKeymap, drawSelection, dropCursor, foldGutter,
  foldKeymap, highlightActiveLine, highlightActiveLineGutter, highlightSpecialChars, indentOnInput, indentUnit,
  indentWithTab, keymap, languages, lineNumbers, placeholder, rectangularSelection, simplifySelection,
} from 'codemirror';
import { textBinding } from './binding.js';
import { peerCursors } from './cursors.js';
import { editorText } from './delta.js';
import { editorTheme, highlighting } from './theme.js';

const darkQuery = matchMedia('(prefers-color-scheme: dark)');

/**
 * Shows `text` (a Y.Text) in `parent`. `onSubmit` runs on Ctrl/Cmd+Enter, `onLeave` on Escape. With `cursors` the
 * others' carets are drawn, ours is shared while the editor is writable.
 */
export class CodeEditor {
  #parts = { language: new Compartment(), highlight: new Compartment(), access: new Compartment() };
  #onScheme = () => this.#reconfigure('highlight', highlighting(darkQuery.matches));
  #language = null;

  constructor(parent, { text, awareness = null, language, readOnly, label, hint = '', onSubmit, onLeave }) {
    this.host = document.createElement('div');
    this.host.className = 'editor-host';
    parent.replaceChildren(this.host);
    const root = this.host.attachShadow({ mode: 'open' });
    const mount = document.createElement('div');
    mount.style.height = '100%';
    root.append(mount);
    this.view = new EditorView({
      root,
      parent: mount,
      doc: editorText(text),
      extensions: [
        keys({ onSubmit, onLeave }),
        textBinding(text),
        awareness ? peerCursors(text, awareness, { share: !readOnly }) : [],
        this.#parts.access.of(access(readOnly, hint)),
        this.#parts.language.of([]),
        this.#parts.highlight.of(highlighting(darkQuery.matches)),
        EditorView.contentAttributes.of({ 'aria-label': label, spellcheck: 'false', autocapitalize: 'off', autocorrect: 'off' }),
        basics,
        editorTheme,
      ],
    });
    darkQuery.addEventListener('change', this.#onScheme);
    this.setLanguage(language);
  }

  /** Loads the grammar of a language; until then, and where it cannot be loaded, the text is plain. */
  async setLanguage(language) {
    this.#language = language;
    const unit = indentUnit.of(language.indent);
    this.#reconfigure('language', unit);
    const description = languages.find((candidate) => candidate.name === language.grammar);
    if (!description) return;
    try {
      const support = await description.load();
      if (this.#language === language && this.view) this.#reconfigure('language', [unit, support]);
    } catch {
      // Without the network the code is readable all the same.
    }
  }

  setReadOnly(readOnly, hint = '') { this.#reconfigure('access', access(readOnly, hint)); }

  focus() { this.view?.focus(); }

  destroy() {
    darkQuery.removeEventListener('change', this.#onScheme);
    this.view?.destroy();
    this.view = null;
    this.host.remove();
  }

  #reconfigure(part, extension) {
    this.view?.dispatch({ effects: this.#parts[part].reconfigure(extension) });
  }
}

function access(readOnly, hint) {
  return [
    EditorState.readOnly.of(readOnly),
    EditorView.editable.of(!readOnly),
    readOnly ? EditorView.contentAttributes.of({ tabindex: '0', 'aria-readonly': 'true' }) : [],
    hint ? placeholder(hint) : [],
  ];
}

function keys({ onSubmit, onLeave }) {
  const leave = (view) => {
    if (view.state.selection.ranges.length > 1 && simplifySelection(view)) return true;
    const { main } = view.state.selection;
    if (!main.empty) view.dispatch({ selection: EditorSelection.cursor(main.head) });
    if (!onLeave) view.contentDOM.blur();
    else onLeave();
    return true;
  };
  return keymap.of([
    { key: 'Mod-Enter', run: () => { onSubmit?.(); return true; } },
    { key: 'Escape', run: leave },
  ]);
}

// CodeMirror's basic setup without its history: undo is the binding's, or it would take back other people's edits.
const basics = [
  // Only line feeds end a line, so that positions are those of the shared text whatever it holds.
  EditorState.lineSeparator.of('\n'),
  EditorView.clipboardInputFilter.of((text) => text.replace(/\r\n?/g, '\n')),
  EditorState.allowMultipleSelections.of(true),
  lineNumbers(), foldGutter(), highlightActiveLineGutter(), highlightSpecialChars(), drawSelection(), dropCursor(),
  indentOnInput(), bracketMatching(), rectangularSelection(), highlightActiveLine(),
  keymap.of([...defaultKeymap, ...foldKeymap, indentWithTab]),
];
