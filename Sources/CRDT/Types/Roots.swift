/// A list of values (yjs `Y.Array`).
public struct SharedArray: ListType {
    public let reference: SharedTypeReference
}

/// A map from names to values (yjs `Y.Map`). Of concurrent writes of a key that of the highest client id
/// stands.
public struct SharedMap: MapType {
    public let reference: SharedTypeReference
}

/// Text with formatting and embedded objects (yjs `Y.Text`). Positions are UTF-16 units.
public struct SharedText: TextType {
    public let reference: SharedTypeReference
}

extension Document {
    /// The root of that name as a text (yjs `getText`). It is one from then on: asking for another type of
    /// the same name throws `wrongType`.
    public func getText(_ root: String = "") throws(EditError) -> SharedText {
        SharedText(reference: try typedRoot(root, .text))
    }

    /// The root of that name as a map (yjs `getMap`); otherwise as `getText`.
    public func getMap(_ root: String = "") throws(EditError) -> SharedMap {
        SharedMap(reference: try typedRoot(root, .map))
    }

    /// The root of that name as an array (yjs `getArray`); otherwise as `getText`.
    public func getArray(_ root: String = "") throws(EditError) -> SharedArray {
        SharedArray(reference: try typedRoot(root, .array))
    }

    /// The root of that name as an XML fragment (yjs `getXmlFragment`); otherwise as `getText`.
    public func getXMLFragment(_ root: String = "") throws(EditError) -> XMLFragment {
        XMLFragment(reference: try typedRoot(root, .xmlFragment))
    }

    /// The root of that name as an XML element without a name of its own (yjs `getXmlElement`); otherwise as
    /// `getText`.
    public func getXMLElement(_ root: String = "") throws(EditError) -> XMLElement {
        XMLElement(reference: try typedRoot(root, .xmlElement))
    }

    /// The root of that name as an XML text (yjs `get(name, Y.XmlText)`); otherwise as `getText`.
    public func getXMLText(_ root: String = "") throws(EditError) -> XMLText {
        XMLText(reference: try typedRoot(root, .xmlText))
    }

    private func typedRoot(_ name: String, _ kind: TypeKind) throws(EditError) -> SharedTypeReference {
        let type = store.root(Array(name.utf8))
        switch store.types[Int(type)].kind {
        case nil: store.types[Int(type)].kind = kind
        case kind: break
        default: throw EditError(.wrongType)
        }
        return SharedTypeReference(self, type)
    }

    /// The shared type at `path`; nil where there is none. An untyped root is an array.
    public func sharedType(at path: SharedPath) -> SharedValue? { store.find(path).map { value(ofType: $0) } }
}
