// The languages of the contract: id, the file a room keeps its program in, and the grammar that colours it.
// `offered` are those this page lets a player choose; the others are known so that a room in them can be read.

export const LANGUAGES = [
  { id: 'python', name: 'Python', file: 'main.py', grammar: 'Python', indent: '    ', offered: true },
  { id: 'cpp', name: 'C++', file: 'main.cpp', grammar: 'C++', indent: '    ', offered: true },
  { id: 'c', name: 'C', file: 'main.c', grammar: 'C', indent: '    ', offered: true },
  { id: 'javascript', name: 'JavaScript', file: 'main.js', grammar: 'JavaScript', indent: '  ', offered: true },
  { id: 'java', name: 'Java', file: 'main.java', grammar: 'Java', indent: '    ', offered: false },
  { id: 'rust', name: 'Rust', file: 'main.rs', grammar: 'Rust', indent: '    ', offered: false },
  { id: 'go', name: 'Go', file: 'main.go', grammar: 'Go', indent: '\t', offered: false },
  { id: 'swift', name: 'Swift', file: 'main.swift', grammar: 'Swift', indent: '    ', offered: false },
];

/** The language with this id; an id this page does not know is shown as plain text. */
export function languageOf(id) {
  return LANGUAGES.find((language) => language.id === id)
    ?? { id, name: id || 'text', file: 'main.txt', grammar: null, indent: '    ', offered: false };
}

/** The language of a file name, or undefined. */
export function languageOfFile(name) {
  return LANGUAGES.find((language) => language.file.split('.')[1] === name.split('.').pop());
}
