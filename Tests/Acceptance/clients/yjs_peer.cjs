// A person's editor for the acceptance tests: real Yjs with the stock y-websocket provider, driven by JSON lines.
//
// One request a line on standard input, {"id": 1, "op": "insert", ...}; one answer a line on standard output,
// {"id": 1, "value": ...} or {"id": 1, "error": "..."}. One process holds any number of documents, each with a Y.Doc and a
// provider of its own. The provider is used as it is: watching happens in the WebSocket class handed to it, and message
// types the provider does not know are added where it keeps its handlers.
'use strict'

const Y = require('yjs')
const { WebsocketProvider } = require('y-websocket')
const WebSocket = require('ws')
const decoding = require('lib0/decoding')
const encoding = require('lib0/encoding')
const readline = require('readline')

const MESSAGE_SYNC = 0
const MESSAGE_AUTH = 2
const MESSAGE_STATELESS = 5
const FRAME_LIMIT = 50000

const documents = new Map()

// Small seeded generator (mulberry32): the same seed gives the same edits.
function generator (seed) {
  let state = seed >>> 0
  const next = () => {
    state = (state + 0x6D2B79F5) >>> 0
    let t = state
    t = Math.imul(t ^ (t >>> 15), t | 1)
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61)
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296
  }
  return bound => Math.floor(next() * bound)
}

const WORDS = ['x', 'ab', ' = ', '\n', 'print(', '\u{1F600}', '\u{1F469}\u{200D}\u{1F4BB}', '\u00e9', '\u4f60\u597d', '    ']

// The largest clock of our own client that a frame from the server carries: what it has committed.
function acknowledgedClock (frame, clientID) {
  const decoder = decoding.createDecoder(frame)
  if (decoding.readVarUint(decoder) !== MESSAGE_SYNC || decoding.readVarUint(decoder) === 0) return 0
  return Y.parseUpdateMeta(decoding.readVarUint8Array(decoder)).to.get(clientID) || 0
}

class Document {
  constructor ({ url, name, params = {}, clientID = null, once = false, keepFrames = false }) {
    this.doc = new Y.Doc()
    if (clientID !== null) this.doc.clientID = clientID
    this.closes = []
    this.refusals = []
    this.denials = []
    this.stateless = []
    this.frames = []
    this.history = []
    this.connects = 0
    this.acknowledged = 0
    this.typing = null
    const self = this
    class Watched extends WebSocket {
      constructor (address) {
        super(address)
        this.on('message', data => self.received(data, keepFrames))
        this.on('close', (code, reason) => self.closes.push({ at: Date.now(), code, reason: reason.toString() }))
        this.on('error', error => self.refusals.push(error.message))
      }
    }
    this.provider = new WebsocketProvider(url, name, this.doc, { WebSocketPolyfill: Watched, disableBc: true, params })
    this.provider.messageHandlers[MESSAGE_STATELESS] = (_encoder, decoder) => {
      this.stateless.push(JSON.parse(decoding.readVarString(decoder)))
    }
    this.provider.messageHandlers[MESSAGE_AUTH] = (_encoder, decoder) => {
      this.denials.push(decoding.readVarUint(decoder) === 0 ? decoding.readVarString(decoder) : 'granted')
    }
    this.provider.on('status', ({ status }) => { if (status === 'connected') this.connects++ })
    if (once) this.provider.on('connection-close', () => this.provider.disconnect())
  }

  received (data, keepFrames) {
    const frame = Buffer.isBuffer(data) ? data : Buffer.from(data)
    if (keepFrames && this.frames.length < FRAME_LIMIT) this.frames.push({ at: Date.now(), hex: frame.toString('hex') })
    this.acknowledged = Math.max(this.acknowledged, acknowledgedClock(frame, this.doc.clientID))
  }

  // {file: "main.py"} is a file of the root map `files`, {root: "code"} a root text; null where the file is not there.
  text (target) {
    if (target.root !== undefined) return this.doc.getText(target.root)
    const value = this.doc.getMap('files').get(target.file)
    return value instanceof Y.Text ? value : null
  }

  needText (target) {
    const text = this.text(target)
    if (text === null) throw new Error(`no Y.Text at ${JSON.stringify(target)}`)
    return text
  }

  deletedLength () {
    let total = 0
    for (const ranges of Y.snapshot(this.doc).ds.clients.values()) for (const range of ranges) total += range.len
    return total
  }

  send (message) {
    const encoder = encoding.createEncoder()
    encoding.writeVarUint(encoder, MESSAGE_STATELESS)
    encoding.writeVarString(encoder, typeof message === 'string' ? message : JSON.stringify(message))
    this.provider.ws.send(encoding.toUint8Array(encoder))
  }
}

// Index of a code point boundary at or before `index`: an edit never cuts a surrogate pair.
function boundary (string, index) {
  const unit = string.charCodeAt(index)
  return unit >= 0xDC00 && unit <= 0xDFFF && index > 0 ? index - 1 : index
}

function randomEdit (text, random) {
  const now = text.toString()
  if (now.length > 0 && random(100) < 35) {
    const start = boundary(now, random(now.length))
    let end = Math.min(now.length, start + 1 + random(4))
    if (end < now.length) end = boundary(now, end)
    if (end > start) text.delete(start, end - start)
    else text.insert(start, '\u{1F600}')
  } else {
    text.insert(boundary(now, random(now.length + 1)), WORDS[random(WORDS.length)])
  }
}

const pause = milliseconds => new Promise(resolve => setTimeout(resolve, milliseconds))

const operations = {
  open (request) {
    if (documents.has(request.doc)) throw new Error(`document ${request.doc} is open`)
    const opened = new Document(request)
    documents.set(request.doc, opened)
    return { clientID: opened.doc.clientID }
  },
  status: ({ document: d }) => ({
    connected: d.provider.wsconnected,
    synced: d.provider.synced,
    connects: d.connects,
    closes: d.closes,
    refusals: d.refusals,
    denials: d.denials,
    clientID: d.doc.clientID,
    acknowledged: d.acknowledged
  }),
  text: ({ document: d, target }) => { const text = d.text(target); return text === null ? null : text.toString() },
  json: ({ document: d, root, type }) => (type === 'array' ? d.doc.getArray(root) : d.doc.getMap(root)).toJSON(),
  state: ({ document: d }) => ({
    clients: Object.fromEntries(Y.decodeStateVector(Y.encodeStateVector(d.doc))),
    vector: Buffer.from(Y.encodeStateVector(d.doc)).toString('base64'),
    deleted: d.deletedLength()
  }),
  insert: ({ document: d, target, index, text }) => {
    const into = d.needText(target)
    into.insert(index === null || index === undefined ? into.length : index, text)
    return into.length
  },
  delete: ({ document: d, target, index, length }) => { d.needText(target).delete(index, length) },
  create_file: ({ document: d, name, text }) => { d.doc.getMap('files').set(name, new Y.Text(text)) },
  set_value: ({ document: d, root, key, value }) => { d.doc.getMap(root).set(key, value) },
  push: ({ document: d, root, value }) => { d.doc.getArray(root).push([value]) },
  // Types character by character in the background; `typing` tells how far it is.
  type: ({ document: d, target, text, every_ms: every }) => {
    const characters = Array.from(text)
    const progress = { done: 0, of: characters.length, text: '' }
    d.typing = progress
    const timer = setInterval(() => {
      const into = d.text(target)
      if (into === null) return
      into.insert(into.length, characters[progress.done])
      progress.text += characters[progress.done++]
      if (progress.done === progress.of) clearInterval(timer)
    }, every)
    return true
  },
  typing: ({ document: d }) => d.typing,
  random_edits: async ({ document: d, target, count, seed, batch = 8, every_ms: every = 4 }) => {
    const random = generator(seed)
    for (let done = 0; done < count;) {
      for (let i = 0; i < batch && done < count; i++, done++) randomEdit(d.needText(target), random)
      await pause(every)
    }
    return d.needText(target).length
  },
  set_awareness: ({ document: d, state }) => { d.provider.awareness.setLocalState(state) },
  awareness: ({ document: d }) => Array.from(d.provider.awareness.getStates(), ([client, state]) => ({ client, state })),
  send: ({ document: d, message }) => { d.send(message) },
  stateless: ({ document: d }) => d.stateless,
  // From now on every change of the document is noted: when, the text, and how much is deleted in all.
  watch: ({ document: d, target }) => {
    d.doc.on('afterTransaction', () => {
      const text = d.text(target)
      d.history.push({ at: Date.now(), text: text === null ? null : text.toString(), deleted: d.deletedLength() })
    })
  },
  history: ({ document: d }) => d.history,
  frames: ({ document: d }) => d.frames,
  disconnect: ({ document: d }) => { d.provider.disconnect() },
  connect: ({ document: d }) => { d.provider.connect() },
  close: request => { request.document.provider.destroy(); documents.delete(request.doc) }
}

readline.createInterface({ input: process.stdin }).on('line', async line => {
  const request = JSON.parse(line)
  let answer
  try {
    if (!operations[request.op]) throw new Error(`unknown operation ${request.op}`)
    if (request.op !== 'open') {
      request.document = documents.get(request.doc)
      if (!request.document) throw new Error(`no document ${request.doc}`)
    }
    const value = await operations[request.op](request)
    answer = { id: request.id, value: value === undefined ? null : value }
  } catch (error) {
    answer = { id: request.id, error: String(error.stack || error) }
  }
  process.stdout.write(JSON.stringify(answer) + '\n')
}).on('close', () => process.exit(0))
