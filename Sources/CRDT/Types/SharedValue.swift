/// A value in a shared type, as it is read: plain, a shared type, or a subdocument.
public enum SharedValue {
    case value(Value)
    case text(SharedText)
    case map(SharedMap)
    case array(SharedArray)
    case xmlFragment(XMLFragment)
    case xmlElement(XMLElement)
    case xmlText(XMLText)
    case xmlHook(XMLHook)
    case document(Document)

    /// The plain value of it, shared types as `toJSON` gives them; a subdocument is an object with its guid.
    public var json: Value {
        switch self {
        case .value(let value): value
        case .document(let document): ["guid": .string(document.guid)]
        default: type?.json ?? .undefined
        }
    }

    /// The shared type, if it is one.
    public var type: (any SharedType)? {
        switch self {
        case .value, .document: nil
        case .text(let type): type
        case .map(let type): type
        case .array(let type): type
        case .xmlFragment(let type): type
        case .xmlElement(let type): type
        case .xmlText(let type): type
        case .xmlHook(let type): type
        }
    }
}

/// A value to be put into a shared type.
public enum Content {
    /// A plain value; bytes stand alone, other values run together.
    case value(Value)
    /// An empty shared type, to be filled once it is there.
    case text
    case map
    case array
    case xmlFragment
    /// An XML element with its node name.
    case xmlElement(String)
    case xmlText
    /// An XML hook with its name.
    case xmlHook(String)
    /// A subdocument. Only its guid and options are part of this document; its content is synchronised apart.
    case document(Document)
}

extension Document {
    /// The shared type at a place, or for an untyped root an array.
    func value(ofType type: UInt32) -> SharedValue {
        let reference = SharedTypeReference(self, type)
        switch store.types[Int(type)].kind {
        case .text: return .text(SharedText(reference: reference))
        case .map: return .map(SharedMap(reference: reference))
        case .array, nil: return .array(SharedArray(reference: reference))
        case .xmlElement: return .xmlElement(XMLElement(reference: reference))
        case .xmlFragment: return .xmlFragment(XMLFragment(reference: reference))
        case .xmlText: return .xmlText(XMLText(reference: reference))
        case .xmlHook: return .xmlHook(XMLHook(reference: reference))
        }
    }

    /// The elements that one block holds (yjs `getContent`).
    func elements(of index: UInt32) -> [SharedValue] {
        let block = store.blocks[index]
        switch block.kind {
        case .type: return [value(ofType: block.content.offset)]
        case .document: return [.document(subdocument(of: index))]
        default: return store.elements(of: block).map { .value($0) }
        }
    }
}
