import Foundation
import Glibc
import Logging
import Telemetry
import Testing
import Traces

@Suite struct ECSLogTests {
    /// A pipe whose other end is read as lines.
    struct Pipe {
        let reading: CInt
        let writing: CInt

        init() throws {
            var ends: [CInt] = [0, 0]
            try #require(pipe(&ends) == 0)
            (reading, writing) = (ends[0], ends[1])
        }

        func lines() -> [String] {
            close(writing)
            let handle = FileHandle(fileDescriptor: reading, closeOnDealloc: true)
            return String(decoding: handle.readDataToEndOfFile(), as: UTF8.self)
                .split(separator: "\n").map(String.init)
        }
    }

    @Test func aLineIsOneObjectWithNamesOfTheSchema() throws {
        let pipe = try Pipe()
        let writer = LogWriter(descriptor: pipe.writing)
        var logger = Logger(label: "coduel.test") { label in
            ECSLogHandler(label: label, level: .info, service: "coduel", version: "1", writer: writer)
        }
        logger[metadataKey: "hb.request.id"] = "abc"
        let context = try #require(TraceContext(traceparent: TraceContextTests.parent))
        TraceContext.$current.withValue(context) {
            logger.warning(
                "two\nlines \"quoted\" \u{1B}[31m",
                metadata: [
                    "error": "it broke", "room": "r1", "http.response.status_code": "503",
                    "event.duration": "12", "http.route": "/x",
                ])
        }
        logger.debug("too quiet")
        writer.flush()
        let lines = pipe.lines()
        #expect(lines.count == 1)
        let line = try #require(lines.first)
        let json = try #require(try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any])
        #expect(line.hasPrefix("{\"@timestamp\":\""))
        #expect(json["log.level"] as? String == "warning")
        #expect(json["message"] as? String == "two\nlines \"quoted\" \u{1B}[31m")
        #expect(json["service.name"] as? String == "coduel")
        #expect(json["log.logger"] as? String == "coduel.test")
        #expect(json["trace.id"] as? String == "4bf92f3577b34da6a3ce929d0e0e4736")
        #expect(json["span.id"] as? String == "00f067aa0ba902b7")
        #expect(json["http.request.id"] as? String == "abc")
        #expect(json["error.message"] as? String == "it broke")
        #expect(json["labels.room"] as? String == "r1")
        #expect(json["http.response.status_code"] as? Int == 503)
        #expect(json["event.duration"] as? Int == 12)
        #expect(json["http.route"] as? String == "/x")
        let stamp = try #require(json["@timestamp"] as? String)
        #expect(stamp.wholeMatch(of: /\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z/) != nil, "\(stamp)")
    }

    /// A reader that does not read holds nobody up, and costs lines, not memory.
    @Test func aFullPipeDropsLines() throws {
        let pipe = try Pipe()
        let writer = LogWriter(descriptor: pipe.writing)
        let line = [UInt8](repeating: UInt8(ascii: "x"), count: 1_023) + [UInt8(ascii: "\n")]
        let start = ContinuousClock.now
        for _ in 0..<8_192 { writer.write(line) }
        #expect(ContinuousClock.now - start < .seconds(5))
        let dropped = writer.dropped
        #expect(dropped > 3_000 && dropped < 8_192)
        let reader = Thread {
            var buffer = [UInt8](repeating: 0, count: 1 << 16)
            while read(pipe.reading, &buffer, buffer.count) > 0 {}
        }
        reader.start()
        writer.flush()
        close(pipe.writing)
    }

    @Test func longValuesAreCut() throws {
        let pipe = try Pipe()
        let writer = LogWriter(descriptor: pipe.writing)
        let logger = Logger(label: "t") { label in
            ECSLogHandler(label: label, level: .info, service: "c", version: "1", writer: writer)
        }
        logger.info("\(String(repeating: "é", count: 20_000))")
        writer.flush()
        let line = try #require(pipe.lines().first)
        #expect(line.utf8.count < 9_000)
        #expect(line.contains("é…"))
    }
}
