import Glibc

/// `SplitMix64`, seeded anew for each run unless `CODUEL_TEST_SEED` names a seed.
package struct SeededGenerator: RandomNumberGenerator, CustomStringConvertible {
    package let seed: UInt64
    private var state: SplitMix64
    private let target: String

    /// - Parameter file: the test's file, which names the target to run again.
    package init(file: String = #fileID) {
        target = String(file.prefix { $0 != "/" })
        let stated = getenv("CODUEL_TEST_SEED").flatMap { UInt64(String(cString: $0)) }
        seed = stated ?? UInt64.random(in: 0...UInt64.max)
        state = SplitMix64(seed: seed)
    }

    package mutating func next() -> UInt64 { state.next() }

    /// How to run a failed test again.
    package var description: String { "again with CODUEL_TEST_SEED=\(seed) swift test --filter \(target)" }
}

/// How much more than usual random tests do: `CODUEL_TEST_SCALE`, 1 unless set.
package let testScale =
    getenv("CODUEL_TEST_SCALE").flatMap { Int(String(cString: $0)) }.map { min(max($0, 1), 1_000) } ?? 1
