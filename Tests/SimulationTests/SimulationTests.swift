import CRDT
import Rooms
import TestSupport
import Testing

/// Whole lives of a room with its log and its clients, on a simulated network, disk and clock: one seed, one run.
///
/// Checked all the time: nothing is sent that is not on disk, and the log has no holes. Checked at every load: all that
/// any client was told of is there. In the end, when faults have stopped: everyone has the same, and it is what the
/// log says; no honest client was ever refused.
@Suite struct SimulationTests {
    @Test(arguments: Scale.seeds(1_000, offset: 5))
    func honestLogsLoseNothing(seed: UInt64) {
        run(seed, Self.plan(seed), "honestLogsLoseNothing")
    }

    /// Records and snapshots that were on disk are damaged. What is lost is said, and everything else is there.
    @Test(arguments: Scale.seeds(200, offset: 6))
    func damagedLogsAreRecovered(seed: UInt64) {
        var plan = Self.plan(seed)
        plan.rots = true
        run(seed, plan, "damagedLogsAreRecovered")
    }

    private static func plan(_ seed: UInt64) -> Simulation.Plan {
        let kinds: [RoomKind] = [.pair, .pair, .open, .battle]
        return Simulation.Plan(kind: kinds[Int(seed / 7 % 4)])
    }

    private func run(_ seed: UInt64, _ plan: Simulation.Plan, _ test: String) {
        let simulation = Simulation(seed: seed, plan)
        simulation.run()
        let faults = simulation.world.faults
        #expect(
            faults.isEmpty, Comment(rawValue: "\(faults.joined(separator: "\n"))\n\(Scale.rerun(seed, test))")
        )
    }

    /// The same seed is the same run: what failed can be looked at again.
    @Test func aSeedIsARun() {
        func run() -> [[UInt8]] {
            let simulation = Simulation(seed: 77, Self.plan(77))
            simulation.run()
            return simulation.server.disk.rows.map(\.record.payload)
        }
        let first = run()
        #expect(first.count > 10 && first == run())
    }
}
