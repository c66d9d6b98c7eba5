/// What was agreed about compressing the messages of one socket (RFC 7692).
public struct DeflateAgreement: Sendable, Equatable {
    /// Base-2 logarithm of the window with which messages to the client are compressed.
    let serverWindowBits: UInt8
    private let namesServerWindow: Bool

    /// The field of the answer. No message may refer to an earlier one, in either direction: so one codec serves all
    /// sockets of a loop, and a message is compressed once for all who get it.
    public var header: String {
        let terms = "permessage-deflate; server_no_context_takeover; client_no_context_takeover"
        return namesServerWindow ? terms + "; server_max_window_bits=\(serverWindowBits)" : terms
    }

    /// Accepts the first offer that can be kept, of the values of the request's `Sec-WebSocket-Extensions` fields.
    /// Offers that break RFC 7692 §7.1 and those of a window of 256 bytes, which zlib cannot make without a wrapper,
    /// are declined; nil when none is left.
    public init?(offers fields: some Sequence<String>) {
        var left = Limits.extensionOffers
        for field in fields {
            for offer in field.split(separator: ",") {
                left -= 1
                guard left >= 0 else { return nil }
                if let agreement = Self(offer: offer) {
                    self = agreement
                    return
                }
            }
        }
        return nil
    }

    private init?(offer: Substring) {
        let parts = offer.split(separator: ";", omittingEmptySubsequences: false).map(Self.trimmed)
        guard parts.first?.lowercased() == "permessage-deflate" else { return nil }
        var seen: Set<String> = []
        var serverWindow: UInt8?
        for part in parts.dropFirst() {
            let pair = part.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            let name = Self.trimmed(pair[0]).lowercased()
            let value = pair.count == 2 ? Self.unquoted(Self.trimmed(pair[1])) : nil
            guard seen.insert(name).inserted else { return nil }
            switch name {
            case "server_no_context_takeover", "client_no_context_takeover":
                guard value == nil else { return nil }
            case "server_max_window_bits":
                guard let bits = value.flatMap(Self.windowBits), bits >= 9 else { return nil }
                serverWindow = bits
            case "client_max_window_bits":
                if let value, Self.windowBits(value) == nil { return nil }
            default: return nil
            }
        }
        serverWindowBits = serverWindow ?? DeflateCodec.largestWindowBits
        namesServerWindow = serverWindow != nil
    }

    private static func windowBits(_ text: Substring) -> UInt8? {
        guard let first = text.utf8.first, first != UInt8(ascii: "0"), first != UInt8(ascii: "+"),
            let bits = UInt8(text), (8...15).contains(bits)
        else { return nil }
        return bits
    }

    private static func unquoted(_ text: Substring) -> Substring {
        text.count >= 2 && text.first == "\"" && text.last == "\"" ? text.dropFirst().dropLast() : text
    }

    private static func trimmed(_ text: Substring) -> Substring {
        var text = text
        while let first = text.first, first == " " || first == "\t" { text.removeFirst() }
        while let last = text.last, last == " " || last == "\t" { text.removeLast() }
        return text
    }
}
