// What the replica protocol says of a Yjs document's whole state (PROTOCOL.md).
import { encodeJSON, encodeValue, hex, idOf, kindOf } from './values.mjs'

/** Attributes in the order in which their names first appeared; getAttributes' object puts numbers first. */
const attributes = type => [...type._map].filter(([, item]) => !item.deleted).map(([key]) => [key, type.getAttribute(key)])

/** Runs of visible units by the client that wrote them. */
const authorsOf = type => {
  const runs = []
  let offset = 0
  for (let item = type._start; item !== null; item = item.right) {
    if (item.deleted || !item.countable) continue
    const last = runs.at(-1)
    if (last?.[2] === item.id.client) last[1] += item.length
    else runs.push([offset, item.length, item.id.client])
    offset += item.length
  }
  return runs
}

/** What looking for elements in XML finds, by a name in another case. */
const foundIn = (Y, type) => type.querySelectorAll('P').map(found => idOf(Y, found))

/** A shared type with all that is in it. */
export const treeOf = (Y, type) => {
  const value = content => encodeValue(Y, content, nested => treeOf(Y, nested))
  const entries = pairs => pairs.map(([key, content]) => [key, value(content)])
  const kind = kindOf(Y, type)
  switch (kind) {
    case 'text': case 'xmltext': return {
      $: kind,
      length: type.length,
      authors: authorsOf(type),
      delta: type.toDelta().map(op => op.attributes === undefined
        ? { insert: value(op.insert) }
        : { insert: value(op.insert), attributes: value(op.attributes) }),
      attributes: entries(attributes(type))
    }
    case 'map': return { $: kind, entries: entries([...type.entries()]) }
    case 'hook': return { $: kind, name: type.hookName, entries: entries([...type.entries()]) }
    case 'array': return { $: kind, authors: authorsOf(type), items: type.toArray().map(value) }
    case 'fragment': return { $: kind, found: foundIn(Y, type), items: type.toArray().map(value) }
    case 'element': return {
      $: kind, name: type.nodeName, attributes: entries(attributes(type)), found: foundIn(Y, type), items: type.toArray().map(value)
    }
    default: return { $: kind }
  }
}

/** Ranges of a delete set, clients ascending. */
export const rangesOf = deleteSet => [...deleteSet.clients].sort((a, b) => a[0] - b[0])
  .flatMap(([client, ranges]) => ranges.map(range => [client, range.clock, range.len]))

/** Clients that grew in a transaction with their clocks before, ascending. */
export const grownFrom = ({ beforeState, afterState }) => [...afterState].map(([client]) => [client, beforeState.get(client) ?? 0])
  .filter(([client, clock]) => afterState.get(client) !== clock).sort((a, b) => a[0] - b[0])

export const stackItem = item => ({ insertions: rangesOf(item.insertions), deletions: rangesOf(item.deletions) })

export const stateOf = (Y, doc, managers, withTypes) => {
  const snapshot = Y.snapshot(doc)
  const answer = {}
  if (withTypes) {
    const roots = [...doc.share].sort((a, b) => a[0] < b[0] ? -1 : 1)
    answer.json = Object.fromEntries(roots.map(([name, type]) => [name, encodeJSON(Y, type.toJSON())]))
    answer.tree = Object.fromEntries(roots.map(([name, type]) => [name, treeOf(Y, type)]))
  }
  return Object.assign(answer, {
    vector: hex(Y.encodeStateVector(doc)),
    v1: hex(Y.encodeStateAsUpdate(doc)),
    v2: hex(Y.encodeStateAsUpdateV2(doc)),
    snapshot: [hex(Y.encodeSnapshot(snapshot)), hex(Y.encodeSnapshotV2(snapshot))],
    deleted: rangesOf(snapshot.ds),
    pending: doc.store.pendingStructs !== null || doc.store.pendingDs !== null,
    subdocs: [...doc.subdocs].map(sub => [sub.guid, sub.shouldLoad, sub.autoLoad, encodeValue(Y, sub.meta)]),
    stacks: Object.fromEntries([...managers].map(([name, { undoStack, redoStack }]) => [
      name, { undo: undoStack.map(stackItem), redo: redoStack.map(stackItem) }
    ]))
  })
}
