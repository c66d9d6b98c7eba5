// Random edits for a document, chosen by looking at its Yjs replica. Edits are the protocol's (PROTOCOL.md).
import { kindOf } from './values.mjs'
import { pick, times, weighted } from './random.mjs'

const WORDS = [
  'a', 'bc', 'd', '\n', 'é', '😀', '漢字', 'xyzxyzxyz', ' ', '👩‍👩‍👧', 'e\u0301', 'Z😀', '\u2028', '"\\\t', '<&>'
]
const NUMBERS = [1, -1, 0, 1.5, 0.1, 2 ** 31, -(2 ** 31), 2 ** 31 - 1, -(2 ** 40), 1e21, 1e-7, 5e-324, 63, 64, -64, 2 ** 53]
const PLAIN = ['v', '', '😀', null, true, false, { n: 1, b: [1, 'x'], 2: 'i', 1: 'j' }, [1, [2]], {}, [], { a: { b: null } }]
/** What JSON cannot carry: v1 writes embeds and formats as JSON, so these stay out of those. */
const SPECIAL = [
  { $: 'number', of: 'NaN' }, { $: 'number', of: '-0' }, { $: 'number', of: 'Infinity' },
  { $: 'bytes', hex: '' }, { $: 'bytes', hex: '00ff80' },
  { u: { $: 'undefined' } }, { b: { $: 'bytes', hex: '01' }, i: { $: 'bigint', of: '-9007199254740993' } }
]
const KEYS = ['k', 'l', 'm', 'é', '7', '10', 'long key of some words']
const FORMATS = {
  bold: [true, null, true],
  italic: [true, null],
  color: ['red', 'blue', null],
  link: [{ href: 'x' }, { href: 'y', n: 1 }, null],
  deep: [{ a: { b: 1 } }, null],
  3: [1, 2, null],
  zero: [0, false, '', null]
}
const NAMES = ['p', 'DIV', 'h1']
export const MAX_DEPTH = 3

const scalar = R => R(3) ? pick(R, PLAIN) : pick(R, NUMBERS)
const value = R => R(8) ? scalar(R) : pick(R, SPECIAL)
/** Text; where the engine's edits are mirrored without pairs of surrogates, which an edit can break without an update. */
const word = (R, profile) => {
  const text = R(6) ? pick(R, WORDS) : times(2 + R(4), () => pick(R, WORDS)).join('')
  return profile.pairs ? text : text.replace(/[\ud800-\udfff]/g, 'p')
}

export const attributes = (R, profile) => {
  const keys = Object.keys(FORMATS).filter(key => (key !== 'zero' || profile.falsy) && (key !== 'deep' || profile.deep))
  return Object.fromEntries(times(1 + R(3), () => { const key = pick(R, keys); return [key, pick(R, FORMATS[key])] }))
}

const subdocument = R => {
  const doc = { $: 'doc', guid: 'sub' + R(1000) }
  if (R(3) === 0) doc.autoLoad = true
  if (R(4) === 0) doc.gc = false
  if (R(3) === 0) doc.meta = pick(R, [{ title: 't' }, 1, 'm'])
  return doc
}
const newXML = R => {
  const kind = weighted(R, { element: 4, xmltext: 4, hook: 1 })
  return kind === 'xmltext' ? { $: kind } : { $: kind, name: pick(R, NAMES) }
}

/** A new type (or subdocument) as content of a map, an attribute, an array or a text. */
const newType = (R, profile) => {
  const kind = weighted(R, { text: 4, map: 3, array: 3, xml: profile.xml ? 1 : 0, fragment: profile.xml ? 1 : 0, doc: profile.subdocs })
  if (kind === 'doc') return subdocument(R)
  return kind === 'xml' ? newXML(R) : { $: kind }
}

const deltaOps = (R, profile, length) => {
  const ops = []
  let left = length
  for (let count = 1 + R(4); count > 0; count--) {
    const op = {}
    const kind = weighted(R, { retain: left ? 3 : 0, insert: 3, delete: left ? 2 : 0 })
    if (kind === 'insert') op.insert = R(8) || !profile.embeds ? word(R, profile) : pick(R, [{ image: 'i' }, { n: [1] }])
    else { op[kind] = 1 + R(Math.min(left, 6)); left -= op[kind] }
    if (kind !== 'delete' && R(2)) op.attributes = attributes(R, profile)
    ops.push(op)
  }
  return ops
}

const TEXT_EDITS = {
  insert: (R, profile, text) => {
    const edit = [R(text.length + 1), word(R, profile)]
    if (profile.formats && R(3) === 0) edit.push(R(6) ? attributes(R, profile) : {})
    return edit
  },
  cut: (R, profile, text) => {
    const at = R(text.length)
    return [at, 1 + R(Math.min(R(5) ? 5 : 20, text.length - at))]
  },
  format: (R, profile, text) => {
    const at = R(text.length + 1)
    const length = 1 + R(Math.min(R(4) ? 6 : 30, Math.max(1, text.length - at)))
    // Now and then beyond the end.
    return [at, R(25) ? length : length + 3, attributes(R, profile)]
  },
  embed: (R, profile, text, depth) => {
    const content = R(2) && depth < MAX_DEPTH
      ? { $: pick(R, ['text', 'map', 'array']) }
      : pick(R, [{ image: 'i' }, { n: [1, null] }, { a: { b: true } }, [1]])
    const edit = [R(text.length + 1), content]
    if (profile.formats && R(2)) edit.push(attributes(R, profile))
    return edit
  },
  delta: (R, profile, text) => [deltaOps(R, profile, text.length)],
  attribute: (R, profile, text, depth) => [pick(R, KEYS), R(8) || depth >= MAX_DEPTH ? value(R) : newType(R, profile)],
  unattribute: R => [pick(R, KEYS)]
}
const textWeights = (profile, text) => ({
  insert: text.length > profile.size ? 3 : 12,
  cut: text.length ? (text.length > profile.size ? 10 : 5) : 0,
  format: profile.formats ? 6 : 0,
  embed: profile.embeds ? 2 : 0,
  delta: profile.formats ? 3 : 0,
  attribute: 1,
  unattribute: text._map.size ? 1 : 0
})

const MAP_EDITS = {
  set: (R, profile, map, depth) => {
    const plain = R(12) ? value(R) : R(2) && profile.bigint ? { $: 'bigint', of: '12' } : { $: 'undefined' }
    return [pick(R, KEYS), R(3) || depth >= MAX_DEPTH ? plain : newType(R, profile)]
  },
  unset: (R, profile, map) => [R(3) && map.size ? pick(R, [...map.keys()]) : pick(R, KEYS)],
  empty: () => []
}

const LIST_EDITS = {
  list: (R, profile, list, depth, contents) => [R(list.length + 1), contents()],
  push: (R, profile, list, depth, contents) => [contents()],
  after: (R, profile, list, depth, contents) => [R(4) ? R(Math.max(1, list.length)) : null, contents()],
  delete: (R, profile, list) => { const at = R(list.length); return [at, 1 + R(Math.min(4, list.length - at))] }
}

const contentsOf = (R, profile, type, kind, depth) => () => kind === 'array'
  ? times(1 + R(3), () => R(5) || depth >= MAX_DEPTH ? value(R) : newType(R, profile))
  : times(1 + R(2), () => depth >= MAX_DEPTH ? { $: 'xmltext' } : newXML(R))

/** One edit for a type at a path. */
const editOf = (Y, R, profile, type, path, depth) => {
  const kind = kindOf(Y, type)
  switch (kind) {
    case 'text': case 'xmltext': {
      const name = weighted(R, textWeights(profile, type))
      return [name, path, ...TEXT_EDITS[name](R, profile, type, depth)]
    }
    case 'map': case 'hook': {
      const name = weighted(R, { set: 10, unset: 3, empty: R(10) ? 0 : 3 })
      return [name, path, ...MAP_EDITS[name](R, profile, type, depth)]
    }
    default: {
      if (kind === 'element' && R(3) === 0) {
        if (R(4) === 0) return ['unattribute', path, pick(R, KEYS)]
        const other = R(6) || depth >= MAX_DEPTH ? scalar(R) : newType(R, profile)
        return ['attribute', path, pick(R, KEYS), R(2) ? pick(R, ['v', '<"&', '']) : other]
      }
      const long = type.length > profile.size / 4
      const weights = { list: long ? 2 : 8, push: long ? 1 : 3, after: kind === 'array' ? 0 : 2, delete: type.length ? (long ? 8 : 4) : 0 }
      const name = weighted(R, weights)
      return [name, path, ...LIST_EDITS[name](R, profile, type, depth, contentsOf(R, profile, type, kind, depth))]
    }
  }
}

/** Child types of a type, with the step that leads to each. */
export const childrenOf = (Y, type) => {
  const children = []
  let index = 0
  for (let item = type._start; item !== null; item = item.right) {
    if (item.deleted || !item.countable) continue
    if (item.content.type instanceof Y.AbstractType) children.push([index, item.content.type])
    index += item.length
  }
  for (const [key, item] of type._map) {
    if (!item.deleted && item.content.type instanceof Y.AbstractType) children.push([key, item.content.type])
  }
  return children
}

/** A shared type of the document at random: a root by the profile's weights, then often a descendant. */
export const chooseType = (Y, R, profile, doc) => {
  const root = weighted(R, profile.roots)
  let type = doc.share.get(root)
  const path = [root]
  while (path.length <= MAX_DEPTH) {
    const children = childrenOf(Y, type)
    if (children.length === 0 || R(3) === 0) break
    const [step, child] = pick(R, children)
    path.push(step)
    type = child
  }
  return { type, path }
}

export const chooseEdit = (Y, R, profile, doc) => {
  const { type, path } = chooseType(Y, R, profile, doc)
  return editOf(Y, R, profile, type, path, path.length)
}

/** One edit of the engine's `plan`. */
export const choosePlanned = (R, doc) => {
  const { length } = doc.getArray('array')
  switch (weighted(R, { set: 3, remove: 1, append: 4, replace: length, type: 2, removeFirst: 1 })) {
    case 'set': return ['set', pick(R, KEYS), value(R)]
    case 'remove': return ['remove', pick(R, KEYS)]
    case 'append': return ['append', times(1 + R(2), () => value(R))]
    case 'replace': return ['replace', R(length), value(R)]
    case 'type': return ['type', pick(R, KEYS)]
    default: return ['removeFirst', 1 + R(2)]
  }
}
