// Seeded differential test of the engine against Yjs.
//
//   node differential.mjs --binary PATH [--seed N] [--ops N] [--scenario N]
//
// Each scenario has 2-6 replicas over a root text, map and array (with nested texts in the map); one of them is the engine,
// driven through `PATH doc replica`, the others are Yjs. They edit at random and exchange updates late, out of order,
// twice or not at all, and by state vector. A Yjs mirror takes exactly what the engine takes, in the same order.
// Checked: equal content and state vectors of all replicas in the end, and of engine and mirror on the way; bytes of
// encodeStateAsUpdate of engine and mirror, and of a new engine document that applies what each replica encodes.
// A failure prints the seed and the command that repeats it. Modules are resolved by require(): set NODE_PATH.
import { createRequire } from 'node:module'
import { spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import assert from 'node:assert/strict'
const require = createRequire(import.meta.url)
const Y = require('yjs')

const argv = process.argv.slice(2)
const option = (name, fallback) => { const i = argv.indexOf('--' + name); return i < 0 ? fallback : argv[i + 1] }
const seed = Number(option('seed', 1))
const ops = Number(option('ops', 20000))
const binary = option('binary', null)
const only = option('scenario', null)
if (!binary) { console.error('--binary PATH is needed'); process.exit(2) }

const random = seed => { let s = seed >>> 0; return n => { s = (s + 0x6D2B79F5) >>> 0; let t = Math.imul(s ^ s >>> 15, 1 | s); t = t + Math.imul(t ^ t >>> 7, 61 | t) ^ t; return ((t ^ t >>> 14) >>> 0) % n } }
const hex = bytes => Buffer.from(bytes).toString('hex')
const unhex = text => new Uint8Array(Buffer.from(text, 'hex'))
const WORDS = ['a', 'bc', '\n', 'é', '😀', '漢字', 'xyzxyzxyz', ' ', '👩‍👩‍👧', 'e\u0301']
const VALUES = [1, -1, 0, 'v', null, true, false, 1.5, 0.1, 2 ** 31, -(2 ** 40), 1e21, 1e-7, { n: 1, b: [1, 'x'], 2: 'i', 1: 'j' }, [1, [2]], '', '😀']

// ---- the engine, one request and one answer a line
const child = spawn(binary, ['doc', 'replica'], { stdio: ['pipe', 'pipe', 'inherit'] })
const waiting = []
createInterface({ input: child.stdout }).on('line', line => waiting.shift().resolve(JSON.parse(line)))
child.on('exit', code => { for (const w of waiting) w.reject(new Error('the engine ended with ' + code)) })
const ask = request => new Promise((resolve, reject) => { waiting.push({ resolve, reject }); child.stdin.write(JSON.stringify(request) + '\n') })

const newDoc = (client, gc) => { const doc = new Y.Doc({ gc }); doc.clientID = client; return doc }
/** encodeStateAsUpdate with delete set clients descending, as Yjs 13.6 writes them */
const encode = doc => {
  doc.store.clients = new Map([...doc.store.clients].sort((a, b) => b[0] - a[0]))
  return hex(Y.encodeStateAsUpdate(doc))
}
const vector = doc => hex(Y.encodeStateVector(doc))
/** Yjs before 13.6 breaks where an item's left neighbour is garbage and its right one is not; the scenario ends there. */
class YjsBroke extends Error {}
const applyYjs = (doc, update) => {
  try { Y.applyUpdate(doc, update, 'net') } catch (error) {
    if (error instanceof TypeError && error.message.includes("'origin'")) throw new YjsBroke(error.message)
    throw error
  }
}
const isPending = doc => !!doc.store.pendingStructs || !!doc.store.pendingDs
const content = doc => JSON.parse(JSON.stringify({ text: doc.getText('text').toString(), map: doc.getMap('map').toJSON(), array: doc.getArray('array').toJSON() }))

// ---- random edits, as data: both kinds of replica perform them
const choose = (R, view) => {
  const key = 'k' + R(4); const textKey = 't' + R(2)
  switch (R(12)) {
    case 0: case 1: case 2: case 3: { const position = R(view.text + 1); return ['text', position, R(3) ? 0 : R(Math.min(4, view.text - position) + 1), R(4) ? WORDS[R(WORDS.length)] : ''] }
    case 4: return ['set', key, VALUES[R(VALUES.length)]]
    case 5: return R(2) ? ['remove', R(2) ? key : textKey] : ['type', textKey, ['text', 'text', 'array', 'map'][R(4)]]
    case 6: case 7: if (view.texts[textKey] !== undefined) { const length = view.texts[textKey]; const position = R(length + 1); return ['text', position, R(3) ? 0 : R(Math.min(3, length - position) + 1), WORDS[R(WORDS.length)], ['map', textKey]] } return ['type', textKey, 'text']
    case 8: case 9: case 10: return ['insert', R(view.array + 1), Array.from({ length: 1 + R(3) }, () => VALUES[R(VALUES.length)])]
    default: { if (!view.array) return ['insert', 0, [1]]; const position = R(view.array); return ['delete', position, 1 + R(Math.min(5, view.array - position))] }
  }
}
const choosePlan = (R, view) => {
  switch (R(6)) {
    case 0: case 1: return ['set', 's' + R(3), VALUES[R(VALUES.length)]]
    case 2: return ['remove', 's' + R(3)]
    case 3: return ['append', Array.from({ length: 1 + R(2) }, () => VALUES[R(VALUES.length)])]
    case 4: if (view.array) return ['replace', R(view.array), 'r' + R(99)]
    // falls through
    default: return R(3) ? ['type', 's' + R(3)] : ['removeFirst', 1 + R(2)]
  }
}
const viewOf = doc => {
  const map = doc.getMap('map'); const texts = {}
  for (const key of ['t0', 't1']) { const value = map.get(key); if (value instanceof Y.Text) texts[key] = value.length }
  return { text: doc.getText('text').length, array: doc.getArray('array').length, texts }
}
const NEW = { text: () => new Y.Text(), array: () => new Y.Array(), map: () => new Y.Map() }
const perform = (doc, [name, a, b, c, path]) => {
  const map = doc.getMap('map'); const array = doc.getArray('array')
  switch (name) {
    case 'text': { const text = path ? map.get(path[1]) : doc.getText('text'); if (b > 0) text.delete(a, b); if (c) text.insert(a, c); return }
    case 'set': return map.set(a, b)
    case 'type': return map.set(a, NEW[b]())
    case 'remove': return map.delete(a)
    case 'insert': return array.insert(a, b)
    case 'delete': return array.delete(a, b)
  }
}

async function scenario (scenarioSeed, budget) {
  const R = random(scenarioSeed)
  const gc = R(4) > 0; const n = 2 + R(5); const own = R(n)
  const ids = Array.from({ length: n }, (_, i) => 2 + i * 1000 + R(900)).sort(() => R(2) ? 1 : -1)
  const docs = ids.map((id, i) => newDoc(i === own ? 900001 : id, gc))   // docs[own] is the mirror
  await ask({ new: { client: ids[own], gc } })
  const inbox = docs.map(() => [])
  const send = (from, update) => docs.forEach((_, j) => { if (j !== from && R(10) > 0) { inbox[j].push(update); if (R(8) === 0) inbox[j].push(update) } })
  docs.forEach((doc, i) => doc.on('update', (update, origin) => { if (i !== own && origin !== 'net') send(i, update) }))
  const take = async (i, update) => {
    if (i === own) {
      const answer = await ask({ apply: hex(update) })
      assert.equal(answer.error, undefined, 'the engine refused an update of Yjs')
      if (answer.readiness === 'redundant') assert.equal(answer.changed, false)
      const before = vector(docs[i]); const wasPending = isPending(docs[i])
      applyYjs(docs[i], update)
      if (answer.readiness === 'redundant' && !wasPending) assert.equal(vector(docs[i]), before)
      if (answer.readiness === 'missing' && !wasPending) assert.ok(isPending(docs[i]), 'readiness says missing, Yjs has nothing pending')
      if (answer.readiness === 'ready' && !wasPending) assert.ok(!isPending(docs[i]), 'readiness says ready, Yjs keeps some pending')
    } else applyYjs(docs[i], update)
  }
  const ownEdit = async request => {
    const { update, error } = await ask(request)
    assert.equal(error, undefined)
    if (update === null) return
    if (request.plan) {
      const answer = await ask({ apply: update })
      assert.equal(answer.error, undefined); assert.equal(answer.readiness, 'ready')
    }
    applyYjs(docs[own], unhex(update))
    send(own, unhex(update))
  }
  const compare = async step => {
    const state = await ask({ state: true }); const mirror = docs[own]
    assert.deepEqual({ text: state.text, map: state.map, array: state.array }, content(mirror), 'content at ' + step)
    assert.equal(state.vector, vector(mirror), 'state vector at ' + step)
    assert.equal(state.pending, isPending(mirror), 'pending at ' + step)
    if (!state.pending) assert.equal(state.state, encode(mirror), 'bytes at ' + step)
  }
  const pull = async (to, from) => {
    const update = from === own ? unhex((await ask({ since: vector(docs[to]) })).update) : Y.encodeStateAsUpdate(docs[from], Y.encodeStateVector(docs[to]))
    await take(to, update)
  }
  for (let step = 0; step < budget; step++) {
    const i = R(n)
    const view = viewOf(docs[i])
    if (i === own) {
      if (R(4) === 0) await ownEdit({ plan: [choosePlan(R, view)].concat(R(2) ? [['append', ['x', 2]], ['set', 's0', step], ['set', 's0', step + 1]] : []), client: 1 })
      else await ownEdit({ edit: [choose(R, view)] })
    } else docs[i].transact(() => perform(docs[i], choose(R, view)))
    if (R(3) === 0) {
      const j = R(n); const box = inbox[j]
      for (let k = R(box.length + 1); k > 0 && box.length; k--) await take(j, box.splice(R(4) ? 0 : R(box.length), 1)[0])
    }
    if (R(25) === 0) { const a = R(n); const b = R(n); if (a !== b) await pull(a, b) }
    if (R(20) === 0) await compare('step ' + step)
  }
  for (let round = 0; round < 2; round++) for (let a = 0; a < n; a++) for (let b = 0; b < n; b++) if (a !== b) await pull(a, b)
  await compare('the end')
  for (const doc of docs) {
    assert.deepEqual(content(doc), content(docs[own]), 'replicas differ'); assert.equal(vector(doc), vector(docs[own]))
  }
  for (const doc of docs) {
    const update = encode(doc)
    await ask({ new: { client: 7, gc } })
    await ask({ apply: update })
    const fresh = newDoc(900002, gc); Y.applyUpdate(fresh, unhex(update))
    const state = await ask({ state: true })
    assert.equal(state.state, encode(fresh), 'bytes of a new document')
    assert.equal(state.state, update, 'a document read back')
  }
  return budget
}

let done = 0; let scenarios = 0; let broken = 0; let current = seed
try {
  if (only !== null) { current = Number(only); await scenario(current, 40 + random(current ^ 0x5bd1)(260)) } else {
    for (let k = 0; done < ops; k++) {
      current = seed * 100003 + k
      try { done += await scenario(current, 40 + random(current ^ 0x5bd1)(260)); scenarios++ } catch (error) {
        if (!(error instanceof YjsBroke)) throw error
        if (++broken > 5 + scenarios / 20) throw new Error('Yjs broke too often')
      }
    }
  }
  console.log(JSON.stringify({ seed, operations: done, scenarios, abandoned: broken, ok: true }))
  child.stdin.end()
} catch (error) {
  console.error(error)
  console.error(`FAILED: seed ${seed}, scenario ${current}. Again:\n  node ${fileURLToPath(import.meta.url)} --binary ${binary} --scenario ${current}`)
  process.exit(1)
}
