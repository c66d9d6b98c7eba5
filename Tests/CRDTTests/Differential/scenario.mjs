// One random scenario: replicas that edit, exchange updates late, out of order, twice or not at all, watch, undo and remember.
import { chooseEdit, choosePlanned, chooseType } from './choose-edits.mjs'
import { kindOf } from './values.mjs'
import { generator, pick, times, weighted } from './random.mjs'

const KINDS = { text: 'text', map: 'map', array: 'array', xml: 'fragment', el: 'element', xt: 'xmltext' }
const TYPES = Object.entries(KINDS)

/** What a scenario is about. `roots` are weights; `formats`, `embeds`, `xml` allow kinds of edits; the rest are weights of steps. */
export const PROFILES = {
  mixed: {
    roots: { text: 4, map: 3, array: 3, xml: 2, el: 1, xt: 1 }, formats: true, embeds: true, xml: true, subdocs: 1, undo: 2, observe: 2
  },
  rich: { roots: { text: 6, xt: 2, map: 1 }, formats: true, embeds: true, falsy: true, observe: 1 },
  plain: { roots: { text: 3, map: 2, array: 2 }, subdocs: 0, observe: 1 },
  nested: { roots: { map: 3, array: 3, xml: 1 }, xml: true, embeds: true, subdocs: 1, observe: 3 },
  xml: { roots: { xml: 4, el: 3, xt: 2 }, formats: true, xml: true, embeds: true, observe: 2 },
  undo: { roots: { text: 3, map: 3, array: 3 }, undo: 12, observe: 1 },
  richUndo: { roots: { text: 5, map: 1, xt: 1, xml: 1 }, formats: true, embeds: true, xml: true, undo: 12, observe: 1 },
  subdocs: { roots: { map: 3, array: 3 }, subdocs: 8, undo: 2, observe: 1 }
}
const PROFILE_WEIGHTS = { mixed: 4, rich: 4, plain: 2, nested: 3, xml: 2, undo: 3, richUndo: 3, subdocs: 1 }

export class Scenario {
  /** @param rules what the version of Yjs allows, see differences.mjs */
  constructor (Y, session, seed, rules, profile) {
    this.Y = Y
    this.session = session
    this.R = generator(seed)
    const R = this.R
    this.profileName = profile ?? weighted(R, PROFILE_WEIGHTS)
    this.rules = rules
    this.mirror = rules.mirrors(PROFILES[this.profileName])
    this.profile = { ...PROFILES[this.profileName], bigint: !rules.lacks('bigint'), pairs: !this.mirror }
    // Objects in objects are never equal unless they are the same, which the mirror's are not where the engine's are.
    Object.assign(this.profile, { falsy: this.profile.falsy && !rules.lacks('falsy'), deep: !this.mirror })
    // Mostly small, where things happen close to each other; sometimes long enough for trees of positions to grow.
    this.profile.size = R(12) ? 80 : 3000
    this.requests = []
    this.operations = 0
    this.now = 1_000_000
    this.replicas = []
    this.pool = []
    this.positions = []
    this.snapshots = []
    this.watches = 0
    this.clean = !this.mirror && R(5) > 0
    // Undo keeps what Yjs, which only applies its updates, would collect.
    const collects = !(this.mirror && this.profile.undo)
    this.gc = R(3) > 0 && collects
    this.mixedGC = R(6) === 0 && collects
  }

  /** Sends a symbolic request; gives the answer, or undefined once something has failed. */
  async send (request, mirror = false) {
    if (this.session.failure) return undefined
    const symbolic = { id: this.requests.length, request, mirror }
    this.requests.push(symbolic)
    return this.session.run(symbolic)
  }

  /** @param rounds how often everyone gets everything in the end; clean-up of formatting may take three */
  async run (steps, rounds = 3) {
    const { R } = this
    const n = 2 + (R(3) ? R(3) : R(7))
    for (let index = 0; index < n; index++) await this.join()
    for (let step = 0; step < steps && !this.session.failure; step++) await this.step()
    await this.finish(rounds)
    await this.session.settle()
  }

  async join () {
    const { R, replicas } = this
    const name = 'D' + replicas.length
    // Clients of all sizes: one and several bytes, beyond 31 bits.
    const client = pick(R, [1, 100, 20_000, 3_000_000, 4_000_000_000]) + replicas.length * 7 + R(5)
    const gc = this.mixedGC ? R(2) === 0 : this.gc
    const relay = replicas.length > 1 && !this.clean && R(6) === 0
    const types = relay ? [] : TYPES
    await this.send({ new: name, client, gc, clean: this.clean, types })
    replicas.push({ name, client, gc, relay, inbox: [], managers: [], watches: [] })
  }

  doc (replica) { return this.session.yjs.doc(replica.name) }

  async step () {
    const { R, profile, replicas } = this
    this.now += R(4) ? R(300) : R(2000)
    const replica = pick(R, replicas)
    const weights = {
      edit: 50,
      deliver: 22,
      pull: 3,
      diff: 2,
      state: 4,
      bytes: 3,
      undo: profile.undo,
      observe: profile.observe,
      position: 4,
      snapshot: 2,
      plan: this.session.engine ? 2 : 0,
      load: profile.subdocs && !this.mirror ? 1 : 0
    }
    switch (weighted(R, weights)) {
      case 'edit': return this.edit(replica)
      case 'deliver': return this.deliver(replica)
      case 'pull': return this.pull(replica, pick(R, replicas))
      case 'diff': return this.diff(replica, pick(R, replicas))
      case 'state': return this.state(replica)
      case 'bytes': return this.bytes()
      case 'undo': return this.undo(replica)
      case 'observe': return this.observe(replica)
      case 'position': return this.position(replica)
      case 'snapshot': return this.snapshot(replica)
      case 'load': return this.load(replica)
      case 'plan': return this.plan(replica)
    }
  }

  chooseEdits (replica) {
    const { R } = this
    const count = R(3) ? 1 : 1 + R(5)
    return times(count, () => chooseEdit(this.Y, R, this.profile, this.doc(replica)))
  }

  async edit (replica) {
    if (replica.relay) return this.deliver(replica)
    const edits = this.chooseEdits(replica)
    this.operations += edits.length
    const origin = pick(this.R, [null, null, null, 'x', 'untracked'])
    await this.announce(replica, { do: replica.name, edits, origin, now: this.now }, this.mirror)
  }

  /** Sends a request that may change a document, and what it announces to the others: late, twice or not at all. */
  async announce (replica, request, mirror) {
    const { R } = this
    const answer = await this.send(request, mirror)
    const id = this.requests.length - 1
    const updates = (answer?.log ?? []).filter(entry => entry[0] === 'update' && entry[1] === 1)
    updates.forEach((entry, nth) => {
      const message = { ref: id, nth, relayed: request.apply !== undefined }
      this.pool.push(message)
      // What was received is passed on seldom: most of it is known.
      if (message.relayed && R(10)) return
      for (const other of this.replicas) {
        if (other === replica || R(12) === 0) continue
        other.inbox.push(message)
        if (R(10) === 0) other.inbox.push(message)
      }
    })
    return answer
  }

  /** What a server writes: the engine plans it under a client of its own, then both documents apply it. */
  async plan (replica) {
    const { R } = this
    if (replica.relay) return
    const edits = times(1 + R(4), () => choosePlanned(R, this.doc(replica)))
    const answer = await this.send({ plan: replica.name, edits, client: 9_000_000 + this.replicas.indexOf(replica) })
    if (answer?.update) await this.apply(replica, { update: { ref: this.requests.length - 1, field: 'update' }, v: 1 })
  }

  reference ({ ref, nth }, v) { return { ref, nth, v } }

  /** Takes some messages of the inbox, mostly in order, one by one or merged. */
  async deliver (replica) {
    const { R } = this
    const { inbox } = replica
    if (inbox.length === 0) return this.edit(replica.relay ? this.replicas[0] : replica)
    const count = R(3) ? 1 + R(Math.min(4, inbox.length)) : R(inbox.length + 1)
    const taken = times(Math.min(count, inbox.length), () => inbox.splice(R(4) ? 0 : R(inbox.length), 1)[0])
    const v = 1 + R(2)
    if (taken.length > 1 && R(4) === 0) {
      await this.send({ merge: taken.map(message => this.reference(message, v)), v })
      return this.apply(replica, await this.transported({ ref: this.requests.length - 1, field: 'update' }, v))
    }
    for (const message of taken) {
      const version = R(3) ? v : 3 - v
      await this.apply(replica, { update: this.reference(message, version), v: version })
    }
  }

  /** An update as it travels: sometimes converted. */
  async transported (update, v) {
    if (this.R(5)) return { update, v }
    await this.send({ convert: update, v })
    return { update: { ref: this.requests.length - 1, field: 'update' }, v: 3 - v }
  }

  async apply (replica, { update, v }) {
    this.operations++
    const request = { apply: replica.name, update, v, origin: pick(this.R, ['net', 'net', 'x', null]), now: this.now }
    if (this.R(6) === 0) request.foresee = true
    await this.announce(replica, request, false)
  }

  async vectorOf (replica) {
    await this.send({ state: replica.name, types: false })
    return { ref: this.requests.length - 1, field: 'vector' }
  }

  async pull (to, from) {
    if (to === from) return
    const v = 1 + this.R(2)
    const since = this.R(8) ? await this.vectorOf(to) : null
    await this.send({ encode: from.name, since, v })
    await this.apply(to, await this.transported({ ref: this.requests.length - 1, field: 'update' }, v))
  }

  /** The difference is made from the bytes of a whole state, or of several merged updates. */
  async diff (to, from) {
    const { R } = this
    const v = 1 + R(2)
    if (R(2) || this.pool.length < 2) await this.send({ encode: from.name, since: null, v })
    else await this.send({ merge: times(2 + R(5), () => this.reference(pick(R, this.pool), v)), v })
    const whole = { ref: this.requests.length - 1, field: 'update' }
    const since = await this.vectorOf(to)
    await this.send({ diff: whole, since, v })
    await this.apply(to, await this.transported({ ref: this.requests.length - 1, field: 'update' }, v))
  }

  async state (replica) { await this.send({ state: replica.name, types: !replica.relay }) }

  /** The functions on bytes, on updates at random. */
  async bytes () {
    const { R, pool } = this
    if (pool.length === 0) return
    const v = 1 + R(2)
    let update = this.reference(pick(R, pool), v)
    if (R(2)) {
      await this.send({ merge: times(1 + R(6), () => this.reference(pick(R, pool), v)), v })
      update = { ref: this.requests.length - 1, field: 'update' }
    }
    await this.send({ vector: update, v })
    await this.send({ meta: update, v })
    await this.send({ convert: update, v })
    if (v === 2 || this.snapshots.length === 0 || this.rules.lacks('contains')) return
    await this.send({ contains: pick(R, this.snapshots).bytes, update })
  }

  async undo (replica) {
    const { R } = this
    if (replica.relay) return
    if (replica.managers.length === 0 || R(25) === 0) return this.manage(replica)
    const name = pick(R, replica.managers)
    const request = weighted(R, { undo: 8, redo: 6, stop: 3, clear: 1 })
    const asked = { [request]: replica.name, name, now: this.now }
    if (request === 'clear') asked.stacks = pick(R, [[true, true], [false, true], [true, false]])
    this.operations++
    await this.announce(replica, asked, this.mirror)
  }

  async manage (replica) {
    const { R } = this
    const name = pick(R, ['u', 'w'])
    if (replica.managers.includes(name) && this.mirror) return
    const scope = times(1 + R(3), () => chooseType(this.Y, R, this.profile, this.doc(replica)).path)
    await this.send({
      manage: replica.name,
      name,
      scope: scope.map(path => R(4) ? path.slice(0, 1) : path),
      timeout: pick(R, [0, 500, 500, 5000]),
      tracked: pick(R, [[null], [null, 'x'], ['x'], [null, 'observer']]),
      ignoreRemote: R(3) === 0,
      ...R(5) === 0 && { ignores: pick(R, ['x', 'net']) },
      ...R(6) === 0 && { spares: pick(R, ['map', 'text', 'array']) }
    }, this.mirror)
    if (!replica.managers.includes(name)) replica.managers.push(name)
  }

  async observe (replica) {
    const { R } = this
    if (replica.relay) return
    if (replica.watches.length > 3 || (replica.watches.length && R(4) === 0)) {
      const [name] = replica.watches.splice(R(replica.watches.length), 1)
      return this.send({ unobserve: replica.name, name })
    }
    const name = 'w' + this.watches++
    const { path } = chooseType(this.Y, R, this.profile, this.doc(replica))
    const read = pick(R, [['keys', 'delta'], ['keys', 'delta'], ['keys'], ['delta'], []])
    const request = { observe: replica.name, name, path, deep: R(2) === 0, read }
    if (R(12) === 0 && !this.rules.lacks('then')) request.then = this.chooseEdits(replica)
    await this.send(request)
    replica.watches.push(name)
  }

  async position (replica) {
    const { R } = this
    // Positions follow what undo made anew, and only where the undoing was done.
    if (this.mirror && this.profile.undo) return
    if (!replica.relay && (R(2) || this.positions.length === 0)) {
      const { type, path } = chooseType(this.Y, R, this.profile, this.doc(replica))
      if (['map', 'hook'].includes(kindOf(this.Y, type))) return
      await this.send({ position: replica.name, path, index: R(type._length + 1), assoc: R(2) ? 0 : -1 })
      this.positions.push({ ref: this.requests.length - 1, field: 'bytes' })
    }
    if (this.positions.length === 0 || replica.relay) return
    await this.send({ resolve: replica.name, position: pick(R, this.positions.slice(-20)) })
  }

  async snapshot (replica) {
    const { R } = this
    if (R(2) || this.snapshots.length === 0) {
      await this.send({ snapshot: replica.name })
      this.snapshots.push({ of: replica, bytes: { ref: this.requests.length - 1, field: 'v1' } })
      return
    }
    const { of, bytes } = pick(R, this.snapshots)
    if (R(2) && !of.relay) return this.past(of)
    if (of.gc || of.relay) return
    const gc = R(2) === 0
    await this.send({ restore: of.name, snapshot: bytes, as: 'R', client: 5_000_000_000, gc, types: TYPES })
    await this.send({ state: 'R', types: true })
  }

  /** A text at a snapshot of its own document, or what changed since one. */
  async past (replica) {
    const { R } = this
    const { type, path } = chooseType(this.Y, R, { roots: { text: 1 } }, this.doc(replica))
    if (!(type instanceof this.Y.Text)) return
    const own = this.snapshots.filter(({ of }) => of === replica).map(({ bytes }) => bytes)
    const [snapshot, previous] = pick(R, [[pick(R, own), null], [pick(R, own), pick(R, own)], [null, pick(R, own)]])
    await this.send({ past: replica.name, path, snapshot, previous })
  }

  async load (replica) {
    if (replica.relay) return
    const { R, Y } = this
    const { type, path } = chooseType(Y, R, this.profile, this.doc(replica))
    const steps = []
    if (type instanceof Y.Array) type.forEach((value, index) => { if (value instanceof Y.Doc) steps.push(index) })
    if (type instanceof Y.Map) type.forEach((value, key) => { if (value instanceof Y.Doc) steps.push(key) })
    if (steps.length) await this.send({ load: replica.name, path: [...path, pick(R, steps)] })
  }

  /** Everyone gets everything; then all must be the same. */
  async finish (rounds) {
    const { replicas } = this
    for (let round = 0; round < rounds; round++) {
      const last = replicas.length - 1
      for (let index = 0; index < last; index++) await this.pull(replicas[index + 1], replicas[index])
      for (let index = last; index > 0; index--) await this.pull(replicas[index - 1], replicas[index])
    }
    for (const replica of replicas) {
      if (replica.relay) for (const [root, kind] of TYPES) await this.send({ type: replica.name, root, kind })
      await this.send({ state: replica.name, types: true })
    }
    await this.send({ same: replicas.map(replica => replica.name), types: true })
    const source = pick(this.R, replicas)
    const v = 1 + this.R(2)
    await this.send({ encode: source.name, since: null, v })
    const whole = { ref: this.requests.length - 1, field: 'update' }
    await this.send({ new: 'F', client: 6_000_000_000, gc: this.gc, clean: this.clean, types: TYPES })
    await this.send({ apply: 'F', update: whole, v, origin: null })
    await this.send({ state: 'F', types: true })
  }
}
