// Edits of the replica protocol on Yjs documents (PROTOCOL.md).
import { CONSTRUCTORS, decodeValue } from './values.mjs'

const TEXTS = ['text', 'xmltext']
const LISTS = ['array', 'fragment', 'element']

/** The child type at a visible index of a text. */
const embeddedAt = (Y, text, index) => {
  let at = 0
  for (let item = text._start; item !== null; item = item.right) {
    if (item.deleted || !item.countable) continue
    if (at + item.length > index) return item.content.type instanceof Y.AbstractType ? item.content.type : undefined
    at += item.length
  }
  return undefined
}

const entry = (Y, type, key) => {
  if (type instanceof Y.Map) return type.get(key)
  return typeof type.getAttribute === 'function' ? type.getAttribute(key) : undefined
}

/** What a path leads to: a shared type, a value, a subdocument, or undefined. */
export const resolvePath = (Y, doc, path) => {
  let here = doc.share.get(path[0])
  for (const step of path.slice(1)) {
    if (!(here instanceof Y.AbstractType)) return undefined
    forgetMarkers(here)
    if (typeof step === 'string') here = entry(Y, here, step)
    else if (here instanceof Y.Text) here = embeddedAt(Y, here, step)
    else if (here instanceof Y.Array || here instanceof Y.XmlFragment) here = step < here.length ? here.get(step) : undefined
    else return undefined
  }
  return here
}

/**
 * Yjs keeps marks of positions it has been at, and after a remote transaction drops those of a type only when it calls that
 * type's observers: one that is called earlier and looks there would find the wrong place. (Marks change no results otherwise.)
 */
const forgetMarkers = type => { if (type._searchMarker) type._searchMarker.length = 0 }

const isKind = (Y, type, kinds) => kinds.some(kind => type.constructor === Y[CONSTRUCTORS[kind]])
const clamp = (value, limit) => Math.max(0, Math.min(value, limit))
const copy = (Y, attributes) => attributes === undefined || attributes === null ? undefined : decodeValue(Y, attributes)

const XML = ['element', 'xmltext', 'hook']
/** New elements of a list; what is no XML is left out where only that belongs. */
const contentsFor = (Y, list, contents) => contents.filter(content => list instanceof Y.Array || XML.includes(content?.$))
  .map(content => decodeValue(Y, content))

const EDITS = {
  insert: [TEXTS, (Y, text, [index, string, attributes]) => text.insert(clamp(index, text.length), string, copy(Y, attributes))],
  embed: [TEXTS, (Y, text, [index, content, attributes]) => {
    text.insertEmbed(clamp(index, text.length), decodeValue(Y, content), copy(Y, attributes))
  }],
  format: [TEXTS, (Y, text, [index, length, attributes]) => text.format(clamp(index, text.length), length, copy(Y, attributes))],
  cut: [TEXTS, (Y, text, [index, length]) => {
    const from = clamp(index, text.length)
    text.delete(from, clamp(length, text.length - from))
  }],
  delta: [TEXTS, (Y, text, [ops]) => text.applyDelta(ops.map(op => {
    const decoded = { ...op }
    if (op.insert !== undefined) decoded.insert = decodeValue(Y, op.insert)
    if (op.attributes !== undefined) decoded.attributes = copy(Y, op.attributes)
    return decoded
  }))],
  attribute: [[...TEXTS, 'element'], (Y, type, [key, content]) => type.setAttribute(key, decodeValue(Y, content))],
  unattribute: [[...TEXTS, 'element'], (Y, type, [key]) => type.removeAttribute(key)],
  set: [['map', 'hook'], (Y, map, [key, content]) => { map.set(key, decodeValue(Y, content)) }],
  unset: [['map', 'hook'], (Y, map, [key]) => map.delete(key)],
  empty: [['map', 'hook'], (Y, map) => map.clear()],
  list: [LISTS, (Y, list, [index, contents]) => list.insert(clamp(index, list.length), contentsFor(Y, list, contents))],
  after: [['fragment', 'element'], (Y, list, [index, contents]) => {
    const child = index === null || list.length === 0 ? null : list.get(clamp(index, list.length - 1))
    list.insertAfter(child, contentsFor(Y, list, contents))
  }],
  push: [LISTS, (Y, list, [contents]) => list.push(contentsFor(Y, list, contents))],
  delete: [LISTS, (Y, list, [index, length]) => {
    const from = clamp(index, list.length)
    list.delete(from, clamp(length, list.length - from))
  }]
}

/** Performs edits in the running transaction; gives the indices of those that found no type of their kind. */
export const performEdits = (Y, doc, edits, inObserver = false) => {
  const skipped = []
  edits.forEach(([name, path, ...rest], index) => {
    const [kinds, perform] = EDITS[name]
    const type = resolvePath(Y, doc, path)
    if (inObserver && type instanceof Y.AbstractType) forgetMarkers(type)
    if (type instanceof Y.AbstractType && isKind(Y, type, kinds)) perform(Y, type, rest)
    else skipped.push(index)
  })
  return skipped
}
