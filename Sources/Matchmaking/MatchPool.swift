/// The waiting tickets in memory. The store is the truth; the pool is what a tick looks at.
struct MatchPool {
    private struct Place: Hashable {
        var userID: String
        var mode: MatchMode
    }

    private struct Entry {
        var ticket: Ticket
        /// Part of a match whose room is being created.
        var isTaken = false
        var restsUntilMs: Int64 = 0
    }

    private var entries: [String: Entry] = [:]
    /// Also holds tickets that are being saved: one waiting ticket a user and mode.
    private var places: [Place: String] = [:]

    var count: Int { places.count }

    func ticketID(of userID: String, mode: MatchMode) -> String? { places[Place(userID: userID, mode: mode)] }

    /// Takes the user's place before the ticket is on disk.
    mutating func reserve(_ ticketID: String, userID: String, mode: MatchMode) {
        places[Place(userID: userID, mode: mode)] = ticketID
    }

    mutating func release(_ ticketID: String, userID: String, mode: MatchMode) {
        let place = Place(userID: userID, mode: mode)
        if places[place] == ticketID { places[place] = nil }
    }

    /// Does nothing when it is there already.
    mutating func insert(_ ticket: Ticket) {
        guard entries[ticket.id] == nil else { return }
        reserve(ticket.id, userID: ticket.userID, mode: ticket.mode)
        entries[ticket.id] = Entry(ticket: ticket)
    }

    mutating func remove(_ ticketID: String) {
        guard let entry = entries.removeValue(forKey: ticketID) else { return }
        release(ticketID, userID: entry.ticket.userID, mode: entry.ticket.mode)
    }

    mutating func take(_ tickets: [Ticket]) {
        for ticket in tickets { entries[ticket.id]?.isTaken = true }
    }

    mutating func putBack(_ ticketID: String, restsUntilMs: Int64) {
        entries[ticketID]?.isTaken = false
        entries[ticketID]?.restsUntilMs = restsUntilMs
    }

    func expired(createdBeforeMs: Int64) -> [Ticket] {
        entries.values.filter { !$0.isTaken && $0.ticket.createdAtMs <= createdBeforeMs }.map(\.ticket)
    }

    func free(atMs: Int64, createdAfterMs: Int64) -> [Ticket] {
        entries.values.filter {
            !$0.isTaken && $0.restsUntilMs <= atMs && $0.ticket.createdAtMs > createdAfterMs
        }.map(\.ticket)
    }
}
