// Plays recorded scenarios (record.mjs) to the engine, which must answer as Yjs did.
//
//   node replay.mjs --binary PATH [FILE.jsonl.gz…]      by default all of fixtures/yjs/transcripts
import { readFileSync, readdirSync } from 'node:fs'
import { basename, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { gunzipSync } from 'node:zlib'
import { Engine } from './engine.mjs'
import { difference, failureText } from './session.mjs'

const argv = process.argv.slice(2)
const at = argv.indexOf('--binary')
if (at < 0) { console.error('--binary PATH is needed'); process.exit(2) }
const [, binary] = argv.splice(at, 2)
const folder = fileURLToPath(new URL('../../../fixtures/yjs/transcripts', import.meta.url))
const files = argv.length ? argv : readdirSync(folder).filter(name => name.endsWith('.jsonl.gz')).sort().map(name => join(folder, name))

const engine = new Engine(binary)
let requests = 0
for (const file of files) {
  const lines = gunzipSync(readFileSync(file)).toString().trimEnd().split('\n')
  // All are asked before the first answer is looked at.
  const asked = lines.map(line => {
    const [request, expected] = JSON.parse(line)
    return { request, expected, answer: engine.ask(request) }
  })
  for (const [index, { request, expected, answer }] of asked.entries()) {
    const line = await answer
    const failure = { request, at: index }
    if (typeof line !== 'string') failure.reason = line.died
    else if (line !== JSON.stringify(expected)) {
      const actual = JSON.parse(line)
      failure.difference = difference(expected, actual)
      failure.reason = actual.error === undefined ? 'answers differ' : 'the engine refused: ' + actual.error
    }
    if (!failure.reason) continue
    console.error(`${basename(file)}: ${failureText(failure)}\nAgain:\n  node ${fileURLToPath(import.meta.url)} --binary ${binary} ${file}`)
    engine.end()
    process.exit(1)
  }
  requests += lines.length
}
engine.end()
console.log(JSON.stringify({ transcripts: files.length, requests, ok: true }))
