import CRDT

extension Value {
    /// An object from pairs, in their order.
    static func object(_ pairs: [(String, Value)]) -> Value {
        .object(pairs.map { Entry($0.0, $0.1) })
    }
}
