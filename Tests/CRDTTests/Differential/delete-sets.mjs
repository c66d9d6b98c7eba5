// Rewrites the delete set at the end of an update, or at the start of a snapshot, with its clients descending, as Yjs has
// written it since 13.6. The order of clients changes no lengths, so the bytes around stay.
import { hex, unhex } from './values.mjs'

const varUint = (out, value) => {
  for (; value > 127; value = Math.floor(value / 128)) out.push(value % 128 | 128)
  out.push(value)
}

const encode = (clients, v) => {
  const out = []
  varUint(out, clients.length)
  for (const [client, ranges] of clients) {
    varUint(out, client)
    varUint(out, ranges.length)
    let at = 0
    for (const { clock, len } of ranges) {
      varUint(out, v === 1 ? clock : clock - at)
      varUint(out, v === 1 ? len : len - 1)
      at = clock + len
    }
  }
  return out
}

const sorted = (deleteSet, v) => encode([...deleteSet.clients].sort((a, b) => b[0] - a[0]), v)

export const withSortedDeletes = (Y, update, v) => {
  const bytes = unhex(update)
  const { ds } = (v === 1 ? Y.decodeUpdate : Y.decodeUpdateV2)(bytes)
  const end = sorted(ds, v)
  bytes.set(end, bytes.length - end.length)
  return hex(bytes)
}

export const snapshotWithSortedDeletes = (Y, snapshot, v) => {
  const bytes = unhex(snapshot)
  bytes.set(sorted((v === 1 ? Y.decodeSnapshot : Y.decodeSnapshotV2)(bytes).ds, v))
  return hex(bytes)
}
