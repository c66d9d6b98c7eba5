// Seeded differential test of the engine against Yjs.
//
//   node differential.mjs --binary PATH [--seed N] [--ops N | --minutes M] [--scenario N] [--profile NAME] [--yjs FILE]
//
// Each scenario has 2-8 replica documents over roots of all kinds. Each exists twice, in the engine (`PATH doc replica`) and in
// Yjs; both get the same requests (PROTOCOL.md) and must answer the same: events, updates of both formats, states, snapshots,
// positions, undo stacks. In the end everyone gets everything, and all replicas must be equal. A failing scenario is shrunk and
// printed with the command that repeats it. Yjs is what --yjs or YJS_MODULE names (the file of a module), or require('yjs')
// finds (set NODE_PATH); what an older version does otherwise is left out (differences.mjs). Without --binary only Yjs runs.
import { fileURLToPath } from 'node:url'
import { Engine } from './engine.mjs'
import { Scenario } from './scenario.mjs'
import { Session, failureText } from './session.mjs'
import { loadYjs } from './yjs-replica.mjs'
import { minimise } from './minimise.mjs'
import { generator } from './random.mjs'
import { rulesFor } from './differences.mjs'

const argv = process.argv.slice(2)
const option = (name, fallback) => { const i = argv.indexOf('--' + name); return i < 0 ? fallback : argv[i + 1] }
const seed = Number(option('seed', 1))
const limit = option('minutes', null) === null ? null : Number(option('minutes')) * 60_000
const wanted = limit === null ? Number(option('ops', 20000)) : Infinity
const binary = option('binary', null)
const only = option('scenario', null)
const profile = option('profile', undefined)
const module = option('yjs', process.env.YJS_MODULE)

const { Y, version } = await loadYjs(module)
const rules = rulesFor(Y, version)
// Yjs says on the console that a client's own updates came from elsewhere, which mirrored edits do.
for (const name of ['log', 'warn']) {
  const print = console[name]
  console[name] = (...parts) => { if (!String(parts[0]).includes('[yjs]')) print(...parts) }
}
const engine = binary ? new Engine(binary) : null
const again = number => {
  const options = { binary, yjs: module, scenario: number, profile }
  const given = Object.entries(options).filter(([, value]) => value !== null && value !== undefined)
  return [`node ${fileURLToPath(import.meta.url)}`, ...given.map(([name, value]) => `--${name} ${value}`)].join(' ')
}

const play = async number => {
  const session = new Session(Y, engine, rules)
  const scenario = new Scenario(Y, session, number, rules, profile)
  await scenario.run(40 + generator(number ^ 0x5bd1)(200))
  return { session, scenario }
}

/** Whether a subset of a scenario's requests still fails, and not only by breaking Yjs. */
const failsLike = failure => async requests => {
  // What Yjs does alone needs no engine.
  const session = new Session(Y, failure.broken ? null : engine, rules)
  for (const request of requests) { if (session.failure) break; await session.run(request) }
  await session.settle()
  const found = session.failure
  return found && (failure.broken ? found.reason === failure.reason : !found.broken) ? session : null
}

const report = async ({ session, scenario }, number) => {
  console.error(failureText(session.failure))
  console.error(`FAILED: seed ${seed}, scenario ${number} (${scenario.profileName}), Yjs ${version}.`)
  console.error(`Shrinking ${scenario.requests.length} requests…`)
  const fails = failsLike(session.failure)
  const smallest = await minimise(scenario.requests, fails, Number(option('shrink', 60)))
  const last = await fails(smallest) ?? session
  console.error(`The smallest found, ${smallest.length} requests:`)
  for (const request of last.done) console.error(JSON.stringify(request))
  console.error(failureText(last.failure) + (last.failure.stack ? '\n' + last.failure.stack : ''))
  console.error(`FAILED: seed ${seed}, scenario ${number}. Again:\n  ${again(number)}`)
}

const counts = { operations: 0, scenarios: 0, requests: 0, abandoned: {} }
const started = performance.now()
for (let k = 0; counts.operations < wanted && (limit === null || performance.now() - started < limit); k++) {
  const number = only === null ? seed * 100003 + k : Number(only)
  const result = await play(number)
  const { failure } = result.session
  counts.operations += result.scenario.operations
  counts.requests += result.scenario.requests.length
  counts.scenarios++
  if (failure && rules.breaks(failure)) {
    counts.abandoned[failure.reason] = (counts.abandoned[failure.reason] ?? 0) + 1
  } else if (failure) {
    await report(result, number)
    engine?.end()
    process.exit(1)
  }
  if (only !== null) break
}
const broken = Object.values(counts.abandoned).reduce((sum, count) => sum + count, 0)
const ok = broken <= 5 + counts.scenarios / 20
console.log(JSON.stringify({ seed, yjs: version, ...counts, seconds: Math.round((performance.now() - started) / 1000), ok }))
engine?.end()
if (!ok) { console.error('Yjs broke too often'); process.exit(1) }
