// What an older Yjs does otherwise than 13.6.31, the version that the engine equals to the byte, and what a comparison with it
// leaves out for that. One entry a difference; `until` is the first version that is like 13.6.31.
//
//   lacks          a name of what the version cannot do at all
//   amends         gives the version's own code the behaviour of 13.6.31, where it can be reached
//   mirrors        kinds of scenarios whose edits the engine makes, while Yjs applies the engine's updates
//   corrected      changes an answer of Yjs to what 13.6.31 would say
//   project        takes a part out of the answers of both
import { joinedStructs } from './structs.mjs'
import { snapshotWithSortedDeletes, withSortedDeletes } from './delete-sets.mjs'

/** Errors that Yjs throws at itself; the scenario ends there and is counted as abandoned. */
const BREAKS = [
  // Integrating the rest of an item whose known part is a GC struct: Item.integrate takes the GC struct for an item.
  "Cannot read properties of undefined (reading 'origin')",
  // Deleting in an empty text, which only a delta can ask for here: YText.deleteText takes a neighbour for granted.
  "Cannot read properties of null (reading 'parent')"
]

/** An answer with every update and snapshot in it rewritten. */
const mapBytes = (answer, request, update, snapshot) => {
  const changed = { ...answer }
  const name = Object.keys(request)[0]
  if (answer.log) {
    changed.log = answer.log.map(entry => entry[0] === 'update' ? ['update', entry[1], update(entry[2], entry[1]), entry[3]] : entry)
  }
  if (answer.update) changed.update = update(answer.update, name === 'convert' ? 3 - request.v : request.v)
  if (name === 'state') {
    changed.v1 = update(answer.v1, 1)
    changed.v2 = update(answer.v2, 2)
    changed.snapshot = answer.snapshot.map((bytes, index) => snapshot(bytes, index + 1))
  }
  if (name === 'snapshot') Object.assign(changed, { v1: snapshot(answer.v1, 1), v2: snapshot(answer.v2, 2) })
  return changed
}

/** An item beside a GC struct is one of what is gone, as 13.6 says, also where its other neighbour still has a parent. */
const dropParentBesideGC = Y => {
  const getMissing = Y.Item.prototype.getMissing
  Y.Item.prototype.getMissing = function (transaction, store) {
    const missing = getMissing.call(this, transaction, store)
    if (missing === null && (this.left instanceof Y.GC || this.right instanceof Y.GC)) this.parent = null
    return missing
  }
}

const DIFFERENCES = [
  { until: '13.6.0', lacks: 'contains', reason: 'there is no snapshotContainsUpdate' },
  { until: '13.6.0', lacks: 'bigint', reason: 'maps take no bigint' },
  { until: '13.6.0', lacks: 'then', reason: 'the tidying transaction of a text begins before its observers are called and takes their edits in' },
  {
    until: '13.6.0',
    reason: 'delete sets are written in the order in which clients were seen, not sorted',
    corrected: (Y, answer, request) => mapBytes(answer, request,
      (update, v) => withSortedDeletes(Y, update, v), (snapshot, v) => snapshotWithSortedDeletes(Y, snapshot, v))
  },
  {
    until: '13.6.0',
    reason: "an index in an event's path counts items, not elements, and format items too",
    project: (Y, answer) => {
      if (!answer.log) return answer
      const plain = event => ({ ...event, path: event.path.map(step => typeof step === 'number' ? 0 : step) })
      const log = answer.log.map(([kind, ...rest]) => {
        if (kind === 'event') return [kind, rest[0], plain(rest[1])]
        return kind === 'deep' ? [kind, rest[0], rest[1].map(plain)] : [kind, ...rest]
      })
      return { ...answer, log }
    }
  },
  {
    until: '13.6.31',
    reason: 'an item beside a GC struct takes its parent from its other neighbour, is integrated there and then deleted',
    amends: dropParentBesideGC
  },
  {
    until: '13.6.31',
    reason: 'what was deleted in a type that is deleted, and what was cut, is joined in another order and not always',
    project: (Y, answer, request) => mapBytes(answer, request, (update, v) => joinedStructs(Y, update, v), snapshot => snapshot)
  },
  {
    until: '13.6.31',
    reason: 'undo finds other neighbours, follows other redone items, and changes delete sets that transactions still use',
    mirrors: profile => profile.undo > 0
  },
  { until: '13.6.31', lacks: 'falsy', reason: 'attributes that JavaScript takes for false count as none' },
  {
    until: '13.6.31',
    reason: 'gaps between formatted text are tidied by another rule',
    mirrors: profile => profile.formats === true
  }
]

const olderThan = (version, limit) => {
  const [a, b] = [version, limit].map(text => text.split('.').map(Number))
  for (let index = 0; index < 3; index++) if (a[index] !== b[index]) return a[index] < b[index]
  return false
}

/** What holds for a version of Yjs. */
export const rulesFor = (Y, version) => {
  const found = DIFFERENCES.filter(entry => olderThan(version, entry.until))
  const through = (name, answer, request) => found.reduce((rest, entry) => entry[name] ? entry[name](Y, rest, request) : rest, answer)
  for (const entry of found) entry.amends?.(Y)
  return {
    lacks: name => found.some(entry => entry.lacks === name),
    mirrors: profile => found.some(entry => entry.mirrors?.(profile)),
    breaks: failure => failure.broken === true && BREAKS.some(message => failure.reason.includes(message)),
    project: (answer, request) => through('project', answer, request),
    /** What 13.6.31 would have answered where this version answered so. */
    corrected: (answer, request) => answer.error === undefined ? through('corrected', answer, request) : answer
  }
}
