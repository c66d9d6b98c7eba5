import Rooms

extension RoomDirectory {
    /// The room of a service account's document, made at its first use; nil when the account has as many documents
    /// as it may have.
    ///
    /// - Parameter roomID: made from the account and the document's name, so that all who ask mean the same room.
    public func openHosted(
        _ document: String, roomID: String, of accountID: String, atMost limit: Int,
        in store: any HostedRoomStore
    ) async throws -> RoomSpecification? {
        try await store.openHosted(
            RoomSpecification(
                id: roomID, kind: .hosted, visibility: .private, ownerID: accountID, language: "python",
                participants: [], createdAtMs: now(), name: document), atMost: limit)
    }
}
