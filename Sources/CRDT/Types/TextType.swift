/// A shared type that is formatted text: `SharedText` and `XMLText`. Positions and lengths are UTF-16 units;
/// an embedded object or type counts one.
public protocol TextType: AttributedType, CustomStringConvertible {}

extension TextType {
    /// Visible length. O(1).
    public var length: Int { reference.place.map { document.store.types[Int($0)].length } ?? 0 }

    /// The text alone, without embedded objects (yjs `YText.toString`). O(n).
    public var string: String { reference.place.map { document.store.text($0) } ?? "" }

    /// The text; of an `XMLText` with formatting as elements (yjs `toString`).
    public var description: String {
        guard let type = reference.place else { return "" }
        return document.store.types[Int(type)].kind == .xmlText ? document.store.xml(type) : string
    }

    /// The content as insertions with formatting (yjs `toDelta`). O(n).
    public var delta: [DeltaOperation] { reference.place.map { document.delta($0) } ?? [] }

    /// Inserts text. Without `attributes` it takes the formatting of what is left of it; with them it has
    /// these and no others.
    ///
    /// Throws `outOfRange` beyond the end. O(log n) in a text without formatting, the first time O(n); in a
    /// formatted text O(n), because formatting is found by walking.
    public func insert(
        _ text: String, at position: Int, attributes: Attributes? = nil
    ) throws(EditError) {
        guard !text.isEmpty else { return }
        let bytes = Array(text.utf8)
        try insert(.text(bytes, units: text.utf16.count), position, attributes)
    }

    /// Inserts an embedded object, type or subdocument, without formatting unless `attributes` say otherwise
    /// (yjs `insertEmbed`). Gives it as it is then. Plain values are JSON.
    @discardableResult
    public func insertEmbed(
        _ content: Content, at position: Int, attributes: Attributes = []
    ) throws(EditError) -> SharedValue? {
        let embedded = try Store.embedded(content)
        let block = try insert(embedded, position, attributes)
        return document.elements(of: block).first
    }

    @discardableResult
    private func insert(
        _ content: Store.NewContent, _ position: Int, _ attributes: Attributes?
    ) throws(EditError) -> UInt32 {
        try document.edit(reference) { (type, client) throws(EditError) in
            let isPlain = !document.store.types[Int(type)].hasFormatting && (attributes ?? []).isEmpty
            if isPlain { return try document.store.insertText(type, at: position, content, client: client) }
            var place = try document.store.formattingPosition(type, position)
            return try document.store.insert(
                content, at: &place, attributes.map { AttributeMap($0) } ?? place.attributes, type, client)
        }
    }

    /// Deletes text. Formatting that says nothing any more is deleted with it. Throws `outOfRange`, and
    /// deletes nothing, when there is not as much. Cost as for inserting, and O(deleted blocks).
    public func delete(at position: Int, length: Int) throws(EditError) {
        guard length != 0 else { return }
        try document.edit(reference) { (type, _) throws(EditError) in
            guard document.store.types[Int(type)].hasFormatting else {
                try document.store.deleteRange(type, at: position, length: length)
                return
            }
            let (end, isBeyond) = position.addingReportingOverflow(length)
            guard position >= 0, length > 0, !isBeyond, end <= document.store.types[Int(type)].length else {
                throw EditError(.outOfRange)
            }
            var place = try document.store.formattingPosition(type, position)
            document.store.deleteText(at: &place, length: length)
        }
    }

    /// Formats a piece of text; `null` takes a formatting away. As in Yjs a piece that reaches beyond the end
    /// puts newlines there, and at the very end nothing happens. O(n).
    public func format(at position: Int, length: Int, attributes: Attributes) throws(EditError) {
        guard length != 0 else { return }
        guard length > 0 else { throw EditError(.outOfRange) }
        try document.edit(reference) { (type, client) throws(EditError) in
            var place = try document.store.formattingPosition(type, position)
            guard place.right != absent else { return }
            try document.store.format(at: &place, length: length, attributes, type, client)
        }
    }

    /// Goes through the text from its beginning (yjs `applyDelta`): inserts, formats and deletes. What lies
    /// beyond the end is not deleted; retaining beyond it puts newlines there.
    /// Without `sanitize` a newline at the end of the last insertion is left out: Quill always ends with one
    /// that Yjs does not need.
    public func applyDelta(_ delta: [DeltaOperation], sanitize: Bool = true) throws(EditError) {
        try document.edit(reference) { (type, client) throws(EditError) in
            var place = try document.store.formattingPosition(type, 0)
            for (index, operation) in delta.enumerated() {
                switch operation {
                case .insert(let insertion, let attributes):
                    let isLast = index == delta.count - 1 && place.right == absent
                    let contents = try Store.contents(of: insertion, dropsNewline: !sanitize && isLast)
                    for content in contents {
                        _ = try document.store.insert(
                            content, at: &place, AttributeMap(attributes), type, client)
                    }
                case .retain(let length, let attributes):
                    guard length >= 0 else { throw EditError(.outOfRange) }
                    try document.store.format(at: &place, length: length, attributes, type, client)
                case .delete(let length):
                    guard length >= 0 else { throw EditError(.outOfRange) }
                    document.store.deleteText(at: &place, length: length)
                }
            }
        }
    }

    /// Who wrote what is visible: runs of one client, in order. O(blocks).
    public var authors: [AuthoredRange] { reference.place.map { document.store.authors($0) } ?? [] }
}

/// A run of visible units of a list that one client wrote.
public struct AuthoredRange: Sendable, Hashable {
    /// First position.
    public var offset: Int
    /// Number of units.
    public var length: Int
    /// The client that wrote them.
    public var client: ClientID

    /// A run of the given parts.
    public init(offset: Int, length: Int, client: ClientID) {
        self.offset = offset
        self.length = length
        self.client = client
    }
}

extension ListType {
    /// Who inserted the elements: runs of one client, in order. O(blocks).
    public var authors: [AuthoredRange] { reference.place.map { document.store.authors($0) } ?? [] }
}

extension Store {
    func authors(_ type: UInt32) -> [AuthoredRange] {
        var ranges: [AuthoredRange] = []
        var offset = 0
        forEachVisible(type) { block in
            let length = Int(block.length)
            let client = id(block.client)
            if let last = ranges.last, last.client == client {
                ranges[ranges.count - 1].length += length
            } else {
                ranges.append(AuthoredRange(offset: offset, length: length, client: client))
            }
            offset += length
        }
        return ranges
    }
}
