// Yjs on concurrent edits: node merging.mjs b2|b3|conflicts N [REPETITIONS]
//
// Prints one JSON line with the keys and the inputs of `coduel bench crdt --bench …`.
import { createHash } from 'node:crypto'
import { createRequire } from 'node:module'

const require = createRequire(import.meta.url)
const Y = require('yjs')

const [bench, size, repetitions] = process.argv.slice(2)
const n = Number(size)
const repeats = Number(repetitions ?? 15)
if (!['b2', 'b3', 'conflicts'].includes(bench) || !(n > 0)) {
  process.stderr.write('usage: node merging.mjs b2|b3|conflicts N [REPETITIONS]\n')
  process.exit(2)
}

const rounded = ms => Math.round(ms * 1000) / 1000
const sha256 = text => createHash('sha256').update(text).digest('hex')

function timed (body) {
  const start = performance.now()
  const result = body()
  return [result, performance.now() - start]
}

function documentOf (client) {
  const doc = new Y.Doc()
  doc.clientID = client
  return doc
}

/** xorshift32, and words of its letters. */
function random (seed) {
  let state = seed >>> 0
  const below = bound => {
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    return (state >>> 0) % bound
  }
  const word = (low, high) => {
    const length = low + below(high - low + 1)
    return Array.from({ length }, () => String.fromCharCode(97 + below(26))).join('')
  }
  return { below, word }
}

function inputs (kind) {
  const { below, word } = random(12345 + n)
  const initial = word(100, 100)
  const patches = () => {
    if (kind === 'b2.1') return [[0, 0, word(n, n)]]
    let length = initial.length
    const out = []
    for (let i = 0; i < n; i++) {
      const position = below(length)
      const text = kind === 'b2.2' ? word(1, 1) : word(3, 9)
      out.push([position, 0, text])
      length += text.length
      if (kind !== 'b2.4') continue
      if (below(2) === 0) {
        const more = word(2, 10)
        out.push([position, 0, more])
        length += more.length
      } else {
        const deleted = 1 + below(Math.min(8, length - position))
        out.push([position, deleted, ''])
        length -= deleted
      }
    }
    return out
  }
  return { initial, patches: [patches(), patches()] }
}

/** Runs a case several times: first, least and median of each time, and what the last run says. */
function bulk (name, once) {
  const runs = Array.from({ length: repeats }, once)
  const row = { case: name }
  for (const key of Object.keys(runs[0].times)) {
    const all = runs.map(run => run.times[key])
    row[key + '_first'] = rounded(all[0])
    row[key + '_min'] = rounded(Math.min(...all))
    row[key + '_median'] = rounded([...all].sort((a, b) => a - b)[all.length >> 1])
  }
  return { ...row, ...runs[runs.length - 1].facts }
}

function patch (text, [position, deleted, inserted]) {
  if (deleted > 0) text.delete(position, deleted)
  if (inserted !== '') text.insert(position, inserted)
}

function twoClients (kind, isPerEdit) {
  const { initial, patches } = inputs(kind)
  return bulk(kind + (isPerEdit ? '_per_edit' : ''), () => {
    const docs = [documentOf(1), documentOf(2)]
    const texts = docs.map(doc => doc.getText('text'))
    texts[0].insert(0, initial)
    Y.applyUpdate(docs[1], Y.encodeStateAsUpdate(docs[0]))
    const updates = [[], []]
    docs.forEach((doc, k) => doc.on('update', (update, origin) => { if (origin !== 'peer') updates[k].push(update) }))
    const [, local] = timed(() => docs.forEach((doc, k) => {
      if (isPerEdit) for (const each of patches[k]) doc.transact(() => patch(texts[k], each))
      else doc.transact(() => { for (const each of patches[k]) patch(texts[k], each) })
    }))
    const [, merge] = timed(() => {
      for (const update of updates[1]) Y.applyUpdate(docs[0], update, 'peer')
      for (const update of updates[0]) Y.applyUpdate(docs[1], update, 'peer')
    })
    const [state, encode] = timed(() => Y.encodeStateAsUpdate(docs[0]))
    const [read, decode] = timed(() => {
      const doc = new Y.Doc()
      Y.applyUpdate(doc, state)
      return doc.getText('text').toString()
    })
    const final = texts[0].toString()
    return {
      times: { local_ms: local, merge_ms: merge, encode_ms: encode, decode_ms: decode },
      facts: { doc_bytes: state.length, final_sha256: sha256(final), ok: final === texts[1].toString() && final === read }
    }
  })
}

const SHAPES = {
  'b3.1': { edit: (doc, i) => doc.getMap('map').set('v', i), read: doc => JSON.stringify(doc.getMap('map').toJSON()) },
  'b3.4': { edit: (doc, i) => doc.getArray('array').insert(0, [String(i)]), read: doc => JSON.stringify(doc.getArray('array').toJSON()) },
  'b3.5': { edit: (doc, i) => doc.getText('text').insert(0, String(i)), read: doc => doc.getText('text').toString() }
}

function manyClients (kind) {
  const { edit, read } = SHAPES[kind]
  const updates = []
  for (let i = 0; i < Math.floor(Math.sqrt(n)) * 20; i++) {
    const doc = documentOf(i + 1)
    doc.on('update', update => updates.push(update))
    edit(doc, i)
  }
  return bulk(kind, () => {
    const [first, second] = [documentOf(1000001), documentOf(1000002)]
    const [, together] = timed(() => first.transact(() => { for (const update of updates) Y.applyUpdate(first, update) }))
    const [, each] = timed(() => { for (const update of updates) Y.applyUpdate(second, update) })
    const [state, encode] = timed(() => Y.encodeStateAsUpdate(first))
    const [copy, decode] = timed(() => {
      const doc = new Y.Doc()
      Y.applyUpdate(doc, state)
      return read(doc)
    })
    return {
      times: { apply_one_txn_ms: together, apply_each_ms: each, encode_ms: encode, decode_ms: decode },
      facts: { clients: updates.length, doc_bytes: state.length, final_sha256: sha256(copy), ok: read(first) === read(second) && copy === read(first) }
    }
  })
}

/** The updates of some clients that insert at the beginning of an empty text, each some times: everyone's first, everyone's second … */
function insertions (clients, each) {
  const replicas = Array.from({ length: clients }, (_, client) => {
    const doc = documentOf(client + 1)
    const updates = []
    doc.on('update', update => updates.push(update))
    for (let round = 0; round < each; round++) doc.getText('text').insert(0, 'c' + (each === 1 ? (client + 1) % 1000 : round))
    return updates
  })
  return Array.from({ length: each }, (_, round) => replicas.map(updates => updates[round])).flat()
}

/** All clients insert at one place; n doubles. CPU time, with that of the collector. */
function conflicts () {
  const rows = []
  for (let count = Math.min(1000, n); count <= n; count *= 2) {
    for (const [name, updates] of [['empty', insertions(count, 1)], ['thousand', insertions(Math.min(count, 1000), Math.max(1, Math.floor(count / 1000)))]]) {
      const doc = documentOf(5000001)
      const before = process.cpuUsage()
      for (const update of updates) Y.applyUpdate(doc, update)
      const { user, system } = process.cpuUsage(before)
      rows.push({ case: name + ', ascending', n: count, apply_each_cpu_ms: rounded((user + system) / 1000), us_each: rounded((user + system) / count), ok: true })
    }
  }
  return rows
}

const cases = bench === 'b2'
  ? [...['b2.1', 'b2.2', 'b2.3', 'b2.4'].map(kind => twoClients(kind, false)), twoClients('b2.4', true)]
  : bench === 'b3' ? Object.keys(SHAPES).map(manyClients) : conflicts()
process.stdout.write(JSON.stringify({ impl: 'yjs', version: require('yjs/package.json').version, bench, n, cases }) + '\n')
