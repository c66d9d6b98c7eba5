/// Who may come in, as an administrator sets it while the server runs.
public struct DoorSettings: Sendable, Equatable, Codable {
    /// Whether one may play without an account.
    public var guests: Bool
    /// Whether one may make an account.
    public var registrations: Bool
    /// Whether a log-in by password needs a confirmed e-mail address, for accounts that have one at all.
    public var verifiedEmail: Bool

    public init(guests: Bool = true, registrations: Bool = true, verifiedEmail: Bool = false) {
        self.guests = guests
        self.registrations = registrations
        self.verifiedEmail = verifiedEmail
    }
}

/// Keeps what is set while the server runs. Every answer means "on disk".
public protocol DoorSettingsStore: Sendable {
    /// Nil when nothing was ever set.
    func doorSettings() async throws -> DoorSettings?
    func setDoorSettings(_ settings: DoorSettings) async throws
}

extension IdentityService {
    /// What holds now; until something is set, what the configuration says.
    public var door: DoorSettings { state.withLock { $0.door } }

    public func setDoor(_ settings: DoorSettings) async throws(IdentityError) {
        guard let doorStore else { throw .storeFailed }
        try await stored { try await doorStore.setDoorSettings(settings) }
        state.withLock { $0.door = settings }
    }

    /// Takes up what was set, here before the last start or by another process since.
    public func reloadDoor() async throws(IdentityError) {
        guard let doorStore else { return }
        if let settings = try await stored({ try await doorStore.doorSettings() }) {
            state.withLock { $0.door = settings }
        }
    }
}
