// How values travel in the replica protocol: JSON, with objects that have a "$" member for what JSON cannot say.
//
//   {"$":"undefined"}  {"$":"number","of":"NaN"|"Infinity"|"-Infinity"|"-0"}  {"$":"bigint","of":"12"}  {"$":"bytes","hex":"00ff"}
//   {"$":"text"|"map"|"array"|"fragment"|"xmltext"}  {"$":"element"|"hook","name":"p"}      a new type, as content
//   {"$":"doc","guid":"g","autoLoad":true,"gc":false,"meta":1}                              a new subdocument, as content
// In answers types carry their "id": "client:clock" or "root:name".

export const hex = bytes => Buffer.from(bytes).toString('hex')
export const unhex = text => new Uint8Array(Buffer.from(text, 'hex'))

/** The kind of a shared type, by its constructor. @param {any} Y the Yjs module */
export const kindOf = (Y, type) => {
  switch (type.constructor) {
    case Y.Text: return 'text'
    case Y.Map: return 'map'
    case Y.Array: return 'array'
    case Y.XmlFragment: return 'fragment'
    case Y.XmlElement: return 'element'
    case Y.XmlText: return 'xmltext'
    case Y.XmlHook: return 'hook'
    default: return 'untyped'
  }
}

export const CONSTRUCTORS = {
  text: 'Text', map: 'Map', array: 'Array', fragment: 'XmlFragment', element: 'XmlElement', xmltext: 'XmlText', hook: 'XmlHook'
}

/** "root:name" or "client:clock" of a shared type. */
export const idOf = (Y, type) => type._item === null
  ? 'root:' + Y.findRootTypeKey(type)
  : type._item.id.client + ':' + type._item.id.clock

/** A value of Yjs as the protocol writes it; `expand` says how a shared type is written (by default: kind and id). */
export const encodeValue = (Y, value, expand = type => ({ $: kindOf(Y, type), id: idOf(Y, type) })) => {
  if (value === undefined) return { $: 'undefined' }
  if (typeof value === 'number') {
    return Number.isFinite(value) && !Object.is(value, -0) ? value : { $: 'number', of: Object.is(value, -0) ? '-0' : String(value) }
  }
  if (typeof value === 'bigint') return { $: 'bigint', of: String(value) }
  if (value === null || typeof value !== 'object') return value
  if (value instanceof Uint8Array) return { $: 'bytes', hex: hex(value) }
  if (value instanceof Y.AbstractType) return expand(value)
  if (value instanceof Y.Doc) return { $: 'doc', guid: value.guid }
  if (Array.isArray(value)) return value.map(element => encodeValue(Y, element, expand))
  return Object.fromEntries(Object.entries(value).map(([key, member]) => [key, encodeValue(Y, member, expand)]))
}

/** The value, new shared type or new subdocument that a request names; objects are copies, since Yjs keeps what it is given. */
export const decodeValue = (Y, value) => {
  if (value === null || typeof value !== 'object') return value
  if (Array.isArray(value)) return value.map(element => decodeValue(Y, element))
  switch (value.$) {
    case undefined: return Object.fromEntries(Object.entries(value).map(([key, member]) => [key, decodeValue(Y, member)]))
    case 'undefined': return undefined
    case 'number': return Number(value.of)
    case 'bigint': return BigInt(value.of)
    case 'bytes': return unhex(value.hex)
    case 'doc': return new Y.Doc({ guid: value.guid, autoLoad: value.autoLoad === true, gc: value.gc !== false, meta: value.meta ?? null })
    case 'element': case 'hook': return new Y[CONSTRUCTORS[value.$]](value.name)
    default: return new Y[CONSTRUCTORS[value.$]]()
  }
}

/** The result of `toJSON()`, in the protocol's coding. Yjs leaves subdocuments in it as they are; here they are their guid. */
export const encodeJSON = (Y, value) => {
  const plain = part => {
    if (part instanceof Y.Doc) return { guid: part.guid }
    if (Array.isArray(part)) return part.map(plain)
    return part?.constructor === Object ? Object.fromEntries(Object.entries(part).map(([key, member]) => [key, plain(member)])) : part
  }
  return encodeValue(Y, plain(value))
}
