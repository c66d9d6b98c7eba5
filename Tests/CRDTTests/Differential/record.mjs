// Records scenarios as a version of Yjs answers them, for replay.mjs: one file a profile, each line [request, answer].
//
//   node record.mjs --yjs FILE --out FOLDER [--steps N]
//
// Requests refer to earlier answers for the bytes they need, and of a long answer only a hash is kept: what the engine says is
// checked against that, and used. The committed files were made so with Yjs 13.6.31: local rich text, undo and clean-up of
// formatting changed since the version that the tests find on their machine.
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { Scenario } from './scenario.mjs'
import { Session } from './session.mjs'
import { loadYjs } from './yjs-replica.mjs'
import { recorded } from './transcripts.mjs'
import { rulesFor } from './differences.mjs'

/** Scenarios of each profile: most of what the older version cannot check. */
const COUNTS = { mixed: 16, rich: 24, plain: 4, nested: 6, xml: 16, undo: 16, richUndo: 24, subdocs: 6 }

const argv = process.argv.slice(2)
const option = (name, fallback) => { const i = argv.indexOf('--' + name); return i < 0 ? fallback : argv[i + 1] }
const out = option('out', null)
if (!out) { console.error('--out FOLDER is needed'); process.exit(2) }
const { Y, version } = await loadYjs(option('yjs', process.env.YJS_MODULE))
const rules = rulesFor(Y, version)
mkdirSync(out, { recursive: true })
let number = 0
for (const [profile, count] of Object.entries(COUNTS)) {
  const lines = []
  for (let taken = 0; taken < count;) {
    const session = new Session(Y, null, rules)
    const scenario = new Scenario(Y, session, ++number, rules, profile)
    await scenario.run(Number(option('steps', 100)), 1)
    if (session.failure) continue
    taken++
    lines.push(JSON.stringify([{ reset: true }, {}]))
    for (const { id, request } of scenario.requests) {
      lines.push(JSON.stringify([request, recorded(JSON.stringify(session.answers.get(id)))]))
    }
  }
  const file = join(out, profile + '.jsonl.gz')
  const bytes = gzipSync(lines.join('\n') + '\n', { level: 9 })
  writeFileSync(file, bytes)
  console.log(`${file}: ${count} scenarios, ${lines.length} requests, ${bytes.length} bytes`)
}
