/// Formatting of a piece of text: names with values, `null` where a formatting ends. The order counts where
/// they are written, as the order of an object's keys does in JavaScript.
public typealias Attributes = [Value.Entry]

/// One step through a list (Quill's delta format). Lengths are UTF-16 units in texts, where an embed counts
/// one, and elements in other lists.
public enum DeltaOperation {
    /// What is inserted.
    public enum Insertion {
        /// Text; of a text.
        case text(String)
        /// An embedded object; of a text.
        case embed(Value)
        /// An embedded shared type; of a text.
        case type(SharedValue)
        /// Elements; of other lists.
        case values([SharedValue])
    }

    case insert(Insertion, Attributes)
    case retain(Int, Attributes)
    case delete(Int)
}
