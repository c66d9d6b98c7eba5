import Foundation
import Synchronization
import Telemetry
import Testing
import Traces

@Suite struct SpanExporterTests {
    final class Collector: Sendable {
        let bodies = Mutex<[[UInt8]]>([])
        let answers: Mutex<[Int?]>

        init(_ answers: [Int?] = []) { self.answers = Mutex(answers) }

        func exporter() -> SpanExporter {
            SpanExporter(service: "coduel", version: "1.2.3", instance: "i-1") { body in
                self.bodies.withLock { $0.append(body) }
                return self.answers.withLock { $0.isEmpty ? 200 : $0.removeFirst() }
            }
        }
    }

    static func span(_ number: UInt64 = 7) -> Span {
        Span(
            context: TraceContext(
                traceID: TraceID(high: 1, low: 2), spanID: number, isSampled: true, state: "a=b"),
            parentID: 3, name: "run \"python\"", kind: .consumer, startNs: 1_700_000_000_000_000_001,
            endNs: 1_700_000_000_000_000_009,
            attributes: [
                "text": .text("ü\u{1}\n" + String(repeating: "x", count: 5_000)), "whole": .integer(-5),
                "part": .number(0.5), "flag": .flag(true), "none": .number(.nan),
            ], failure: "bad")
    }

    @Test func aRequestIsWhatOTLPDescribes() async throws {
        let collector = Collector()
        let exporter = collector.exporter()
        exporter.record(Self.span())
        let sending = Task { await exporter.run() }
        sending.cancel()
        await sending.value
        let body = try #require(collector.bodies.withLock { $0.first })
        let json = try #require(try JSONSerialization.jsonObject(with: Data(body)) as? [String: Any])
        let resource = try #require((json["resourceSpans"] as? [[String: Any]])?.first)
        let scope = try #require((resource["scopeSpans"] as? [[String: Any]])?.first)
        let span = try #require((scope["spans"] as? [[String: Any]])?.first)
        #expect(span["traceId"] as? String == "00000000000000010000000000000002")
        #expect(span["spanId"] as? String == "0000000000000007")
        #expect(span["parentSpanId"] as? String == "0000000000000003")
        #expect(span["traceState"] as? String == "a=b")
        #expect(span["kind"] as? Int == 5)
        #expect(span["name"] as? String == "run \"python\"")
        #expect(span["startTimeUnixNano"] as? String == "1700000000000000001")
        #expect((span["status"] as? [String: Any])?["code"] as? Int == 2)
        let attributes = try #require(span["attributes"] as? [[String: Any]])
        var values: [String: [String: Any]] = [:]
        for attribute in attributes {
            values[try #require(attribute["key"] as? String)] = attribute["value"] as? [String: Any]
        }
        #expect(values["whole"]?["intValue"] as? String == "-5")
        #expect(values["part"]?["doubleValue"] as? Double == 0.5)
        #expect(values["flag"]?["boolValue"] as? Bool == true)
        let text = try #require(values["text"]?["stringValue"] as? String)
        #expect(text.hasPrefix("ü\u{1}\n") && text.hasSuffix("…") && text.utf8.count < 1_100)
        let counts = exporter.counts
        #expect(counts.exported == 1 && counts.dropped == 0 && counts.waiting == 0)
    }

    @Test func whatDoesNotFitIsDroppedAndCounted() {
        let exporter = Collector().exporter()
        for number in 1...9_000 { exporter.record(Self.span(UInt64(number))) }
        let counts = exporter.counts
        #expect(counts.waiting == 8_192)
        #expect(counts.dropped == 9_000 - 8_192)
    }

    /// 400 is the batch's fault and is not tried again; 503 and silence are.
    @Test func onlyWhatMayPassIsTriedAgain() async throws {
        let collector = Collector([400, 503, nil, 200])
        let exporter = collector.exporter()
        exporter.record(Self.span())
        let sending = Task { await exporter.run() }
        while exporter.counts.dropped == 0 { try await Task.sleep(for: .milliseconds(20)) }
        #expect(collector.bodies.withLock { $0.count } == 1)
        exporter.record(Self.span())
        while exporter.counts.exported == 0 { try await Task.sleep(for: .milliseconds(20)) }
        #expect(collector.bodies.withLock { $0.count } == 4)
        sending.cancel()
        await sending.value
    }
}
