/// Where in a trace something happens: the trace and the span that is open, as W3C Trace Context (Level 1) writes
/// them into `traceparent` and `tracestate`.
public struct TraceContext: Sendable, Hashable {
    /// The bound that the recommendation gives for `tracestate`, bytes.
    public static let stateBytes = 512

    public var traceID: TraceID
    /// Never 0.
    public var spanID: UInt64
    /// Whether this trace is recorded.
    public var isSampled: Bool
    /// What other tracing systems want handed on, as it came; empty for none.
    public var state: String

    public init(traceID: TraceID, spanID: UInt64, isSampled: Bool, state: String = "") {
        self.traceID = traceID
        self.spanID = spanID
        self.isSampled = isSampled
        self.state = state
    }

    /// The trace that the running task works for. Child tasks inherit it, event loops do not.
    @TaskLocal public static var current: TraceContext?

    /// Reads both header fields. Nil for anything that is not a valid `traceparent` (§3.2): then a new trace begins.
    /// A `tracestate` that is too long is left out, as §3.3.1.5 allows.
    public init?(traceparent: String, tracestate: String? = nil) {
        let bytes = Array(traceparent.utf8)
        guard bytes.count >= 55, bytes[2] == Self.dash, bytes[35] == Self.dash, bytes[52] == Self.dash,
            let version = Self.number(bytes[0..<2]), version != 0xFF,
            // Version 00 ends here; a later one may go on after another dash.
            bytes.count == 55 || (version > 0 && bytes[55] == Self.dash),
            let high = Self.number(bytes[3..<19]), let low = Self.number(bytes[19..<35]),
            let span = Self.number(bytes[36..<52]), let flags = Self.number(bytes[53..<55]),
            high | low != 0, span != 0
        else { return nil }
        traceID = TraceID(high: high, low: low)
        spanID = span
        isSampled = flags & 1 == 1
        let state = tracestate ?? ""
        self.state = state.utf8.count <= Self.stateBytes ? state : ""
    }

    /// The value of the `traceparent` field, version 00.
    public var traceparent: String { "00-\(traceID)-\(spanID.lowerHex)-\(isSampled ? "01" : "00")" }

    private static let dash = UInt8(ascii: "-")

    /// Lower-case hexadecimal digits, at most 16.
    private static func number(_ digits: ArraySlice<UInt8>) -> UInt64? {
        var value: UInt64 = 0
        for digit in digits {
            switch digit {
            case UInt8(ascii: "0")...UInt8(ascii: "9"): value = value << 4 | UInt64(digit - UInt8(ascii: "0"))
            case UInt8(ascii: "a")...UInt8(ascii: "f"):
                value = value << 4 | UInt64(digit - UInt8(ascii: "a") + 10)
            default: return nil
            }
        }
        return value
    }
}

/// 128 bits that name a trace; never all zero.
public struct TraceID: Sendable, Hashable, CustomStringConvertible {
    public var high: UInt64
    public var low: UInt64

    public init(high: UInt64, low: UInt64) {
        self.high = high
        self.low = low
    }

    /// 32 lower-case hexadecimal digits.
    public var description: String { high.lowerHex + low.lowerHex }
}

extension UInt64 {
    /// 16 lower-case hexadecimal digits.
    public var lowerHex: String {
        let digits = String(self, radix: 16)
        return String(repeating: "0", count: 16 - digits.utf8.count) + digits
    }
}
