/// Opens spans and hands finished ones on. Knows neither clock nor chance nor network: they are given.
public struct Tracer: Sendable {
    private struct Ports: Sendable {
        let nowNs: @Sendable () -> UInt64
        let random: @Sendable () -> UInt64
        let record: @Sendable (Span) -> Void
        let ratio: Double
    }

    private let ports: Ports?

    /// Records nothing. A context that came from outside is handed on all the same.
    public static let off = Tracer(ports: nil)

    private init(ports: Ports?) { self.ports = ports }

    /// - Parameters:
    ///   - ratio: share of the traces begun here that are recorded, 0 to 1; whoever begins a trace elsewhere decides for
    ///     it.
    ///   - nowNs: nanoseconds since 1970.
    ///   - random: unpredictable numbers.
    ///   - record: takes a finished span; must not block.
    public init(
        ratio: Double = 1, nowNs: @escaping @Sendable () -> UInt64,
        random: @escaping @Sendable () -> UInt64, record: @escaping @Sendable (Span) -> Void
    ) {
        ports = Ports(nowNs: nowNs, random: random, record: record, ratio: min(max(ratio, 0), 1))
    }

    public var isOn: Bool { ports != nil }

    /// Begins a span below `parent`, or a new trace. Nil while tracing is off.
    public func begin(
        _ name: String, _ kind: Span.Kind, below parent: TraceContext?, attributes: [String: Span.Value] = [:]
    ) -> OpenSpan? {
        guard let ports else { return nil }
        let traceID = parent?.traceID ?? TraceID(high: ports.random(), low: ports.random() | 1)
        let isSampled = parent?.isSampled ?? Self.isChosen(traceID, ratio: ports.ratio)
        let context = TraceContext(
            traceID: traceID, spanID: max(1, ports.random()), isSampled: isSampled,
            state: parent?.state ?? "")
        return OpenSpan(
            span: Span(
                context: context, parentID: parent?.spanID, name: name, kind: kind, startNs: ports.nowNs(),
                endNs: 0, attributes: attributes, failure: nil))
    }

    /// Ends a span and hands it on, if its trace is recorded.
    public func end(_ open: OpenSpan?) {
        guard let ports, let open, open.span.context.isSampled else { return }
        var span = open.span
        span.endNs = max(span.startNs, ports.nowNs())
        ports.record(span)
    }

    /// Runs `body` within a span below the current one; it may add attributes to the span. What it throws is the
    /// span's failure, by its type alone: an error's text may hold what nobody should read.
    public func span<Value: Sendable>(
        _ name: String, _ kind: Span.Kind = .internal, attributes: [String: Span.Value] = [:],
        isolation: isolated (any Actor)? = #isolation,
        _ body: (inout OpenSpan?) async throws -> Value
    ) async rethrows -> Value {
        var open = begin(name, kind, below: TraceContext.current, attributes: attributes)
        guard let context = open?.context else { return try await body(&open) }
        do {
            let value = try await TraceContext.$current.withValue(context) { try await body(&open) }
            end(open)
            return value
        } catch {
            open?.fail("\(type(of: error))")
            end(open)
            throw error
        }
    }

    /// By the lower half of the trace's id, as OpenTelemetry's `TraceIdRatioBased` does: every node chooses alike.
    private static func isChosen(_ id: TraceID, ratio: Double) -> Bool {
        ratio >= 1 || Double(id.low >> 11) < ratio * 0x1p53
    }
}

/// A span that has not ended yet.
public struct OpenSpan: Sendable {
    var span: Span

    public var context: TraceContext { span.context }

    public subscript(attribute: String) -> Span.Value? {
        get { span.attributes[attribute] }
        set { span.attributes[attribute] = newValue }
    }

    public mutating func rename(_ name: String) { span.name = name }

    public mutating func fail(_ reason: String) { span.failure = reason }
}
