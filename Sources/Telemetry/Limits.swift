/// Every bound of what leaves the process for those who operate it.
enum Limits {
    /// Spans that wait to be sent; further ones are dropped and counted.
    static let waitingSpans = 8_192
    static let spansPerRequest = 512
    static let sendInterval = Duration.milliseconds(1_000)
    /// Pauses before a batch that could not be delivered is sent again; after the last it is dropped.
    static let retryPauses: [Duration] = [.milliseconds(500), .seconds(2)]
    /// An attribute, or a failure, of a span: bytes.
    static let attributeBytes = 1_024

    /// Lines that wait to be written, bytes; further ones are dropped and counted.
    static let waitingLogBytes = 4 << 20
    /// One value in a line, bytes; longer ones are cut.
    static let logValueBytes = 8 << 10
    /// How long the end of the process waits for the last lines.
    static let logFlushSeconds = 2
}
