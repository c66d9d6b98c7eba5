import Glibc

/// How much random tests do, and from which seeds.
package enum Scale {
    package static let factor = testScale

    /// One seed when `CODUEL_TEST_SEED` names it, else `count` × the scale; `offset` tells suites apart.
    package static func seeds(_ count: Int, offset: UInt64) -> [UInt64] {
        if let seed = getenv("CODUEL_TEST_SEED").flatMap({ UInt64(String(cString: $0)) }) { return [seed] }
        return (0..<count * factor).map { UInt64($0) &* 0x9E37_79B9 &+ offset }
    }

    package static func rerun(_ seed: UInt64, _ filter: String) -> String {
        "seed \(seed); again: CODUEL_TEST_SEED=\(seed) swift test --filter \(filter)"
    }
}
