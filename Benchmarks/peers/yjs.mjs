// Yjs on an editing trace: node --expose-gc yjs.mjs TRACE.json.gz [--warm]
//
// Prints one JSON line with the keys of `coduel bench crdt`. Needs `yjs` (Debian: node-yjs, with NODE_PATH=/usr/share/nodejs).
// --warm replays the trace once before measuring, so that the compiler of the JavaScript engine has done its work.
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { basename } from 'node:path'
import { gunzipSync } from 'node:zlib'

const require = createRequire(import.meta.url)
const Y = require('yjs')

const REPETITIONS = 7
const ROOT = 'text'
const warm = process.argv.includes('--warm')
const file = process.argv.slice(2).find(argument => !argument.startsWith('--'))
if (!file) {
  process.stderr.write('usage: node --expose-gc yjs.mjs TRACE.json.gz [--warm]\n')
  process.exit(2)
}

const rounded = ms => Math.round(ms * 1000) / 1000
const megabytes = bytes => Math.round(bytes / 1048576 * 1000) / 1000
const sha256 = data => createHash('sha256').update(data).digest('hex')
const textOf = doc => doc.getText(ROOT).toString()

function timed (body) {
  const cpu = process.cpuUsage()
  const start = performance.now()
  const result = body()
  const wall = performance.now() - start
  const used = process.cpuUsage(cpu)
  return { result, wall, cpu: (used.user + used.system) / 1000 }
}

/** Runs `body` several times; `prepare` comes before each and is not measured. */
function repeatedly (body, prepare = () => {}) {
  const times = []
  let result
  for (let i = 0; i < REPETITIONS; i++) {
    prepare()
    const run = timed(body)
    result = run.result
    times.push(run.wall)
  }
  return { result, first: times[0], least: Math.min(...times) }
}

function documentOf (client) {
  const doc = new Y.Doc()
  doc.clientID = client
  doc.getText(ROOT)
  return doc
}

function patch (doc, patches) {
  const text = doc.getText(ROOT)
  doc.transact(() => {
    for (const [position, deleted, inserted] of patches) {
      if (deleted > 0) text.delete(position, deleted)
      if (inserted !== '') text.insert(position, inserted)
    }
  })
}

/** One client, a transaction and an update a patch. */
function replaySequential (steps) {
  const doc = documentOf(1)
  const updates = []
  doc.on('update', update => updates.push(update))
  for (const step of steps) {
    for (const each of step.patches) patch(doc, [each])
  }
  return { doc, updates }
}

/** A document an agent; before each transaction it is brought to what the author had seen. */
function replayConcurrent (steps, agents) {
  const made = steps.map(() => null)
  let current = 0
  const replicas = Array.from({ length: agents }, (_, agent) => {
    const doc = documentOf(agent + 1)
    doc.on('update', (update, origin) => { if (origin !== 'peer') made[current] = update })
    return { doc, seen: new Set() }
  })
  steps.forEach((step, index) => {
    const { doc, seen } = replicas[step.agent]
    const lacking = []
    const open = [...step.parents]
    while (open.length > 0) {
      const parent = open.pop()
      if (seen.has(parent)) continue
      seen.add(parent)
      lacking.push(parent)
      open.push(...steps[parent].parents)
    }
    for (const parent of lacking.sort((a, b) => a - b)) {
      if (made[parent]) Y.applyUpdate(doc, made[parent], 'peer')
    }
    current = index
    patch(doc, step.patches)
    seen.add(index)
  })
  return { doc: replicas[steps[steps.length - 1].agent].doc, updates: made.filter(update => update !== null) }
}

function receive (updates) {
  const doc = documentOf(78)
  for (const update of updates) Y.applyUpdate(doc, update)
  return doc
}

function encoding (state, encode) {
  const doc = documentOf(77)
  Y.applyUpdate(doc, state)
  return repeatedly(() => encode(doc).length, () => patch(doc, [[0, 0, 'x']]))
}

function decoding (state, apply) {
  return repeatedly(() => {
    const doc = new Y.Doc()
    apply(doc, state)
    return textOf(doc)
  })
}

function heapOfOneDocument (state) {
  if (!globalThis.gc) return null
  globalThis.gc()
  const before = process.memoryUsage().heapUsed
  const doc = receive([state])
  globalThis.gc()
  const after = process.memoryUsage().heapUsed
  return doc.getText(ROOT).length >= 0 ? megabytes(after - before) : null
}

/**
 * The state with the clients of its delete set in descending order, as Yjs writes it from 13.6 on. Earlier versions write them in
 * the order in which they met them.
 */
function withSortedDeletions (state) {
  const bytesOf = deletions => {
    const bytes = []
    const write = value => {
      for (; value > 127; value = Math.floor(value / 128)) bytes.push(128 | (value % 128))
      bytes.push(value)
    }
    write(deletions.length)
    for (const [client, items] of deletions) {
      write(client)
      write(items.length)
      for (const { clock, len } of items) { write(clock); write(len) }
    }
    return Buffer.from(bytes)
  }
  const deletions = [...Y.decodeUpdate(state).ds.clients]
  const structs = state.subarray(0, state.length - bytesOf(deletions).length)
  return Buffer.concat([structs, bytesOf(deletions.sort((one, other) => other[0] - one[0]))])
}

const trace = JSON.parse(gunzipSync(readFileSync(file)).toString('utf8'))
const isConcurrent = trace.kind === 'concurrent'
const replay = () => isConcurrent ? replayConcurrent(trace.txns, trace.numAgents) : replaySequential(trace.txns)
if (warm) receive(replay().updates)
if (globalThis.gc) globalThis.gc()
const base = process.memoryUsage().rss

const local = timed(replay)
const { doc, updates } = local.result
const final = textOf(doc)
const remote = timed(() => receive(updates))
const state = Y.encodeStateAsUpdate(doc)
const stateV2 = Y.encodeStateAsUpdateV2(doc)
const encode = encoding(state, Y.encodeStateAsUpdate)
const encodeV2 = encoding(state, Y.encodeStateAsUpdateV2)
const decode = decoding(state, Y.applyUpdate)
const decodeV2 = decoding(stateV2, Y.applyUpdateV2)
const merge = timed(() => Y.mergeUpdates([state, updates[updates.length - 1]]))

process.stdout.write(JSON.stringify({
  impl: 'yjs',
  version: require('yjs/package.json').version,
  runtime: 'node ' + process.version,
  warm,
  trace: basename(file, '.json.gz'),
  kind: isConcurrent ? 'concurrent' : 'sequential',
  edits: trace.txns.reduce((sum, step) => sum + step.patches.length, 0),
  txns: trace.txns.length,
  apply_local_ms: rounded(local.wall),
  apply_local_cpu_ms: rounded(local.cpu),
  updates: updates.length,
  updates_bytes: updates.reduce((sum, update) => sum + update.length, 0),
  apply_remote_ms: rounded(remote.wall),
  apply_remote_cpu_ms: rounded(remote.cpu),
  encode_v1_ms: rounded(encode.first),
  encode_v1_min_ms: rounded(encode.least),
  v1_bytes: state.length,
  v1_sha256: sha256(state),
  v1_sorted_sha256: sha256(withSortedDeletions(state)),
  encode_v2_ms: rounded(encodeV2.first),
  encode_v2_min_ms: rounded(encodeV2.least),
  v2_bytes: stateV2.length,
  decode_v1_ms: rounded(decode.first),
  decode_v1_min_ms: rounded(decode.least),
  decode_v2_ms: rounded(decodeV2.first),
  decode_v2_min_ms: rounded(decodeV2.least),
  merge_full_plus_one_ms: rounded(merge.wall),
  doc_heap_mb: heapOfOneDocument(state),
  rss_base_mb: megabytes(base),
  rss_peak_mb: megabytes(process.resourceUsage().maxRSS * 1024),
  final_len: final.length,
  final_sha256: sha256(final),
  ok: final === trace.endContent && textOf(remote.result) === final && decode.result === final && decodeV2.result === final
}) + '\n')
