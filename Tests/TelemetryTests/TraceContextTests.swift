import Testing
import Traces

@Suite struct TraceContextTests {
    static let parent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"

    @Test func aTraceparentIsReadAndWritten() throws {
        let context = try #require(TraceContext(traceparent: Self.parent, tracestate: "vendor=1"))
        #expect(context.traceID.description == "4bf92f3577b34da6a3ce929d0e0e4736")
        #expect(context.spanID.lowerHex == "00f067aa0ba902b7")
        #expect(context.isSampled)
        #expect(context.state == "vendor=1")
        #expect(context.traceparent == Self.parent)
    }

    @Test func onlyTheLowestFlagCounts() throws {
        let text = Self.parent.dropLast(2)
        #expect(try #require(TraceContext(traceparent: text + "00")).isSampled == false)
        #expect(try #require(TraceContext(traceparent: text + "03")).isSampled)
        #expect(try #require(TraceContext(traceparent: text + "02")).isSampled == false)
    }

    /// Versions that are not known yet are read as far as they are known (§3.2.4 of the recommendation).
    @Test func laterVersionsMayGoOn() {
        let later = "cc" + Self.parent.dropFirst(2)
        #expect(TraceContext(traceparent: later) != nil)
        #expect(TraceContext(traceparent: later + "-what-comes") != nil)
        #expect(TraceContext(traceparent: later + ".what-comes") == nil)
        #expect(TraceContext(traceparent: Self.parent + "-more") == nil)
    }

    @Test(arguments: [
        "", "00", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7",
        "ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
        "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
        "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01",
        "00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01",
        "00-4bf92f3577b34da6a3ce929d0e0e473g-00f067aa0ba902b7-01",
        "00_4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
        "é0-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
        String(repeating: "0", count: 55), String(repeating: "-", count: 10_000),
    ]) func whatIsNotOneIsRefused(_ text: String) {
        #expect(TraceContext(traceparent: text) == nil)
    }

    @Test func aLongStateIsLeftOut() throws {
        let state = String(repeating: "a", count: TraceContext.stateBytes)
        #expect(try #require(TraceContext(traceparent: Self.parent, tracestate: state)).state == state)
        #expect(try #require(TraceContext(traceparent: Self.parent, tracestate: state + "a")).state.isEmpty)
    }
}
