import Dispatch

/// Every bound of this module.
enum Limits {
    /// How long a connection waits for another process (`coduel users create` beside a running server).
    static let busyTimeoutSeconds = 5.0
    static let readers = 4
    /// The write-ahead log is cut back to this after a checkpoint.
    static let walBytes = 64 << 20
    /// Commits of the room log begin at least so far apart. One that comes later begins at once.
    static let commitSpacingNanoseconds: UInt64 = 2_000_000
    /// Page cache of the connection that writes the room log.
    static let logCacheKiB = 4 << 10
    /// Records, and bytes, of the journal from which on it is settled into the log. They are in memory too.
    static let unsettledRecords = 8_192
    static let unsettledBytes = 8 << 20
    /// Where settling fails, appends fail from here on.
    static let unsettledBytesAtMost = 64 << 20
    /// Records that are settled with one commit, and with one transaction of its own.
    static let settledWithCommit = 128
    static let settledAtOnce = 1_024
    /// How long nothing was written before what waits is settled.
    static let settlePause = DispatchTimeInterval.milliseconds(500)
    /// Rooms whose last sequence is remembered.
    static let knownEnds = 65_536
    /// Rows of one page of a list, whatever was asked for; one more than the contract's 100 tells if there is more.
    static let pageRows = 101
    /// Records that one trimming of a log forgets at most.
    static let trimmedRecords: Int64 = 5_000
    /// Bytes of payloads after which a page of the log ends.
    static let recordPageBytes = 4 << 20
    /// Bytes of a search text that are looked at.
    static let searchBytes = 200
    /// Bound variables of one statement.
    static let variables = 500
    /// Old idempotency keys removed by one claim.
    static let prunedKeys = 50
}
