import Identity
import NIOCore

/// Every bound of the HTTP side. Bodies are in bytes.
package enum GatewayLimits {
    package static let jsonBody = 64 << 10
    /// A body that carries a program's source and its standard input.
    package static let sourceBody = 512 << 10
    package static let sourceBytes = 128 << 10
    /// Longest that a call with `wait` waits, seconds.
    package static let longestWait = 30
    package static let standardInputBytes = 256 << 10
    /// A body with edits of a document, one with an update, and edits in one call.
    package static let editBody = 1 << 20
    package static let updateBody = 1 << 20
    package static let editsPerCall = 1_000
    /// Names that service accounts give, and how long their sync tokens live unless told, seconds.
    package static let hostedNameBytes = 256
    package static let externalUserBytes = 128
    package static let serviceTokenSeconds = 3_600
    package static let avatarBody = Identity.Limits.avatarBytes
    package static let packageBody = 64 << 20
    package static let jsonDepth = 32
    package static let pageItems = 100
    package static let defaultPageItems = 50
    package static let cursorBytes = 512
    package static let queryTextBytes = 200
    package static let pathBytes = 2_048
    package static let tokenBytes = 4_096
    /// Path and query of a request that opens a socket.
    package static let socketRequestBytes = 8_192
    /// From accepting a connection to the whole head of its first request.
    package static let firstRequest = TimeAmount.seconds(10)
    /// From the first byte of a later request to the end of its head.
    package static let requestHead = TimeAmount.seconds(10)
    /// Sizes of bodies that are compressed.
    package static let compressed = 1_024...(1 << 20)
    /// Answers kept in memory, their bytes together, and the longest one.
    package static let cachedAnswers = 2_000
    package static let cacheBytes = 16 << 20
    package static let cachedAnswer = 256 << 10
    /// A source is asked for its version at most so often, for changes by other processes.
    package static let versionMs: Int64 = 250

    /// Connections accepted at once, sockets among them; more wait in the listener's backlog.
    package static let connections = 32_768
    package static let backlog = 1_024
    /// Default of `GatewaySettings.requestsInFlight`.
    package static let requestsInFlight = 2_000
    /// Default of `GatewaySettings.bodyTimeoutMs`.
    package static let bodyTimeoutMs: Int64 = 30_000
    /// Bytes a second at which a body may arrive at the slowest, beyond the time every body has.
    package static let slowestUpload = 64 << 10
    /// How long a connection lives on after its body was refused as too large, so that a client that is still
    /// sending can read the answer.
    package static let lingerAfterRefusal = TimeAmount.seconds(5)

    /// Subjects the rate limiter remembers; beyond, the ones nearest to a full bucket are forgotten.
    package static let rateLimitSubjects = 50_000

    /// Events kept a user for `Last-Event-ID`.
    package static let eventsPerUser = 100
    package static let eventUsers = 20_000
    package static let eventBytes = 16 << 10
    package static let eventSubscribersPerUser = 8
    package static let eventSubscribers = 5_000
    /// Events that wait for one slow subscriber; then its stream ends and it resumes with `Last-Event-ID`.
    package static let eventBacklog = 128
    package static let eventHeartbeat = Duration.seconds(15)

    /// How long a dependency has to answer a probe, and how long its last answer is good enough for `/healthz`.
    package static let checkTimeout = Duration.seconds(1)
    package static let checkMemory = Duration.seconds(1)
    /// Probes that wait for one dependency at the same time.
    package static let checkWaiters = 64

    /// Series a metric registry holds; further label values are counted and dropped.
    package static let metricSeries = 4_000

    /// People one user may block.
    package static let blocksPerUser = 200
    /// Sockets of a room that an administrator is shown.
    package static let listedSubscribers = 1_000
    /// Default of `RoomRoutes`: pair rooms one user may make.
    package static let roomsPerUser = 1_000

    package static let staticFiles = 2_000
    package static let staticBytes = 64 << 20
    package static let staticDepth = 8
}
