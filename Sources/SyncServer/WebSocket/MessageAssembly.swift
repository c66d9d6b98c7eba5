/// What a message is.
public enum MessageKind: Sendable {
    case text
    case binary
}

/// Puts the frames of a message together (RFC 6455 §5.4) and expands it where it is compressed (RFC 7692 §6.2).
struct MessageAssembly {
    enum Violation: Error {
        case protocolError
        case notText
        case notDeflated
        case tooLarge
    }

    struct Message {
        var bytes: [UInt8]
        var isText: Bool
    }

    private var bytes: [UInt8] = []
    /// Of the message whose last frame has not come.
    private var begun: (isText: Bool, isCompressed: Bool, emptyFrames: Int)?

    /// Adds a frame that is no control frame; the message when it is whole.
    ///
    /// - Parameter codec: nil where no compression was agreed on.
    mutating func add(
        _ frame: ClientFrame, limit: Int, codec: DeflateCodec?
    ) throws(Violation) -> Message? {
        var message: (isText: Bool, isCompressed: Bool, emptyFrames: Int)
        if frame.opcode == .continuation {
            guard let begun, !frame.isCompressed else { throw .protocolError }
            message = begun
        } else {
            guard begun == nil, codec != nil || !frame.isCompressed else { throw .protocolError }
            message = (frame.opcode == .text, frame.isCompressed, 0)
        }
        if frame.payload.isEmpty { message.emptyFrames += 1 }
        guard bytes.count + frame.payload.count <= limit, message.emptyFrames <= Limits.emptyFragments else {
            throw .tooLarge
        }
        if bytes.isEmpty { bytes = frame.payload } else { bytes.append(contentsOf: frame.payload) }
        guard frame.isFinal else {
            begun = message
            return nil
        }
        begun = nil
        var whole: [UInt8] = []
        swap(&whole, &bytes)
        if message.isCompressed, let codec { whole = try Self.expand(whole, limit: limit, codec) }
        if message.isText, String(validating: whole, as: UTF8.self) == nil { throw .notText }
        return Message(bytes: whole, isText: message.isText)
    }

    private static func expand(
        _ bytes: [UInt8], limit: Int, _ codec: DeflateCodec
    ) throws(Violation) -> [UInt8] {
        do throws(DeflateCodec.Failure) {
            return try codec.expand(bytes, limit: limit)
        } catch {
            switch error {
            case .tooLarge: throw .tooLarge
            case .unreadable, .outOfMemory: throw .notDeflated
            }
        }
    }
}
