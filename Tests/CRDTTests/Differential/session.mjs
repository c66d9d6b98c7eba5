// Runs requests on the Yjs replica and on the engine and compares the answers.
//
// A request of a scenario is symbolic: where it needs bytes that an earlier request gave, it says {"ref":id,"field":name} or
// {"ref":id,"nth":n,"v":1|2} (the nth update that request announced). So any subset of a scenario's requests can be run: a
// request whose reference is gone is left out. That is what minimising needs.
import { YjsReplica } from './yjs-replica.mjs'

export class Missing extends Error {}

/** A symbolic request with what it refers to, from `answers` by request id; throws Missing where that is not there. */
export const resolveReferences = (request, answers) => {
  if (request === null || typeof request !== 'object') return request
  if (Array.isArray(request)) return request.map(part => resolveReferences(part, answers))
  if (request.ref === undefined) {
    return Object.fromEntries(Object.entries(request).map(([key, part]) => [key, resolveReferences(part, answers)]))
  }
  const answer = answers.get(request.ref)
  const found = request.field !== undefined
    ? answer?.[request.field]
    : answer?.log?.filter(entry => entry[0] === 'update' && entry[1] === request.v)[request.nth]?.[2]
  if (found === undefined || found === null) throw new Missing()
  return found
}

/** Where two answers differ first: a path and both values; null when they are equal. The order of keys counts. */
export const difference = (expected, actual, path = '') => {
  if (Object.is(expected, actual)) return null
  const both = typeof expected === 'object' && typeof actual === 'object' && expected !== null && actual !== null
  if (!both || Array.isArray(expected) !== Array.isArray(actual)) return { path, expected, actual }
  const names = Object.keys(expected)
  const others = Object.keys(actual)
  for (let index = 0; index < Math.max(names.length, others.length); index++) {
    const name = names[index]
    if (name !== others[index]) {
      return { path: `${path}.${name ?? others[index]}`, expected: expected[name], actual: actual[name], keys: [names, others] }
    }
    const inner = difference(expected[name], actual[name], `${path}.${name}`)
    if (inner) return inner
  }
  return null
}

export const failureText = failure => {
  const shorten = value => {
    const text = JSON.stringify(value) ?? 'nothing'
    return text.length > 1500 ? text.slice(0, 1500) + '…' : text
  }
  const lines = [failure.reason, `request ${failure.at}: ${shorten(failure.request)}`]
  if (failure.difference) {
    const { path, expected, actual, keys } = failure.difference
    lines.push(`at ${path}`, `  Yjs:    ${shorten(expected)}`, `  engine: ${shorten(actual)}`)
    if (keys) lines.push(`  names:  ${shorten(keys)}`)
  }
  return lines.join('\n')
}

const sorted = list => [...list].sort((a, b) => JSON.stringify(a) < JSON.stringify(b) ? -1 : 1)

/**
 * What applying an edit's update must announce as the edit itself did: deltas and keys that observers saw, subdocuments. An
 * update brings the changes in another order than they were made in.
 */
const mirroredLog = log => {
  const plain = event => {
    const lists = Object.entries(event).filter(([name]) => name === 'changed' || name === 'keys')
    return { ...event, ...Object.fromEntries(lists.map(([name, list]) => [name, sorted(list)])) }
  }
  return sorted(log.flatMap(([kind, ...rest]) => {
    switch (kind) {
      case 'event': return [[kind, rest[0], plain(rest[1])]]
      case 'deep': return [[kind, rest[0], sorted(rest[1].map(plain))]]
      // New subdocuments are to be loaded where they were made, and only there.
      case 'subdocs': return [[kind, sorted(rest[0]), sorted(rest[2])]]
      default: return []
    }
  }))
}

/** An answer without what only the engine knows where Yjs mirrors its edits: undo managers, and which subdocuments it made. */
const withoutOwn = answer => {
  const rest = { ...answer }
  if (rest.log) rest.log = rest.log.filter(([kind]) => kind !== 'stack')
  if (rest.stacks) rest.stacks = {}
  if (rest.subdocs) rest.subdocs = rest.subdocs.map(([guid, , autoLoad, meta]) => [guid, autoLoad, meta])
  return rest
}

/** Requests of a document; they are left out where minimising took the document away. */
const OF_A_DOCUMENT = new Set([
  'type', 'do', 'apply', 'encode', 'state', 'observe', 'unobserve', 'manage', 'undo', 'redo', 'stop', 'clear', 'load', 'position',
  'resolve', 'snapshot', 'restore', 'past', 'plan'
])

export class Session {
  /** @param rules what to compare, see differences.mjs */
  constructor (Y, engine, rules) {
    this.engine = engine
    this.mirrors = false
    this.rules = rules
    this.yjs = new YjsReplica(Y)
    this.answers = new Map()
    this.done = []
    this.failure = null
    this.open = []
    this.#compareLater({ reset: true }, {})
  }

  fail (failure) { this.failure ??= failure }

  /** Runs one symbolic request; gives the answer that is taken for right, or undefined when it was left out. */
  async run (symbolic) {
    let request
    try { request = resolveReferences(symbolic.request, this.answers) } catch (error) { if (error instanceof Missing) return undefined; throw error }
    const name = Object.keys(request)[0]
    if (OF_A_DOCUMENT.has(name) && !this.yjs.doc(request[name])) return undefined
    this.done.push(request)
    const answer = name === 'same' ? await this.#same(request) : await this.#both(name, request, symbolic.mirror)
    if (symbolic.id !== undefined) this.answers.set(symbolic.id, answer)
    return answer
  }

  async #both (name, request, mirror) {
    if (name === 'plan') return this.engine ? this.#engineOnly(request) : {}
    if (this.engine && mirror) return this.#mirrored(name, request)
    if (this.engine && request.foresee) return this.#foreseen(request)
    const answer = this.yjs.answer(request)
    if (answer.error !== undefined) this.yjsBroke(answer, request)
    const expected = this.rules.corrected(answer, request)
    this.#compareLater(request, expected)
    if (this.open.length >= 200) await this.settle()
    return expected
  }

  /** Applies an update of which the engine has said what it would do. */
  async #foreseen ({ foresee, ...request }) {
    const { readiness } = await this.#engineOnly({ readiness: request.apply, update: request.update, v: request.v })
    const look = () => {
      const { vector, deleted, pending } = this.yjs.answer({ state: request.apply, types: false })
      return { vector, deleted, pending }
    }
    const before = look()
    const answer = await this.#both('apply', request, false)
    const after = look()
    // With something pending an update may do more than it brings.
    const isSame = difference(before, after) === null
    const isWrong = { redundant: !isSame, ready: after.pending || isSame, missing: !after.pending }[readiness]
    if (isWrong && !before.pending) {
      const change = { path: '(before and after)', expected: before, actual: after }
      this.fail({ reason: `the engine called the update ${readiness}`, difference: change, request, at: this.done.length - 1 })
    }
    return answer
  }

  yjsBroke ({ error, stack }, request) {
    this.fail({ reason: 'Yjs threw: ' + error, broken: true, stack, request, at: this.done.length - 1 })
  }

  #compared (answer, request) {
    return this.rules.project(this.mirrors ? withoutOwn(answer) : answer, request)
  }

  #compareLater (request, expected) {
    if (!this.engine) return
    const at = this.done.length - 1
    const text = JSON.stringify(expected)
    this.open.push(this.engine.ask(request).then(line => this.#compare(line, text, request, at)))
  }

  #compare (line, text, request, at) {
    if (this.failure) return
    if (typeof line !== 'string') return this.fail({ reason: line.died, request, at })
    if (line === text) return
    const actual = JSON.parse(line)
    if (actual.error !== undefined) return this.fail({ reason: 'the engine refused: ' + actual.error, request, at })
    const found = difference(this.#compared(JSON.parse(text), request), this.#compared(actual, request))
    if (found) this.fail({ reason: 'answers differ', difference: found, request, at })
  }

  async #engineOnly (request) {
    const line = await this.engine.ask(request)
    if (typeof line !== 'string') { this.fail({ reason: line.died, request, at: this.done.length - 1 }); return {} }
    const answer = JSON.parse(line)
    if (answer.error !== undefined) this.fail({ reason: 'the engine refused: ' + answer.error, request, at: this.done.length - 1 })
    return answer
  }

  /** The engine edits; Yjs applies what the engine made of it, and both must announce the same. */
  async #mirrored (name, request) {
    this.mirrors = true
    const answer = await this.#engineOnly(request)
    if (name === 'manage') return answer
    const target = request[name]
    const log = []
    for (const [kind, version, update, origin] of answer.log ?? []) {
      if (kind !== 'update' || version !== 1) continue
      const apply = { apply: target, update, v: 1, origin: typeof origin === 'string' ? origin : null, now: request.now }
      const applied = this.yjs.answer(apply)
      if (applied.error !== undefined) this.yjsBroke(applied, request)
      log.push(...this.rules.corrected(applied, apply).log ?? [])
    }
    const seen = entries => mirroredLog(this.rules.project({ log: entries }, request).log)
    const found = difference(seen(log), seen(answer.log ?? []))
    if (found) this.fail({ reason: 'a mirrored edit is announced otherwise', difference: found, request, at: this.done.length - 1 })
    return answer
  }

  /** All these documents must have the same content and state vector in the end. */
  async #same ({ same, types }) {
    const names = same.filter(name => this.yjs.doc(name))
    const states = names.map(name => this.yjs.answer({ state: name, types }))
    const content = ({ json, tree, vector, pending }) => ({ json, tree, vector, pending })
    for (let index = 1; index < names.length && !this.failure; index++) {
      const found = difference(comparable(content(states[0])), comparable(content(states[index])))
      const reason = `replicas ${names[0]} and ${names[index]} of Yjs differ`
      if (found) this.fail({ reason, broken: true, difference: found, request: { same: names }, at: this.done.length - 1 })
    }
    return {}
  }

  /** Waits until every answer is compared. */
  async settle () {
    await Promise.all(this.open.splice(0))
    return this.failure
  }
}

/**
 * Content as replicas must agree on it: maps list their keys in the order in which each replica saw them, and a surrogate pair
 * that one replica once had to split is two U+FFFD there while others, which never split it, keep the pair (as in Yjs).
 */
const comparable = value => {
  if (typeof value === 'string') return value.replace(/[\ud800-\udfff]/g, '\ufffd')
  if (Array.isArray(value)) return value.map(comparable)
  if (value === null || typeof value !== 'object') return value
  const members = Object.entries(value).map(([key, member]) => [key, comparable(member)])
  const object = Object.fromEntries(sorted(members))
  for (const pairs of ['entries', 'attributes']) if (Array.isArray(object[pairs])) object[pairs] = sorted(object[pairs])
  return object
}
