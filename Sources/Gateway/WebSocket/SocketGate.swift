import Foundation
import Identity
import NIOCore
import NIOHTTP1
import Rooms
import SyncProtocol
import SyncServer
import Traces

/// Decides which requests become WebSockets and who is behind them.
package struct SocketGate: Sendable {
    private let identity: IdentityService
    private let services: ServiceAccountService
    private let directory: RoomDirectory
    private let origins: OriginPolicy
    private let memory: RefusalMemory
    private let proxies: [AddressBlock]
    private let opensAnyName: Bool
    private let echoes: Bool
    private let tracer: Tracer

    package init(
        identity: IdentityService, services: ServiceAccountService, directory: RoomDirectory,
        origins: OriginPolicy, proxies: [AddressBlock] = [], opensAnyName: Bool, echoes: Bool,
        tracer: Tracer = .off
    ) {
        self.identity = identity
        self.services = services
        self.directory = directory
        self.origins = origins
        self.proxies = proxies
        self.opensAnyName = opensAnyName
        self.echoes = echoes
        self.tracer = tracer
        let memory = RefusalMemory { directory.now() }
        self.memory = memory
        directory.observeAccess { memory.forget(roomID: $0) }
    }

    enum Target {
        case document(roomID: String, document: String)
        case open(name: String)
        /// Many documents on one socket, each with a token of its own.
        case multiplexed
        /// A path under `/sync/` that names nothing: refused in band, as stock clients understand it.
        case nothing
        case echo
    }

    // MARK: The upgrade

    /// The synchronous part of admission: path, method, version, key, host, origin, and no refusal just before.
    func accepts(_ head: HTTPRequestHead, from address: String) -> Bool {
        guard head.method == .GET, target(of: head.uri) != nil,
            head.headers[canonicalForm: "Upgrade"].contains(where: { $0.lowercased() == "websocket" }),
            head.headers.first(name: "Sec-WebSocket-Version") == "13",
            Self.isKey(head.headers.first(name: "Sec-WebSocket-Key")), Self.isWithoutBody(head),
            head.uri.utf8.count <= GatewayLimits.socketRequestBytes
        else { return false }
        let host = head.headers.first(name: "Host")
        guard origins.acceptsHost(host),
            origins.acceptsOrigin(head.headers.first(name: "Origin"), host: host)
        else { return false }
        let address = client(of: head, peer: address)
        return memory.refusal(of: Self.key(head, address)) == nil
            && directory.registry.mayOpen(from: ClientAddress.subject(of: address))
    }

    /// Somebody may see more than before: whoever was refused is asked again.
    package func forgetRefusals() { memory.forgetAll() }

    private func client(of head: HTTPRequestHead, peer: String) -> String {
        ClientAddress.resolve(
            peer: peer, forwardedFor: head.headers.first(name: "X-Forwarded-For"), proxies: proxies)
    }

    /// Sixteen bytes in base64 (RFC 6455 §4.1).
    private static func isKey(_ key: String?) -> Bool {
        key.flatMap { Data(base64Encoded: $0) }?.count == 16
    }

    /// A body would be read as frames.
    private static func isWithoutBody(_ head: HTTPRequestHead) -> Bool {
        !head.headers.contains(name: "Transfer-Encoding")
            && (head.headers.first(name: "Content-Length").map { $0 == "0" } ?? true)
    }

    func connection(
        for head: HTTPRequestHead, on channel: any Channel, isEncrypted: Bool
    ) -> WebSocketConnection {
        let target = target(of: head.uri)
        let maximum =
            if case .echo? = target { EchoEndpoint.maximumMessageBytes } else {
                directory.registry.limits.messageBytes
            }
        return WebSocketConnection(
            endpoint: endpoint(for: head, target, on: channel), loops: directory.loops,
            loop: channel.eventLoop,
            deflate: head.deflateAgreement, maximumMessageBytes: maximum, isEncrypted: isEncrypted)
    }

    private func endpoint(
        for head: HTTPRequestHead, _ target: Target?, on channel: any Channel
    ) -> any WebSocketEndpoint {
        let gate = self
        let client = client(of: head, peer: channel.remoteAddress?.ipAddress ?? "unknown")
        let address = ClientAddress.subject(of: client)
        let trace = trace(of: head, target)
        switch target {
        case .echo?: return EchoEndpoint()
        case .multiplexed?:
            return MultiplexedEndpoint(directory: directory, loop: channel.eventLoop, address: address) {
                name, token async throws(DoorRefusal) in
                var admission = try await gate.admit(token: token, toName: name, from: client)
                admission.trace = trace
                return admission
            }
        case let target:
            let token = Self.token(of: head)
            let key = Self.key(head, client)
            let roomID = if case .document(let roomID, _) = target { roomID } else { "" }
            return PlainEndpoint(
                directory: directory, loop: channel.eventLoop, address: address,
                admission: { () async throws(DoorRefusal) in
                    var admission = try await gate.admit(token: token, to: target)
                    admission.trace = trace
                    return admission
                },
                onRefusal: { refusal in gate.memory.remember(refusal.code, of: key, in: roomID) })
        }
    }

    /// What happens on the socket belongs to the request for it, whose own span is short: a span as long as a socket
    /// would be seen only when it closes.
    private func trace(of head: HTTPRequestHead, _ target: Target?) -> TraceContext? {
        let caller = head.headers.first(name: "traceparent").flatMap {
            TraceContext(traceparent: $0, tracestate: head.headers.first(name: "tracestate"))
        }
        let route =
            switch target {
            case .document?: "/sync/{room}/{document}"
            case .open?: "/sync/open/{name}"
            default: "/sync"
            }
        let span = tracer.begin(
            "GET \(route)", .server, below: caller,
            attributes: [
                "http.request.method": .text("GET"), "http.route": .text(route),
                "http.response.status_code": .integer(101), "network.protocol.name": .text("websocket"),
            ])
        tracer.end(span)
        return span?.context ?? caller
    }

    /// Opens a document by its name on a multiplexed socket. What was refused a moment ago is refused again without
    /// asking anyone: these sockets come back at once, too, and the request for them names neither document nor token.
    private func admit(
        token: String, toName name: String, from address: String
    ) async throws(DoorRefusal) -> SocketAdmission {
        let key = RefusalMemory.key(address: address, uri: "multiplexed \(name)", authorization: token)
        if let code = memory.refusal(of: key) {
            throw DoorRefusal(code, "this document was refused to this token a moment ago")
        }
        let target = target(ofName: name)
        do throws(DoorRefusal) {
            return try await admit(token: token, to: target)
        } catch {
            if case .document(let roomID, _) = target { memory.remember(error.code, of: key, in: roomID) }
            throw error
        }
    }

    private func admit(token: String?, to target: Target?) async throws(DoorRefusal) -> SocketAdmission {
        switch target {
        case .open(let name):
            return SocketAdmission(
                caller: .anonymous, roomID: OpenRoom.id(of: name), document: DocumentName.main)
        case .document(let roomID, let document):
            let (caller, epoch) = try await caller(of: token, in: roomID)
            return SocketAdmission(caller: caller, roomID: roomID, document: document, epoch: epoch)
        case .nothing, .multiplexed, .echo, nil:
            throw DoorRefusal(.notFound, "no such room or document")
        }
    }

    /// The caller of a sync token of this room, or of an access token.
    private func caller(of token: String?, in roomID: String) async throws(DoorRefusal) -> (
        RoomCaller, Int64?
    ) {
        guard let token else { throw DoorRefusal(.unauthenticated, "a token is needed") }
        if let caller = try await holder(of: token) { return (RoomCaller(caller), nil) }
        if let (caller, epoch) = try await hostedCaller(of: token, in: roomID) { return (caller, epoch) }
        do {
            let grant = try await identity.verifySyncToken(token)
            guard grant.roomID == roomID else {
                throw DoorRefusal(.forbidden, "the token is for another room")
            }
            return (RoomCaller(grant.caller), grant.epoch)
        } catch let refusal as DoorRefusal {
            throw refusal
        } catch let error as IdentityError where error.code == .unavailable {
            throw DoorRefusal(.tryAgainLater, error.message)
        } catch {
            do {
                return (RoomCaller(try await identity.authenticate(accessToken: token)), nil)
            } catch {
                if error.code == .unavailable { throw DoorRefusal(.tryAgainLater, error.message) }
                throw DoorRefusal(.unauthenticated, "the token is not valid")
            }
        }
    }

    /// Who holds a ticket or a personal token; nil where it is neither.
    private func holder(of token: String) async throws(DoorRefusal) -> Caller? {
        do throws(IdentityError) {
            if token.hasPrefix(Self.ticketPrefix) {
                return try await identity.redeemSocketTicket(String(token.dropFirst(Self.ticketPrefix.count)))
            }
            guard token.hasPrefix(PersonalToken.prefix) else { return nil }
            let caller = try await identity.authenticate(personalToken: token)
            guard caller.tokenScopes?.contains(.sync) == true else {
                throw IdentityError(.notAllowed, "the token is not good for sockets")
            }
            return caller
        } catch {
            switch error.code {
            case .unavailable: throw DoorRefusal(.tryAgainLater, error.message)
            case .notAllowed: throw DoorRefusal(.forbidden, error.message)
            default: throw DoorRefusal(.unauthenticated, "the token is not valid")
            }
        }
    }

    /// What stands before a ticket where a token is expected.
    private static let ticketPrefix = "ticket:"

    /// The user of a service account's product whom its sync token lets in; nil where it is no such token.
    private func hostedCaller(
        of token: String, in roomID: String
    ) async throws(DoorRefusal) -> (RoomCaller, Int64?)? {
        let grant: ServiceSyncGrant
        do throws(IdentityError) {
            grant = try await services.verifySyncToken(token)
        } catch {
            switch error.code {
            case .unavailable: throw DoorRefusal(.tryAgainLater, error.message)
            case .sessionEnded: throw DoorRefusal(.unauthenticated, "the key of this token was revoked")
            default: return nil
            }
        }
        guard grant.roomID == roomID else { throw DoorRefusal(.forbidden, "the token is for another room") }
        let caller = RoomCaller(
            userID: grant.userID, name: grant.userName, of: grant.accountID,
            sessionID: ServiceKey.sessionID(of: grant.keyID), grant: grant.mayWrite ? .write : .read)
        return (caller, grant.epoch)
    }

    // MARK: Requests

    private func target(of uri: String) -> Target? {
        let path = String(uri.prefix { $0 != "?" })
        guard let segments = RequestPath.segments(of: path) else { return nil }
        if segments == ["conformance", "echo"] { return echoes ? .echo : nil }
        guard segments.first == "sync" else { return nil }
        if segments.count == 1 { return .multiplexed }
        guard segments.count >= 3 else { return nil }
        if segments[1] == "open" {
            return openTarget(segments.dropFirst(2).joined(separator: "/"))
        }
        guard segments.count == 3 else { return .nothing }
        return .document(roomID: segments[1], document: segments[2])
    }

    /// A document by its name in the multiplexed framing: `{room}/{document}`.
    private func target(ofName name: String) -> Target {
        let parts = name.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
        guard parts.count == 2, !parts[0].isEmpty, !parts[1].isEmpty, name.utf8.allSatisfy({ $0 >= 0x20 })
        else {
            return .nothing
        }
        if parts[0] == "open" { return openTarget(String(parts[1])) }
        return .document(roomID: String(parts[0]), document: String(parts[1]))
    }

    private func openTarget(_ name: String) -> Target {
        opensAnyName && name.utf8.count <= OpenRoom.maximumNameBytes ? .open(name: name) : .nothing
    }

    private static func token(of head: HTTPRequestHead) -> String? {
        if let field = head.headers.first(name: "Authorization"), field.prefix(7).lowercased() == "bearer " {
            return String(field.dropFirst(7))
        }
        guard let question = head.uri.firstIndex(of: "?") else { return nil }
        for pair in head.uri[head.uri.index(after: question)...].split(separator: "&") {
            if pair.hasPrefix("ticket=") {
                return String(pair.dropFirst(7)).removingPercentEncoding.map { ticketPrefix + $0 }
            }
            guard pair.hasPrefix("token=") else { continue }
            return String(pair.dropFirst(6)).removingPercentEncoding
        }
        return nil
    }

    private static func key(_ head: HTTPRequestHead, _ address: String) -> String {
        RefusalMemory.key(
            address: address, uri: head.uri, authorization: head.headers.first(name: "Authorization"))
    }

    // MARK: Plain HTTP on socket paths

    /// What a request on a socket's path gets that was not upgraded.
    package var routes: [Route] {
        [
            Route(.get, "/sync/**", access: .open, limits: []) { request, context in
                if let code = self.memory.refusal(of: self.key(request, context)) {
                    throw Self.problem(of: code)
                }
                if !self.directory.registry.mayOpen(from: ClientAddress.subject(of: context.address)) {
                    throw HTTPProblem.tooManyRequests(
                        "Too many sockets of one address.", retryAfterSeconds: 10)
                }
                throw HTTPProblem(
                    .init(code: 426, reasonPhrase: "Upgrade Required"), code: "upgrade_required",
                    detail: "This path speaks WebSocket.",
                    headers: [.upgrade: "websocket", .connection: "close"])
            }
        ]
    }
}
