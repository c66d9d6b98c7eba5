import CRDT
import Testing

/// What Yjs 13.6.31 does, recorded step by step in `fixtures/yjs`: the engine must give the same bytes and
/// values.
@Suite struct YjsFixtureTests {
    @Test(arguments: Fixture.all) func sameAsYjs(_ fixture: Fixture) {
        let world = FixtureWorld()
        for (index, step) in fixture.steps.enumerated() {
            let place = "\(fixture.file), \(fixture.row), \(fixture.name), step \(index) \(step.name)"
            do {
                let result = try world.run(
                    step.name, Arguments(values: step.arguments), expected: step.result)
                if step.name == "refuse" { continue }
                #expect(result?.sortedJSON == step.result?.sortedJSON, "\(place)")
            } catch {
                Issue.record("\(place): \(error)")
                return
            }
        }
        #expect(!fixture.steps.isEmpty, "\(fixture.file): no steps")
    }

    @Test func everyRowHasACase() {
        let rows = Set(Fixture.all.map(\.row))
        let missing = FixtureRows.all.filter { !rows.contains($0) }
        let unknown = rows.subtracting(FixtureRows.all).sorted()
        #expect(missing.isEmpty && unknown.isEmpty, "without a case: \(missing), not in the list: \(unknown)")
    }
}
