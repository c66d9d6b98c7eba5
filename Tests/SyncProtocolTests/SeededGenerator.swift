import Glibc

/// SplitMix64 (Steele, Lea, Flood 2014), seeded anew for each run unless `CODUEL_TEST_SEED` names a seed.
struct SeededGenerator: RandomNumberGenerator, CustomStringConvertible {
    let seed: UInt64
    private var state: UInt64

    init() {
        let stated = getenv("CODUEL_TEST_SEED").flatMap { UInt64(String(cString: $0)) }
        seed = stated ?? UInt64.random(in: 0...UInt64.max)
        state = seed
    }

    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xbf58_476d_1ce4_e5b9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
        return mixed ^ (mixed >> 31)
    }

    /// How to run a failed test again.
    var description: String { "again with CODUEL_TEST_SEED=\(seed) swift test --filter SyncProtocolTests" }
}

/// How much more than usual random tests do: `CODUEL_TEST_SCALE`, 1 unless set.
let testScale =
    getenv("CODUEL_TEST_SCALE").flatMap { Int(String(cString: $0)) }.map { min(max($0, 1), 1_000) } ?? 1
