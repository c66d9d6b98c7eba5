/// Keeps the chat lines for which a document has no room any more.
public protocol ChatArchive: Sendable {
    /// Stores lines behind those of the document that are stored already, in order; one that is there is replaced.
    func store(_ lines: [ChatLine], document: String, room: String) async throws
    /// A page, newest first: lines before the one with the id `before`, or the newest where that is nil or not there.
    func lines(room: String, document: String, before: String?, limit: Int) async throws -> [ChatLine]
    func line(_ id: String, room: String, document: String) async throws -> ChatLine?
    /// Puts another line in the place of the one with its id; false when there is none.
    func replace(_ line: ChatLine, room: String, document: String) async throws -> Bool
}
