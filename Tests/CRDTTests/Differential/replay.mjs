// Plays recorded scenarios (record.mjs) to the engine, which must answer as Yjs did.
//
//   node replay.mjs --binary PATH [--yjs FILE] [FILE.jsonl.gz…]      by default all of fixtures/yjs/transcripts
//
// Where the version of Yjs that was recorded is at hand (--yjs, YJS_MODULE), it tells what is different in an answer.
import { readFileSync, readdirSync } from 'node:fs'
import { basename, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { gunzipSync } from 'node:zlib'
import { Engine } from './engine.mjs'
import { difference, failureText, resolveReferences } from './session.mjs'
import { YjsReplica, loadYjs } from './yjs-replica.mjs'
import { recorded } from './transcripts.mjs'

const argv = process.argv.slice(2)
const take = name => { const at = argv.indexOf(name); return at < 0 ? undefined : argv.splice(at, 2)[1] }
const binary = take('--binary')
const module = take('--yjs') ?? process.env.YJS_MODULE
if (!binary) { console.error('--binary PATH is needed'); process.exit(2) }
const folder = fileURLToPath(new URL('../../../fixtures/yjs/transcripts', import.meta.url))
const files = argv.length ? argv : readdirSync(folder).filter(name => name.endsWith('.jsonl.gz')).sort().map(name => join(folder, name))

/** What Yjs answers to the last of the requests. */
const answerOfYjs = async requests => {
  const replica = new YjsReplica((await loadYjs(module)).Y)
  return requests.map(request => replica.answer(request)).at(-1)
}

const engine = new Engine(binary)
let requests = 0
for (const file of files) {
  let asked = []
  let answers = new Map()
  for (const [index, text] of gunzipSync(readFileSync(file)).toString().trimEnd().split('\n').entries()) {
    const [symbolic, expected] = JSON.parse(text)
    if (symbolic.reset) { asked = []; answers = new Map() }
    const request = resolveReferences(symbolic, answers)
    const id = asked.push(request) - 2
    if (request.same) continue
    const line = await engine.ask(request)
    requests++
    const failure = { request, at: index }
    if (typeof line !== 'string') failure.reason = line.died
    else if (JSON.stringify(recorded(line)) === JSON.stringify(expected)) answers.set(id, JSON.parse(line))
    else {
      failure.reason = 'the engine answers otherwise: ' + line.slice(0, 1000)
      if (module) failure.difference = difference(await answerOfYjs(asked.filter(request => !request.same)), JSON.parse(line))
    }
    if (!failure.reason) continue
    console.error(`${basename(file)}: ${failureText(failure)}\nAgain:\n  node ${fileURLToPath(import.meta.url)} --binary ${binary} ${file}`)
    engine.end()
    process.exit(1)
  }
}
engine.end()
console.log(JSON.stringify({ transcripts: files.length, requests, ok: true }))
