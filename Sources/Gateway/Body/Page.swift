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

    /// How many records to ask a store for: one more than a page holds tells whether there is another page.
    package var fetched: Int { limit + 1 }
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

    /// A page of what was found for `page.fetched` records. `cursor` of its last record is where the next begins;
    /// `item` is nil for a record that is not shown.
    package init<Record>(
        _ found: [Record], of page: PageRequest, cursor: (Record) -> String, item: (Record) -> Item?
    ) {
        let records = found.prefix(page.limit)
        self.init(
            items: records.compactMap(item),
            nextCursor: found.count > page.limit ? records.last.map(cursor) : nil)
    }
}
