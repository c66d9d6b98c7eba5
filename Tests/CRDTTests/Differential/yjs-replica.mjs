// The replica protocol (PROTOCOL.md) on Yjs, in this process.
import { createRequire } from 'node:module'
import { existsSync, readFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { performEdits, resolvePath } from './yjs-edits.mjs'
import { grownFrom, rangesOf, stackItem, stateOf } from './yjs-state.mjs'
import { CONSTRUCTORS, encodeValue, hex, idOf, kindOf, unhex } from './values.mjs'

// lib0 keeps Date.now from when it is loaded; undo managers must see the requests' clock.
const realNow = Date.now
let clock = null
Date.now = () => clock ?? realNow()

/** Loads Yjs from a file, or as `require('yjs')` finds it (NODE_PATH). Gives the module and its version. */
export const loadYjs = async path => {
  if (path) {
    const file = resolve(path)
    let folder = dirname(file)
    while (!existsSync(join(folder, 'package.json')) && folder !== dirname(folder)) folder = dirname(folder)
    return { Y: await import(pathToFileURL(file)), version: JSON.parse(readFileSync(join(folder, 'package.json'))).version }
  }
  const require = createRequire(import.meta.url)
  return { Y: require('yjs'), version: require('yjs/package.json').version }
}

/** Documents whose texts are not to be cleaned up. */
const untidied = new WeakSet()

const leaveUntidied = doc => {
  untidied.add(doc)
  doc.on('afterTransaction', transaction => { transaction._needFormattingCleanup = false })
}

/** Keeps texts of such documents from cleaning up where Yjs does that while it calls their observers (before 13.6). */
const tameTexts = Y => {
  const prototype = Y.Text.prototype
  if (prototype.isTame || '_needFormattingCleanup' in new Y.Transaction(new Y.Doc(), null, true)) return
  prototype.isTame = true
  const call = prototype._callObserver
  prototype._callObserver = function (transaction, keys) {
    if (transaction.local || !untidied.has(transaction.doc)) return call.call(this, transaction, keys)
    if (this._searchMarker) this._searchMarker.length = 0
    transaction.local = true
    try { call.call(this, transaction, keys) } finally { transaction.local = false }
  }
}

export class YjsReplica {
  constructor (Y) {
    this.Y = Y
    tameTexts(Y)
    this.documents = new Map()
  }

  /** The Yjs document of that name, for whoever chooses edits. */
  doc (name) { return this.documents.get(name)?.doc }

  answer (request) {
    if (request.now !== undefined) clock = request.now
    const name = Object.keys(request)[0]
    try {
      return this[name](request)
    } catch (error) {
      return { error: String(error?.message ?? error), stack: error?.stack }
    }
  }

  reset () { this.documents.clear(); return {} }

  new ({ new: name, client, gc, clean, types }) {
    const doc = new this.Y.Doc({ gc, guid: name })
    this.adopt(name, doc, client, clean, types)
    return {}
  }

  adopt (name, doc, client, clean, types) {
    doc.clientID = client
    if (!clean) leaveUntidied(doc)
    const held = { doc, clean, log: [], observers: new Map(), managers: new Map() }
    this.documents.set(name, held)
    for (const [root, kind] of types) doc.get(root, this.Y[CONSTRUCTORS[kind]])
    this.listen(held)
  }

  type ({ type: name, root, kind }) {
    this.documents.get(name).doc.get(root, this.Y[CONSTRUCTORS[kind]])
    return {}
  }

  listen (held) {
    const { doc } = held
    const origin = value => this.origin(held, value)
    doc.on('afterTransaction', transaction => {
      const grown = grownFrom(transaction)
      const deleted = rangesOf(transaction.deleteSet)
      if (grown.length || deleted.length) held.log.push(['after', origin(transaction.origin), transaction.local, grown, deleted])
    })
    doc.on('update', (update, from) => held.log.push(['update', 1, hex(update), origin(from)]))
    doc.on('updateV2', (update, from) => held.log.push(['update', 2, hex(update), origin(from)]))
    const gone = new WeakSet()
    doc.on('subdocs', ({ added, loaded, removed }) => {
      // Yjs destroys what was removed, and that tells of it once more.
      if (added.size + loaded.size === 0 && [...removed].every(sub => gone.has(sub))) return
      for (const sub of removed) gone.add(sub)
      // Yjs names a subdocument among the loaded that loads by itself and came and went within the transaction.
      const asked = [...loaded].filter(sub => added.has(sub) || removed.has(sub) || !sub._item.deleted)
      const guids = set => [...set].map(sub => sub.guid)
      if (added.size + asked.length + removed.size) held.log.push(['subdocs', guids(added), guids(asked), guids(removed)])
    })
  }

  origin (held, value) {
    if (!(value instanceof this.Y.UndoManager)) return value
    for (const [name, manager] of held.managers) if (manager === value) return { $: 'undo', name }
    return null
  }

  /** Runs `body` on the document and gives what it announced meanwhile. */
  logged (name, body) {
    const held = this.documents.get(name)
    held.log = []
    const extra = body(held)
    return { log: held.log, ...extra }
  }

  do ({ do: name, edits, origin = null }) {
    return this.logged(name, ({ doc }) => {
      let skipped = []
      doc.transact(() => { skipped = performEdits(this.Y, doc, edits) }, origin)
      return { skipped }
    })
  }

  apply ({ apply: name, update, v, origin = null }) {
    return this.logged(name, ({ doc }) => { (v === 1 ? this.Y.applyUpdate : this.Y.applyUpdateV2)(doc, unhex(update), origin) })
  }

  encode ({ encode: name, since, v }) {
    const vector = since ? unhex(since) : undefined
    const encode = v === 1 ? this.Y.encodeStateAsUpdate : this.Y.encodeStateAsUpdateV2
    return { update: hex(encode(this.documents.get(name).doc, vector)) }
  }

  state ({ state: name, types }) {
    const { doc, managers } = this.documents.get(name)
    return stateOf(this.Y, doc, managers, types)
  }

  observe ({ observe: name, name: watch, path, deep, read, then }) {
    const held = this.documents.get(name)
    const type = resolvePath(this.Y, held.doc, path)
    if (!(type instanceof this.Y.AbstractType)) return { ok: false }
    let edits = then
    const react = () => {
      if (!edits) return
      const once = edits
      edits = null
      held.doc.transact(() => performEdits(this.Y, held.doc, once, true), 'observer')
    }
    const plain = event => { held.log.push(['event', watch, this.event(held, event, read)]); react() }
    const deeply = events => {
      // The events are shared by all observers around, and Yjs leaves them relative to the outermost one.
      for (const event of events) { event.currentTarget = type; event._path = null }
      held.log.push(['deep', watch, events.map(event => this.event(held, event, read))])
      react()
    }
    if (deep) type.observeDeep(deeply)
    else type.observe(plain)
    held.observers.set(watch, () => deep ? type.unobserveDeep(deeply) : type.unobserve(plain))
    return { ok: true }
  }

  unobserve ({ unobserve: name, name: watch }) {
    const { observers } = this.documents.get(name)
    observers.get(watch)?.()
    observers.delete(watch)
    return {}
  }

  event (held, event, read) {
    const Y = this.Y
    const kind = kindOf(Y, event.target)
    const out = { target: idOf(Y, event.target), path: event.path }
    if (['text', 'xmltext', 'fragment', 'element'].includes(kind)) out.list = event.childListChanged
    const changed = event.keysChanged ?? event.attributesChanged
    if (changed) out.changed = [...changed].filter(key => key !== null)
    if (read.includes('keys')) out.keys = [...event.keys].map(([key, change]) => [key, change.action, encodeValue(Y, change.oldValue)])
    if (read.includes('delta')) out.delta = this.deltaOf(held, event).map(op => encodeValue(Y, op))
    return out
  }

  /**
   * The delta. Yjs reads that of a text in a transaction of its own and deletes redundant format items in it; in a document
   * that is not cleaned there must be neither.
   */
  deltaOf ({ doc, clean }, event) {
    if (clean) return event.delta
    const running = doc._transaction
    const remove = this.Y.Item.prototype.delete
    doc._transaction = event.transaction
    this.Y.Item.prototype.delete = () => {}
    try {
      return event.delta
    } finally {
      doc._transaction = running
      this.Y.Item.prototype.delete = remove
    }
  }

  manage ({ manage: name, name: undo, scope, timeout, tracked, ignoreRemote, ignores, spares }) {
    const held = this.documents.get(name)
    const types = scope.map(path => resolvePath(this.Y, held.doc, path)).filter(type => type instanceof this.Y.AbstractType)
    if (types.length === 0) return { ok: false }
    const manager = new this.Y.UndoManager(types, {
      captureTimeout: timeout, trackedOrigins: new Set(tracked), ignoreRemoteMapChanges: ignoreRemote, doc: held.doc,
      captureTransaction: transaction => ignores === undefined || transaction.origin !== ignores,
      deleteFilter: item => spares === undefined || kindOf(this.Y, item.parent) !== spares
    })
    held.managers.get(undo)?.destroy()
    held.managers.set(undo, manager)
    for (const kind of ['added', 'updated', 'popped']) {
      manager.on('stack-item-' + kind, event => held.log.push(['stack', kind, undo, event.type, stackItem(event.stackItem)]))
    }
    manager.on('stack-cleared', event => held.log.push(['stack', 'cleared', undo, event.undoStackCleared, event.redoStackCleared]))
    return { ok: true }
  }

  /** An undo manager's method; `body` gives the stack item it returned. */
  managed (name, undo, body) {
    return this.logged(name, ({ managers }) => {
      const item = managers.has(undo) ? body(managers.get(undo)) : null
      return { popped: item ? stackItem(item) : null }
    })
  }

  undo ({ undo: name, name: undo }) { return this.managed(name, undo, manager => manager.undo()) }
  redo ({ redo: name, name: undo }) { return this.managed(name, undo, manager => manager.redo()) }
  stop ({ stop: name, name: undo }) { return this.managed(name, undo, manager => manager.stopCapturing()) }
  clear ({ clear: name, name: undo, stacks }) { return this.managed(name, undo, manager => manager.clear(...stacks)) }

  load ({ load: name, path }) {
    return this.logged(name, ({ doc }) => {
      const sub = resolvePath(this.Y, doc, path)
      if (!(sub instanceof this.Y.Doc)) return { ok: false }
      sub.load()
      return { ok: true }
    })
  }

  position ({ position: name, path, index, assoc }) {
    const type = resolvePath(this.Y, this.documents.get(name).doc, path)
    if (!(type instanceof this.Y.AbstractType)) return { ok: false }
    const position = this.Y.createRelativePositionFromTypeIndex(type, Math.min(index, type._length), assoc)
    return { bytes: hex(this.Y.encodeRelativePosition(position)), json: this.Y.relativePositionToJSON(position) }
  }

  resolve ({ resolve: name, position }) {
    const decoded = this.Y.decodeRelativePosition(unhex(position))
    const at = this.Y.createAbsolutePositionFromRelativePosition(decoded, this.documents.get(name).doc)
    return { at: at && { type: idOf(this.Y, at.type), index: at.index, assoc: at.assoc } }
  }

  snapshot ({ snapshot: name }) {
    const snapshot = this.Y.snapshot(this.documents.get(name).doc)
    return { v1: hex(this.Y.encodeSnapshot(snapshot)), v2: hex(this.Y.encodeSnapshotV2(snapshot)) }
  }

  /** A copy for what needs no document of its own history: Yjs cuts blocks to look at a snapshot, the engine does not. */
  copyOf (name) {
    const doc = this.documents.get(name).doc
    const copy = new this.Y.Doc({ gc: false })
    leaveUntidied(copy)
    for (const [root, type] of doc.share) copy.get(root, type.constructor)
    this.Y.applyUpdate(copy, this.Y.encodeStateAsUpdate(doc))
    return copy
  }

  restore ({ restore: name, snapshot, as, client, gc, types }) {
    const doc = new this.Y.Doc({ gc, guid: as })
    this.adopt(as, doc, client, false, [])
    this.Y.createDocFromSnapshot(this.copyOf(name), this.Y.decodeSnapshot(unhex(snapshot)), doc)
    for (const [root, kind] of types) this.type({ type: as, root, kind })
    return {}
  }

  past ({ past: name, path, snapshot, previous }) {
    const text = resolvePath(this.Y, this.copyOf(name), path)
    if (!(text instanceof this.Y.Text)) return { ok: false }
    const decoded = bytes => bytes ? this.Y.decodeSnapshot(unhex(bytes)) : undefined
    return { delta: text.toDelta(decoded(snapshot), decoded(previous)).map(op => encodeValue(this.Y, op)) }
  }

  contains ({ contains: snapshot, update }) {
    return { contains: this.Y.snapshotContainsUpdate(this.Y.decodeSnapshot(unhex(snapshot)), unhex(update)) }
  }

  merge ({ merge: updates, v }) {
    return { update: hex((v === 1 ? this.Y.mergeUpdates : this.Y.mergeUpdatesV2)(updates.map(unhex))) }
  }

  diff ({ diff: update, since, v }) {
    return { update: hex((v === 1 ? this.Y.diffUpdate : this.Y.diffUpdateV2)(unhex(update), unhex(since))) }
  }

  convert ({ convert: update, v }) {
    return { update: hex((v === 1 ? this.Y.convertUpdateFormatV1ToV2 : this.Y.convertUpdateFormatV2ToV1)(unhex(update))) }
  }

  vector ({ vector: update, v }) {
    return { vector: hex((v === 1 ? this.Y.encodeStateVectorFromUpdate : this.Y.encodeStateVectorFromUpdateV2)(unhex(update))) }
  }

  meta ({ meta: update, v }) {
    const { from, to } = (v === 1 ? this.Y.parseUpdateMeta : this.Y.parseUpdateMetaV2)(unhex(update))
    const ascending = clocks => [...clocks].sort((a, b) => a[0] - b[0])
    return { from: ascending(from), to: ascending(to) }
  }
}
