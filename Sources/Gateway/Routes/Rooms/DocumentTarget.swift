import Rooms

/// The document of a room that a call's path names, and who asks.
struct DocumentTarget {
    let caller: RoomCaller
    let roomID: String
    let document: String

    init(_ context: GatewayContext) throws(HTTPProblem) {
        caller = RoomCaller(try context.requireCaller())
        roomID = try context.parameter("id")
        document = try context.parameter("name")
    }
}
