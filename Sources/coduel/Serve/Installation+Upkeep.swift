import Gateway
import Identity
import Logging
import StorageSQLite
import SyncServer

/// Loops that keep an installation in order; each ends when it is cancelled.
extension Installation {
    /// Sessions and tokens that ended long ago are no use to anyone.
    func purgeSessions() async {
        while !Task.isCancelled {
            do {
                let purged = try await core.people.identity.purgeSessions()
                if purged > 0 { logger.info("old sessions were purged", metadata: ["count": "\(purged)"]) }
                try await Task.sleep(for: Self.purgeInterval)
            } catch is CancellationError {
                return
            } catch {
                logger.error("old sessions could not be purged", metadata: ["error": "\(error)"])
                try? await Task.sleep(for: Self.purgeInterval)
            }
        }
    }

    /// Signing keys are taken up, replaced and removed in time.
    func tendKeys() async {
        while !Task.isCancelled {
            do {
                try await core.people.identity.tendKeys()
                try await core.people.identity.reloadDoor()
            } catch {
                logger.error("the signing keys could not be tended", metadata: ["error": "\(error)"])
            }
            try? await Task.sleep(for: Self.keyInterval)
        }
    }

    /// A renewed certificate serves the next connection.
    func watch(_ certificates: TLSCertificates) async {
        var fault = ""
        while !Task.isCancelled {
            do {
                if try certificates.reloadIfChanged() { logger.notice("the certificate was read again") }
                fault = ""
            } catch {
                // Once a fault: the two files are seldom replaced in one moment.
                if fault != "\(error)" {
                    logger.error("a changed certificate cannot be used", metadata: ["reason": "\(error)"])
                }
                fault = "\(error)"
            }
            try? await Task.sleep(for: Self.certificateInterval)
        }
    }

    private static let certificateInterval = Duration.seconds(5)

    private static let keyInterval = Duration.seconds(30)

    /// Open rooms that nobody writes to any more give their place and their disk back.
    func removeQuietRooms() async {
        let hours = Int64(settings.syncLimits.openRoomHours)
        while !Task.isCancelled {
            if settings.openRooms { await removeQuietRooms(olderThanHours: hours) }
            try? await Task.sleep(for: Self.purgeInterval)
        }
    }

    private func removeQuietRooms(olderThanHours hours: Int64) async {
        do {
            let removed = try await core.rooms.directory.removeQuietOpenRooms(
                shared.roomLog, beforeMs: shared.now() - hours * 3_600_000)
            if removed > 0 {
                logger.info("quiet open rooms were removed", metadata: ["count": "\(removed)"])
            }
        } catch {
            logger.error("quiet open rooms could not be removed", metadata: ["error": "\(error)"])
        }
    }

    private static let purgeInterval = Duration.seconds(3_600)
}
