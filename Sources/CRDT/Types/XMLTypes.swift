/// The children of XML nodes, and a fragment of XML (yjs `Y.XmlFragment`).
public struct XMLFragment: XMLParent {
    public let reference: SharedTypeReference
}

/// An XML element with a name, attributes and children (yjs `Y.XmlElement`).
public struct XMLElement: XMLParent, AttributedType, XMLNode {
    public let reference: SharedTypeReference

    /// The name, as it was given. A root element has the name `UNDEFINED`, as in Yjs.
    public var nodeName: String { reference.place.map { document.store.nodeName($0) } ?? "" }
}

/// Formatted text among XML nodes (yjs `Y.XmlText`).
public struct XMLText: TextType, XMLNode {
    public let reference: SharedTypeReference
}

/// A place in XML that the application fills by what the keys say (yjs `Y.XmlHook`).
public struct XMLHook: MapType, XMLNode {
    public let reference: SharedTypeReference

    /// The name of the hook.
    public var hookName: String { reference.place.map { document.store.nodeName($0) } ?? "" }
}

/// An XML type that can have siblings.
public protocol XMLNode: SharedType {}

extension XMLNode {
    /// The node behind this one, nil at the end. O(deleted nodes passed).
    public var nextSibling: SharedValue? { sibling(\.right) }

    /// The node before this one, nil at the beginning. O(deleted nodes passed).
    public var previousSibling: SharedValue? { sibling(\.left) }

    private func sibling(_ side: KeyPath<Block, UInt32>) -> SharedValue? {
        guard let type = reference.place, document.store.types[Int(type)].item != absent else { return nil }
        var index = document.store.blocks[document.store.types[Int(type)].item][keyPath: side]
        while index != absent {
            if document.store.blocks[index].weight > 0 { return document.elements(of: index).first }
            index = document.store.blocks[index][keyPath: side]
        }
        return nil
    }
}

/// An XML type with children.
public protocol XMLParent: ListType, CustomStringConvertible {}

extension XMLParent {
    /// The XML: attributes sorted, element names in lower case (yjs `toString`). O(size).
    public var description: String { reference.place.map { document.store.xml($0) } ?? "" }

    /// The first child.
    public var firstChild: SharedValue? { self[0] }

    /// Inserts nodes behind `node`, or as the first ones when it is nil (yjs `insertAfter`). Throws
    /// `noSuchType` when `node` is no child of this.
    @discardableResult
    public func insert(_ contents: [Content], after node: (any XMLNode)?) throws(EditError) -> [SharedValue] {
        guard let node else { return try insert(contents, at: 0) }
        guard let child = node.reference.place, node.document === document else {
            throw EditError(.noSuchType)
        }
        return try document.edit(reference) { (type, client) throws(EditError) in
            let item = document.store.types[Int(child)].item
            guard item != absent, document.store.blocks[item].parent == type else {
                throw EditError(.noSuchType)
            }
            try document.checkFresh(contents)
            let blocks = try document.store.insertElements(
                type, after: item, Store.contents(of: contents), client: client)
            document.adopt(contents, blocks)
            return blocks.flatMap { document.elements(of: $0) }
        }
    }

    /// The first element below this one with that name, whatever its case; nil when there is none (yjs
    /// `querySelector`). O(nodes).
    public func querySelector(_ name: String) -> XMLElement? { elements(named: name, most: 1).first }

    /// All elements below this one with that name, in the order of the document (yjs `querySelectorAll`).
    public func querySelectorAll(_ name: String) -> [XMLElement] { elements(named: name, most: .max) }

    private func elements(named name: String, most: Int) -> [XMLElement] {
        let wanted = name.uppercased()
        var found: [XMLElement] = []
        var open = Array(elements.reversed())
        while found.count < most, let next = open.popLast() {
            switch next {
            case .xmlElement(let element):
                if element.nodeName.uppercased() == wanted { found.append(element) }
                open.append(contentsOf: element.elements.reversed())
            case .xmlFragment(let fragment):
                open.append(contentsOf: fragment.elements.reversed())
            default: break
            }
        }
        return found
    }
}

extension Store {
    /// The name of an XML element or hook.
    func nodeName(_ type: UInt32) -> String {
        let it = types[Int(type)]
        if it.item == absent { return "UNDEFINED" }
        return it.name == absent ? "" : keys.string(it.name)
    }
}
