import Hummingbird

/// `limit` and `cursor` of a list call.
package struct PageRequest: Sendable, Equatable {
    package var limit: Int
    package var cursor: String?

    /// Throws 422 for a limit that is no number of 1–100, or a cursor that is none of ours.
    package init(_ request: Request) throws(HTTPProblem) {
        let query = request.uri.queryParameters
        limit = GatewayLimits.defaultPageItems
        if let text = query["limit"] {
            guard let value = Int(text), (1...GatewayLimits.pageItems).contains(value) else {
                throw .invalid("limit", "is a number from 1 to \(GatewayLimits.pageItems)", code: "range")
            }
            limit = value
        }
        cursor = nil
        if let text = query["cursor"] {
            guard (1...GatewayLimits.cursorBytes).contains(text.utf8.count) else {
                throw .invalid("cursor", "is not a cursor of this list", code: "cursor")
            }
            cursor = String(text)
        }
    }
}

/// A page of a list.
package struct PageReply<Item: Encodable & Sendable>: Encodable, Sendable {
    package var items: [Item]
    /// Nil on the last page.
    @Nullable package var nextCursor: String?

    package init(items: [Item], nextCursor: String?) {
        self.items = items
        self.nextCursor = nextCursor
    }
}
