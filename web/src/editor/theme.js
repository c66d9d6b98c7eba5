// How the editor looks. Colours are the page's custom properties, which reach into the editor's shadow root; only the
// colours of the code come from one of two highlight styles.

import { EditorView, defaultHighlightStyle, oneDarkHighlightStyle, syntaxHighlighting } from 'codemirror';

export const editorTheme = EditorView.theme({
  '&': { height: '100%', color: 'var(--ink)', backgroundColor: 'var(--code)', fontSize: 'var(--code-size, 14px)' },
  // The page draws the focus around the whole editor.
  '&.cm-focused': { outline: 'none' },
  '.cm-scroller': { fontFamily: 'var(--mono)', lineHeight: '1.55' },
  '.cm-content': { caretColor: 'var(--ink)', paddingBlock: '10px' },
  '.cm-gutters': { backgroundColor: 'var(--code)', color: 'var(--muted)', border: 'none' },
  '.cm-activeLine, .cm-activeLineGutter': { backgroundColor: 'var(--code-line)' },
  '.cm-cursor, .cm-dropCursor': { borderLeftColor: 'var(--ink)', borderLeftWidth: '2px' },
  '.cm-selectionBackground, &.cm-focused > .cm-scroller > .cm-selectionLayer .cm-selectionBackground': {
    background: 'var(--selection)',
  },
  '.cm-placeholder': { color: 'var(--muted)' },
});

/** The highlight style for a light or dark page. */
export function highlighting(dark) {
  return syntaxHighlighting(dark ? oneDarkHighlightStyle : defaultHighlightStyle);
}
