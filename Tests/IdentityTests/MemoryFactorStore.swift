import Identity
import Synchronization

final class MemoryFactorStore: SecondFactorStore {
    private let state = Mutex<[String: SecondFactor]>([:])

    func factor(of userID: String) async throws -> SecondFactor? { state.withLock { $0[userID] } }

    func set(_ factor: SecondFactor?, of userID: String) async throws {
        state.withLock { $0[userID] = factor }
    }

    func useStep(_ step: Int64, of userID: String) async throws -> Bool {
        state.withLock { factors in
            guard let factor = factors[userID], factor.lastStep ?? .min < step else { return false }
            factors[userID]?.lastStep = step
            return true
        }
    }

    func useRecovery(_ hash: [UInt8], of userID: String) async throws -> Bool {
        state.withLock { factors in
            guard let index = factors[userID]?.recoveryHashes.firstIndex(of: hash) else { return false }
            factors[userID]?.recoveryHashes.remove(at: index)
            return true
        }
    }
}
