import CRDT

/// A document that inputs are applied to. A refused input must leave it as it was, so it is made anew only
/// after one that was taken.
final class UpdateTarget {
    let collectsGarbage: Bool
    /// Next clocks of the document's clients.
    let known: [(client: UInt64, end: UInt64)]
    let state: [UInt8]
    private var standing: (document: Document, before: [UInt8])?

    init(state: [UInt8], collectsGarbage: Bool) {
        self.state = state
        self.collectsGarbage = collectsGarbage
        let vector = (try? Update(decodingV1: state))?.stateVector ?? StateVector()
        known = vector.clients.map { ($0.key, $0.value) }.sorted { $0.client < $1.client }
    }

    /// The document and its encoded state.
    func document() throws(Complaint) -> (document: Document, before: [UInt8]) {
        if let standing { return standing }
        let document = try fresh(with: state)
        let made = (document, document.encodeStateAsUpdate())
        standing = made
        return made
    }

    /// The document has changed.
    func drop() { standing = nil }

    /// Another document that has applied the same, then `update`.
    func fresh(and update: [UInt8]) throws(Complaint) -> Document {
        let document = try fresh(with: state)
        try take(update, document)
        return document
    }

    /// A document that has applied only `update`.
    func fresh(with update: [UInt8]) throws(Complaint) -> Document {
        let document = Document(clientID: 98, gc: collectsGarbage)
        if !update.isEmpty { try take(update, document) }
        return document
    }

    private func take(_ update: [UInt8], _ document: Document) throws(Complaint) {
        do throws(UpdateError) { try document.applyUpdate(update, limits: .trusted) } catch {
            throw Complaint("what the engine wrote is refused: \(error): \(hexText(update))")
        }
    }
}
