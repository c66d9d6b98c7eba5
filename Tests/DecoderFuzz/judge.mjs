// Compares what the engine makes of damaged updates with what Yjs makes of them.
//
//   node judge.mjs --yjs MODULE --binary PATH/decoder-fuzz --root REPOSITORY [--shared FOLDER] [--seed N] [--inputs N]
//
// MODULE is the main file of Yjs 13.6: older ones integrate such updates differently.
// Inputs that the engine refuses are counted only: it is stricter than Yjs. Left out are inputs where Yjs itself is known
// to go wrong: deletions out of order (v2 has no form for them), JSON that one of the versions cannot hold (half a
// surrogate pair, -0), structs that say something else about clocks that are known or wait, structs that wait for each
// other in a circle (Yjs loses some of them), format marks that a Y.Text of Yjs cleans up, NaN with other bits than
// JavaScript writes.
import { pathToFileURL } from 'node:url'
import { createInterface } from 'node:readline'
import { spawn } from 'node:child_process'
import { isDeepStrictEqual } from 'node:util'

const argv = process.argv.slice(2)
const option = (name, fallback) => { const i = argv.indexOf('--' + name); return i < 0 ? fallback : argv[i + 1] }
const binary = option('binary', null); const root = option('root', null); const seed = option('seed', '1')
if (!binary || !root || !option('yjs')) { console.error('--yjs MODULE, --binary PATH and --root FOLDER are needed'); process.exit(2) }
const Y = await import(pathToFileURL(option('yjs')).href)
const shared = option('shared', null)
const child = spawn(binary, ['--root', root, '--seed', seed, '--verdicts', option('inputs', '20000'), ...(shared ? ['--shared', shared] : [])], { stdio: ['ignore', 'pipe', 'inherit'] })

console.warn = () => {}   // Yjs's, about what it refuses
const hex = bytes => Buffer.from(bytes).toString('hex')
const unhex = text => new Uint8Array(Buffer.from(text, 'hex'))
const isPending = doc => !!doc.store.pendingStructs || !!doc.store.pendingDs
/** clocks that an update brings */
const clocks = update => Y.decodeUpdate(unhex(update)).structs.reduce((sum, s) => sum + (s instanceof Y.Skip ? 0 : s.length), 0)

const counts = {}
const count = (name, verdict) => { (counts[name] ??= []).push(verdict.index) }
const failures = []

/** whether JSON and lib0's any both give back the same */
const isJSON = value => {
  try { return isDeepStrictEqual(JSON.parse(JSON.stringify(value)), value) && JSON.stringify(value).isWellFormed() && !/\\ud[89a-f]/.test(JSON.stringify(value)) } catch { return false }
}
const leftOut = (v, decoded, before) => {
  if ([...decoded.ds.clients.values()].some(ranges => ranges.some((r, i) => i > 0 && r.clock < ranges[i - 1].clock + ranges[i - 1].len))) return 'deletions out of order'
  if (decoded.ds.clients.size > 1 && [...decoded.ds.clients.keys()].some((c, i, all) => i > 0 && c > all[i - 1])) return 'clients of deletions out of order'
  if (decoded.structs.some(s => s.content && [s.content.embed, s.content.value].some(x => x !== undefined && !isJSON(x)))) return 'values that v1 or v2 cannot hold'
  if (decoded.structs.some(s => s.content?.arr?.some(x => Number.isNaN(x)))) return 'NaN'
  if (v.v2 && decoded.structs.some(s => s.content && (('embed' in s.content && s.content.embed === undefined) || ('value' in s.content && s.content.value === undefined)))) return 'values that v1 or v2 cannot hold'
  const waiting = before.store.pendingStructs ? Y.decodeUpdateV2(before.store.pendingStructs.update).structs : []
  if (waiting.some(w => decoded.structs.some(s => s.id.client === w.id.client && s.id.clock < w.id.clock + w.length && w.id.clock < s.id.clock + s.length))) return 'clocks that wait'
  const known = client => { const structs = before.store.clients.get(client); const last = structs?.[structs.length - 1]; return last ? last.id.clock + last.length : 0 }
  if (decoded.structs.some(s => s.id.clock < known(s.id.client))) return 'known clocks'
  return null
}

const judge = v => {
  if (v.refused !== undefined) return count('refused', v)
  const doc = new Y.Doc({ gc: v.gc }); let decoded; let transactions = 0
  try {
    if (v.state) Y.applyUpdate(doc, unhex(v.state))
    decoded = (v.v2 ? Y.decodeUpdateV2 : Y.decodeUpdate)(unhex(v.input))
    const reason = leftOut(v, decoded, doc)
    if (reason) return count('left out: ' + reason, v)
    doc.on('afterTransaction', () => { transactions++ })
    ;(v.v2 ? Y.applyUpdateV2 : Y.applyUpdate)(doc, unhex(v.input))
  } catch (error) {
    if (error instanceof TypeError && error.message.includes("'origin'")) return count('left out: Yjs breaks at garbage', v)
    return failures.push({ verdict: v, name: 'Yjs refuses', yjs: error.message })
  }
  if (transactions > 1) return count('left out: Yjs cleans up formats', v)
  const compare = (name, own, theirs) => { if (own !== theirs) failures.push({ verdict: v, name, yjs: theirs, engine: own }) }
  const after = hex(Y.encodeStateAsUpdate(doc))
  if (after !== v.after && isPending(doc) && clocks(after) < clocks(v.after)) return count('left out: Yjs loses what waits', v)
  compare('state', v.after, after)
  compare('state v2', v.after_v2, hex(Y.encodeStateAsUpdateV2(doc)))
  compare('state vector', v.vector, hex(Y.encodeStateVector(doc)))
  compare('pending', v.pending, isPending(doc))
  if (v.v2) compare('v1', v.v1, hex(Y.convertUpdateFormatV2ToV1(unhex(v.input))))
  else compare('v2', v.v2_form, hex(Y.convertUpdateFormatV1ToV2(unhex(v.input))))
  const copy = new Y.Doc({ gc: v.gc }); Y.applyUpdate(copy, unhex(v.after))
  const again = hex(Y.encodeStateAsUpdate(copy))
  if (!isPending(doc) || clocks(again) >= clocks(v.copy)) compare('state read back', v.copy, again)
  count('compared', v)
}

for await (const line of createInterface({ input: child.stdout })) judge(JSON.parse(line))
for (const [name, indices] of Object.entries(counts)) console.log(`judge: ${indices.length} ${name}`)
for (const { verdict, name, yjs, engine } of failures.slice(0, 10)) {
  console.log(`FAILED: ${name}: decoder-fuzz --seed ${seed} --input ${verdict.index} (${verdict.v2 ? 'v2' : 'v1'}, gc ${verdict.gc})\n  input ${verdict.input}\n  in ${verdict.state}\n  Yjs    ${yjs}\n  engine ${engine}`)
}
console.log(`judge: seed ${seed}, ${(counts.compared ?? []).length} damaged updates compared with Yjs, ${failures.length} went wrong`)
process.exit(failures.length ? 1 : 0)
