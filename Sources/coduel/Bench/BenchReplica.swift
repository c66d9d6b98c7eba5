import CRDT

/// A document with the root text that the benchmarks edit, one transaction and one update an edit. The only place
/// where they touch the interface for editing.
struct BenchReplica {
    static let root = "text"

    let document: Document
    private let text: SharedText

    init(client: ClientID) {
        document = Document(clientID: client)
        do throws(EditError) {
            text = try document.getText(Self.root)
        } catch {
            // The document was made a line above: no input reaches this.
            preconditionFailure("the root of a new document has no type")
        }
    }

    var content: String { text.string }

    var length: Int { text.length }

    /// Makes the patches as one transaction and gives its update; nil when they change nothing or do not fit.
    func edit(_ patches: some Sequence<EditingTrace.Patch>) -> [UInt8]? {
        do throws(EditError) {
            return try document.update { () throws(EditError) in
                for patch in patches { try apply(patch) }
            }
        } catch {
            return nil
        }
    }

    private func apply(_ patch: EditingTrace.Patch) throws(EditError) {
        if patch.deleted > 0 { try text.delete(at: patch.position, length: patch.deleted) }
        if !patch.inserted.isEmpty { try text.insert(patch.inserted, at: patch.position) }
    }

    func insert(_ text: String, at position: Int) -> [UInt8]? {
        edit(CollectionOfOne(EditingTrace.Patch(position: position, deleted: 0, inserted: text)))
    }

    /// A refused update shows in the content at the end.
    func take(_ update: [UInt8]) {
        do throws(UpdateError) { try document.applyUpdate(update) } catch { return }
    }

    func takeV2(_ update: [UInt8]) {
        do throws(UpdateError) { try document.applyUpdateV2(update) } catch { return }
    }
}
