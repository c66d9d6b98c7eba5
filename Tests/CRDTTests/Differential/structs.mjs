// Updates as lists of structs, where it must not count which of them are joined.
import { encodeValue, hex, unhex } from './values.mjs'

const contentOf = (Y, content) => {
  switch (content.constructor.name) {
    case 'ContentDeleted': return []
    case 'ContentString': return content.str
    case 'ContentAny': case 'ContentJSON': return encodeValue(Y, content.arr)
    case 'ContentType': return [content.type.constructor.name, content.type.nodeName ?? content.type.hookName ?? null]
    case 'ContentDoc': return [content.doc.guid, encodeValue(Y, content.opts)]
    case 'ContentBinary': return hex(content.content)
    default: return encodeValue(Y, Object.values(content))
  }
}

const id = value => value === null || value === undefined ? null : typeof value === 'string' ? value : `${value.client}:${value.clock}`

const describe = (Y, struct) => {
  const { client, clock } = struct.id
  const { length, content, origin, rightOrigin, parent, parentSub } = struct
  const kind = (content ?? struct).constructor.name
  if (!content) return { client, clock, length, kind, content: [] }
  const place = { origin: id(origin), rightOrigin: id(rightOrigin), parent: id(parent), key: parentSub }
  return { client, clock, length, kind, ...place, content: contentOf(Y, content) }
}

const JOINED = ['ContentDeleted', 'ContentString', 'ContentAny', 'ContentJSON']

/** Whether one struct is the continuation of another. */
const joins = (a, b) => a?.client === b.client && a.kind === b.kind && a.clock + a.length === b.clock &&
  (b.kind === 'GC' || (JOINED.includes(b.kind) && b.origin === `${a.client}:${b.clock - 1}` && a.rightOrigin === b.rightOrigin))

export const joinedStructs = (Y, update, v) => {
  const { structs, ds } = (v === 1 ? Y.decodeUpdate : Y.decodeUpdateV2)(unhex(update))
  const list = []
  for (const struct of structs) {
    const described = describe(Y, struct)
    const last = list.at(-1)
    if (joins(last, described)) {
      last.length += described.length
      last.content = last.content.concat(described.content)
    } else list.push(described)
  }
  return { list, deletes: [...ds.clients].map(([client, ranges]) => [client, ranges.map(({ clock, len }) => [clock, len])]) }
}
