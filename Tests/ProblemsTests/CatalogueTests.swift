import Problems
import Testing

@Suite struct CatalogueTests {
    @Test func importsAllOrNothing() async throws {
        let store = MemoryProblemStore()
        let catalogue = ProblemCatalogue(store: store)
        let bad = package("bad", ["problem.yaml": "nmae: x\n", "data/secret/1.ans": absent])
        await #expect {
            _ = try await catalogue.importPackages([package(), bad], publish: true, atMs: 1)
        } throws: { error in
            let faults = (error as? ProblemsError)?.faults.map(\.path) ?? []
            return faults.contains("bad/problem.yaml") && faults.contains("bad/data/secret/1.in")
        }
        #expect(try await catalogue.count() == 0)
        let imported = try await catalogue.importPackages([package()], publish: false, atMs: 2)
        #expect(imported.map(\.summary.published) == [false] && imported.first?.tests == 2)
        #expect(try await catalogue.list(ProblemQuery()).isEmpty)
        _ = try await catalogue.importPackages([package()], publish: true, atMs: 3)
        _ = try await catalogue.importPackages([package()], publish: false, atMs: 4)
        #expect(try await catalogue.summary("sums")?.published == true)
        #expect(try await catalogue.summary("sums")?.updatedAtMs == 4)
    }

    @Test func readsOnceAndForgetsOnImport() async throws {
        let store = MemoryProblemStore()
        let writer = ProblemCatalogue(store: store)
        _ = try await writer.importPackages([package()], publish: true, atMs: 1)
        let catalogue = ProblemCatalogue(store: store)
        #expect(try await catalogue.problem("sums")?.title == "Sums")
        #expect(try await catalogue.problem("sums")?.title == "Sums")
        #expect(await store.treeReads == 1)
        #expect(try await catalogue.problem("other") == nil)
        _ = try await catalogue.importPackages(
            [package("sums", ["problem.yaml": "name: New\n"])], publish: true, atMs: 2)
        #expect(try await catalogue.problem("sums")?.title == "New")
        // Another process replaces it.
        _ = try await writer.importPackages(
            [package("sums", ["problem.yaml": "name: Newer\n"])], publish: true, atMs: 3)
        #expect(try await catalogue.problem("sums")?.title == "Newer")
    }

    @Test func picksByTopicDifficultyAndNovelty() async throws {
        let catalogue = ProblemCatalogue(store: MemoryProblemStore())
        func tree(_ name: String, _ keywords: String, type: String = "pass-fail") -> PackageTree {
            package(name, ["problem.yaml": "name: x\ntype: \(type)\nkeywords: \(keywords)\n"])
        }
        _ = try await catalogue.importPackages(
            [
                tree("a", "difficulty:1 greedy"), tree("b", "difficulty:4 greedy"),
                tree("c", "difficulty:5 graphs"),
                tree("d", "difficulty:5 graphs", type: "scoring"),
            ], publish: true, atMs: 1)
        _ = try await catalogue.importPackages(
            [tree("hidden", "difficulty:3 secret")], publish: false, atMs: 1)
        func pick(_ topics: [String], _ difficulty: Int?, _ excluding: Set<String>, _ random: UInt64 = 0)
            async throws
            -> String?
        {
            try await catalogue.pick(
                topics: topics, nearDifficulty: difficulty, excluding: excluding, random: random)
        }
        #expect(try await pick(["greedy"], 5, []) == "b")
        #expect(try await pick(["greedy"], 5, ["b"]) == "a")
        #expect(try await pick(["unknown"], 1, []) == "a")
        #expect(try await pick([], 5, ["a", "b", "c", "d"]) == "c")
        // Scoring problems decide no battle.
        for random in 0..<20 as Range<UInt64> { #expect(try await pick(["graphs"], nil, [], random) == "c") }
        let any = try await (0..<50 as Range<UInt64>).asyncMap { try await pick([], nil, [], $0) }
        #expect(Set(any) == ["a", "b", "c"])
    }
}

extension Sequence {
    fileprivate func asyncMap<Result>(_ transform: (Element) async throws -> Result) async throws -> [Result]
    {
        var results: [Result] = []
        for element in self { results.append(try await transform(element)) }
        return results
    }
}

private actor MemoryProblemStore: ProblemStore {
    private var rows: [String: (ProblemSummary, PackageTree)] = [:]
    private(set) var treeReads = 0

    func save(_ summary: ProblemSummary, tree: PackageTree) { rows[summary.id] = (summary, tree) }

    func setPublished(_ published: Bool, of id: String, atMs: Int64) -> ProblemSummary? {
        rows[id]?.0.published = published
        return rows[id]?.0
    }
    func problem(_ id: String) -> ProblemSummary? { rows[id]?.0 }

    func problems(matching query: ProblemQuery) -> [ProblemSummary] {
        let all = rows.values.map(\.0).sorted { $0.id < $1.id }
        return Array(
            all.filter { (!query.publishedOnly || $0.published) && $0.id > query.cursor ?? "" }.prefix(
                query.limit))
    }

    func tree(_ id: String) -> PackageTree? {
        treeReads += 1
        return rows[id]?.1
    }

    func count() -> Int { rows.count }
}
