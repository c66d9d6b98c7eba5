import Problems

/// A legacy package with one sample and some secret tests; inputs and answers are the numbers from 0 up.
func tree(_ name: String = "sums", secretTests: Int = 3, yaml: String = "", _ extra: [String: String] = [:])
    -> PackageTree
{
    var files: [String: String] = [
        "problem.yaml": "name: Sums\nlimits: {time_limit: 1}\n\(yaml)\n",
        "problem_statement/problem.en.md": "Add.\n",
        "data/sample/0.in": "0\n", "data/sample/0.ans": "0\n",
    ]
    for index in 0..<secretTests {
        files["data/secret/\(index + 1).in"] = "\(index + 1)\n"
        files["data/secret/\(index + 1).ans"] = "\(index + 1)\n"
    }
    files.merge(extra) { $1 }
    return PackageTree(shortName: name, files: files.mapValues { Array($0.utf8) })
}

func problem(_ tree: PackageTree = tree()) throws -> Problem { try PackageParser.parse(tree) }

actor MemoryProblemStore: ProblemStore {
    private var rows: [String: (ProblemSummary, PackageTree)] = [:]

    init(_ trees: [PackageTree]) {
        for tree in trees {
            let line = ProblemSummary(
                id: tree.shortName, title: tree.shortName, difficulty: 5, topics: [], published: true,
                updatedAtMs: 0)
            rows[tree.shortName] = (line, tree)
        }
    }

    func save(_ summary: ProblemSummary, tree: PackageTree) { rows[summary.id] = (summary, tree) }
    func setPublished(_ published: Bool, of id: String, atMs: Int64) -> ProblemSummary? {
        rows[id]?.0.published = published
        return rows[id]?.0
    }
    func problem(_ id: String) -> ProblemSummary? { rows[id]?.0 }
    func problems(matching query: ProblemQuery) -> [ProblemSummary] { rows.values.map(\.0) }
    func tree(_ id: String) -> PackageTree? { rows[id]?.1 }
    func count() -> Int { rows.count }
}
