/// What a decoder did wrong with an input.
struct Complaint: Error, CustomStringConvertible {
    let description: String

    init(_ description: String) { self.description = description }
}

/// Throws unless the condition holds.
func demand(_ condition: Bool, _ complaint: @autoclosure () -> String) throws(Complaint) {
    if !condition { throw Complaint(complaint()) }
}
