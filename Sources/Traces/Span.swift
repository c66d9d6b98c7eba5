/// One piece of work within a trace, finished.
public struct Span: Sendable, Equatable {
    /// The role of a span, with the numbers of OTLP.
    public enum Kind: Int, Sendable {
        /// Work within the process.
        case `internal` = 1
        /// Answers a remote caller.
        case server = 2
        /// Calls a remote service.
        case client = 3
        /// Hands work to a queue.
        case producer = 4
        /// Does work from a queue.
        case consumer = 5
    }

    public enum Value: Sendable, Equatable {
        case text(String)
        case integer(Int64)
        case number(Double)
        case flag(Bool)
    }

    public var context: TraceContext
    /// Nil where the trace begins.
    public var parentID: UInt64?
    public var name: String
    public var kind: Kind
    /// Nanoseconds since 1970.
    public var startNs: UInt64
    public var endNs: UInt64
    /// By the names of the OpenTelemetry semantic conventions, `coduel.` in front of our own. Never source text, tokens
    /// or mail addresses.
    public var attributes: [String: Value]
    /// What went wrong, for operators; nil when nothing did.
    public var failure: String?

    public init(
        context: TraceContext, parentID: UInt64?, name: String, kind: Kind, startNs: UInt64, endNs: UInt64,
        attributes: [String: Value] = [:], failure: String? = nil
    ) {
        self.context = context
        self.parentID = parentID
        self.name = name
        self.kind = kind
        self.startNs = startNs
        self.endNs = endNs
        self.attributes = attributes
        self.failure = failure
    }
}
