// Records scenarios as a version of Yjs answers them, for replay.mjs: one file a profile, each line [request, answer].
//
//   node record.mjs --yjs FILE --out FOLDER [--scenarios N] [--steps N]
//
// The committed files were made so with Yjs 13.6.31: local edits, undo and clean-up of formatting changed since the version
// that the tests find on their machine.
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { PROFILES, Scenario } from './scenario.mjs'
import { Session } from './session.mjs'
import { loadYjs } from './yjs-replica.mjs'
import { rulesFor } from './differences.mjs'

const argv = process.argv.slice(2)
const option = (name, fallback) => { const i = argv.indexOf('--' + name); return i < 0 ? fallback : argv[i + 1] }
const out = option('out', null)
if (!out) { console.error('--out FOLDER is needed'); process.exit(2) }
const { Y, version } = await loadYjs(option('yjs', process.env.YJS_MODULE))
const rules = rulesFor(Y, version)
const scenarios = Number(option('scenarios', 6))
mkdirSync(out, { recursive: true })

let first = 1
for (const profile of Object.keys(PROFILES)) {
  const lines = []
  for (let number = first, taken = 0; taken < scenarios; number++) {
    const session = new Session(Y, null, rules)
    const recorded = [{ request: { reset: true }, answer: {} }]
    const answer = session.yjs.answer.bind(session.yjs)
    session.yjs.answer = request => {
      const given = answer(request)
      recorded.push({ request, answer: given })
      return given
    }
    await new Scenario(Y, session, number, rules, profile).run(Number(option('steps', 50)))
    first = number + 1
    if (session.failure) continue
    taken++
    lines.push(...recorded.map(({ request, answer }) => JSON.stringify([request, answer])))
  }
  const file = join(out, profile + '.jsonl.gz')
  const bytes = gzipSync(lines.join('\n') + '\n', { level: 9 })
  writeFileSync(file, bytes)
  console.log(`${file}: ${lines.length} requests, ${bytes.length} bytes`)
}
