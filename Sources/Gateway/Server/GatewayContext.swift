import Hummingbird
import Identity
import Logging
import NIOCore

/// What travels with one request from admission to its handler.
package struct GatewayContext: RequestContext {
    package var coreContext: CoreRequestContextStorage
    /// The connection the request came on.
    package let channel: any Channel
    /// The client's address: the peer's, or the one a trusted proxy reports.
    package var address: String
    /// Set on routes that take a token, when a good one was sent.
    package var caller: Caller?
    /// The whole body, already checked for size and content type; empty on routes without one.
    package var body: ByteBuffer
    /// Whether the body was taken off the connection.
    var bodyWasRead: Bool
    package var pathParameters: [String: String]

    package init(source: Source) {
        self.coreContext = .init(source: source)
        self.channel = source.channel
        self.address = source.channel.remoteAddress?.ipAddress ?? "unknown"
        self.caller = nil
        self.body = ByteBuffer()
        self.bodyWasRead = false
        self.pathParameters = [:]
    }

    /// The caller of a route that needs one.
    package func requireCaller() throws(HTTPProblem) -> Caller {
        guard let caller else { throw .unauthorized("This call needs an access token.") }
        return caller
    }

    /// The part of the path that `{name}` matched, percent-decoded.
    package func parameter(_ name: String) throws(HTTPProblem) -> String {
        guard let value = pathParameters[name] else { throw .notFound() }
        return value
    }

    /// The body as JSON; see `JSONCoding.decode` for what it throws.
    package func decode<T: Decodable>(_ type: T.Type) throws(HTTPProblem) -> T {
        try JSONCoding.decode(type, from: body)
    }
}
