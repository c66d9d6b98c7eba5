import Synchronization
import Testing
import Traces

@Suite struct TracerTests {
    /// A tracer whose clock ticks and whose chance counts.
    final class Recorder: Sendable {
        private let state = Mutex((spans: [Span](), time: UInt64(1_000), number: UInt64(0)))

        var spans: [Span] { state.withLock { $0.spans } }

        func tracer(ratio: Double = 1) -> Tracer {
            Tracer(
                ratio: ratio,
                nowNs: {
                    self.state.withLock { state in
                        state.time += 10
                        return state.time
                    }
                },
                random: {
                    self.state.withLock { state in
                        state.number &+= 1
                        // SplitMix64's finaliser: spread, and never twice the same.
                        var z = state.number &* 0x9E37_79B9_7F4A_7C15
                        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
                        return z ^ (z >> 27)
                    }
                }, record: { span in self.state.withLock { $0.spans.append(span) } })
        }
    }

    struct Failure: Error {}

    @Test func spansNestByTask() async throws {
        let recorder = Recorder()
        let tracer = recorder.tracer()
        await tracer.span("outer", .server) { outer in
            outer?["k"] = .integer(1)
            await tracer.span("inner") { _ in }
        }
        let spans = recorder.spans
        #expect(spans.map(\.name) == ["inner", "outer"])
        #expect(spans[0].parentID == spans[1].context.spanID)
        #expect(spans[0].context.traceID == spans[1].context.traceID)
        #expect(spans[1].parentID == nil)
        #expect(spans[1].attributes["k"] == .integer(1))
        #expect(spans[1].startNs < spans[0].startNs && spans[0].endNs < spans[1].endNs)
        #expect(TraceContext.current == nil)
    }

    @Test func errorsAreToldByTheirTypeAlone() async {
        let recorder = Recorder()
        await #expect(throws: Failure.self) {
            try await recorder.tracer().span("fails") { _ in throw Failure() }
        }
        #expect(recorder.spans.map(\.failure) == ["Failure"])
    }

    @Test func whoeverBeginsATraceDecidesWhetherItIsRecorded() throws {
        let recorder = Recorder()
        let text = TraceContextTests.parent
        let sampled = try #require(TraceContext(traceparent: text))
        let unsampled = try #require(TraceContext(traceparent: text.dropLast() + "0"))
        let never = recorder.tracer(ratio: 0)
        never.end(never.begin("a", .server, below: sampled))
        never.end(never.begin("b", .server, below: nil))
        let always = recorder.tracer(ratio: 1)
        always.end(always.begin("c", .server, below: unsampled))
        always.end(always.begin("d", .server, below: nil))
        #expect(recorder.spans.map(\.name) == ["a", "d"])
        #expect(recorder.spans[0].parentID == sampled.spanID)
    }

    @Test func aShareOfTracesIsRecorded() {
        let recorder = Recorder()
        let tracer = recorder.tracer(ratio: 0.25)
        for _ in 0..<4_000 { tracer.end(tracer.begin("x", .internal, below: nil)) }
        #expect((850...1_150).contains(recorder.spans.count), "\(recorder.spans.count) of 4000")
    }

    @Test func nothingHappensWhileItIsOff() async throws {
        let tracer = Tracer.off
        #expect(!tracer.isOn)
        #expect(tracer.begin("x", .server, below: nil) == nil)
        let context = try #require(TraceContext(traceparent: TraceContextTests.parent))
        let seen = await TraceContext.$current.withValue(context) {
            await tracer.span("x") { _ in TraceContext.current }
        }
        #expect(seen == context)
    }
}
