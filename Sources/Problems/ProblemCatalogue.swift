/// One package that an import took.
public struct ImportedProblem: Sendable, Equatable {
    public var summary: ProblemSummary
    public var tests: Int
    public var timeLimitMs: Int
    public var timeLimitSource: TimeLimitSource
}

/// The problems of this installation: parsed once, kept in memory within bounds, read from the store otherwise.
public actor ProblemCatalogue {
    private let store: any ProblemStore
    private var cache: [String: (problem: Problem, updatedAtMs: Int64)] = [:]
    /// Ids in the cache, least recently used first.
    private var recency: [String] = []
    private var cachedBytes = 0
    private let convert: StatementConverter

    /// - Parameter convert: makes HTML of LaTeX statements.
    public init(store: any ProblemStore, convert: @escaping StatementConverter = { _ in nil }) {
        self.store = store
        self.convert = convert
    }

    /// The problem with that id, published or not; nil when there is none. A problem that another process replaced is
    /// seen at once: each call reads the catalogue's line, and the package only when that line is newer.
    public func problem(_ id: String) async throws(ProblemsError) -> Problem? {
        guard let line = try await summary(id) else {
            forget(id)
            return nil
        }
        if let cached = cache[id], cached.updatedAtMs == line.updatedAtMs {
            touch(id)
            return cached.problem
        }
        guard let tree = try await reading({ try await self.store.tree(id) }) else { return nil }
        // Problems are stored only when they parse, but perhaps by another version of this program.
        let problem = await (try PackageParser.parse(tree)).converted(by: convert)
        remember(problem, updatedAtMs: line.updatedAtMs)
        return problem
    }

    /// The package of a problem, as it was imported; nil when there is none.
    public func tree(_ id: String) async throws(ProblemsError) -> PackageTree? {
        try await reading { try await self.store.tree(id) }
    }

    /// The catalogue's line about one problem, with whether it is published.
    public func summary(_ id: String) async throws(ProblemsError) -> ProblemSummary? {
        try await reading { try await self.store.problem(id) }
    }

    /// One page, ordered by id.
    public func list(_ query: ProblemQuery) async throws(ProblemsError) -> [ProblemSummary] {
        var query = query
        query.limit = min(max(1, query.limit), Limits.pageSize)
        let bounded = query
        return try await reading { try await self.store.problems(matching: bounded) }
    }

    /// Shows a problem to everyone, or to its authors alone; rooms that have it keep it. Nil when there is none.
    public func setPublished(
        _ published: Bool, _ id: String, atMs: Int64
    ) async throws(ProblemsError) -> ProblemSummary? {
        try await reading { try await self.store.setPublished(published, of: id, atMs: atMs) }
    }

    public func count() async throws(ProblemsError) -> Int {
        try await reading { try await self.store.count() }
    }

    /// Parses and stores packages. All of them are checked before any is stored, so that a fault in one leaves the
    /// catalogue as it was; a problem that is there already is replaced, and stays published when it was.
    ///
    /// - Throws: `invalidPackage` with the faults of all packages, each path prefixed by its package's name.
    public func importPackages(
        _ trees: [PackageTree], publish: Bool, atMs: Int64
    ) async throws(ProblemsError) -> [ImportedProblem] {
        let problems = try parseAll(trees)
        var imported: [ImportedProblem] = []
        for (problem, tree) in zip(problems, trees) {
            let wasPublished = try await summary(problem.id)?.published ?? false
            let line = problem.summary(published: publish || wasPublished, updatedAtMs: atMs)
            try await reading { try await self.store.save(line, tree: tree) }
            // Its statement is converted when it is first asked for.
            forget(problem.id)
            imported.append(
                ImportedProblem(
                    summary: line, tests: problem.tests.count, timeLimitMs: problem.timeLimitMs,
                    timeLimitSource: problem.timeLimitSource))
        }
        return imported
    }

    /// Picks a published pass-fail problem for a battle: one of the `topics` when any is given and one exists, not of
    /// the `excluding` ones unless nothing else is left, and of those the ones whose difficulty is closest to
    /// `nearDifficulty`; `random` chooses among equals. Nil when the catalogue holds none.
    public func pick(
        topics: [String], nearDifficulty: Int?, excluding: Set<String>, random: UInt64
    ) async throws(ProblemsError) -> String? {
        let published = try await allPublished()
        let fresh = published.filter { !excluding.contains($0.id) }
        var candidates = fresh.isEmpty ? published : fresh
        if !topics.isEmpty {
            let wanted = Set(topics)
            let fitting = candidates.filter { !wanted.isDisjoint(with: $0.topics) }
            if !fitting.isEmpty { candidates = fitting }
        }
        var remaining = random
        while !candidates.isEmpty {
            let gaps = candidates.map { candidate in
                nearDifficulty.map { abs(candidate.difficulty - $0) } ?? 0
            }
            let closest = gaps.min() ?? 0
            let equals = zip(candidates, gaps).filter { $0.1 == closest }.map(\.0.id)
            let choice = equals[Int(remaining % UInt64(equals.count))]
            // A score has no first accepted submission to win by, and players race with programs. One that no longer
            // parses is passed over, too.
            if let problem = try? await problem(choice), !problem.isScoring, !problem.kind.isSubmitAnswer {
                return choice
            }
            candidates.removeAll { $0.id == choice }
            remaining = remaining &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            remaining ^= remaining >> 33
        }
        return nil
    }

    private func allPublished() async throws(ProblemsError) -> [ProblemSummary] {
        var all: [ProblemSummary] = []
        var cursor: String?
        for _ in 0..<Limits.pickPages {
            let page = try await list(ProblemQuery(cursor: cursor, limit: Limits.pageSize))
            all += page
            guard page.count == Limits.pageSize, let last = page.last else { break }
            cursor = last.id
        }
        return all
    }

    private func parseAll(_ trees: [PackageTree]) throws(ProblemsError) -> [Problem] {
        var problems: [Problem] = []
        var faults: [PackageFault] = []
        for tree in trees {
            do throws(ProblemsError) {
                problems.append(try PackageParser.parse(tree))
            } catch {
                faults += error.faults.map {
                    PackageFault(
                        path: $0.path.isEmpty ? tree.shortName : "\(tree.shortName)/\($0.path)",
                        message: $0.message)
                }
            }
        }
        let names = trees.map(\.shortName)
        for name in Set(names).sorted() where names.count(where: { $0 == name }) > 1 {
            faults.append(PackageFault(path: name, message: "is given twice"))
        }
        guard faults.isEmpty else {
            throw ProblemsError(code: .invalidPackage, message: "nothing was imported", faults: faults)
        }
        return problems
    }

    private func reading<Value: Sendable>(
        _ body: @Sendable () async throws -> Value
    ) async throws(ProblemsError) -> Value {
        do {
            return try await body()
        } catch let error as ProblemsError {
            throw error
        } catch {
            throw ProblemsError(code: .unavailable, message: "the problem store failed: \(error)")
        }
    }

    // MARK: Cache

    private func touch(_ id: String) {
        guard let index = recency.firstIndex(of: id) else { return }
        recency.append(recency.remove(at: index))
    }

    private func remember(_ problem: Problem, updatedAtMs: Int64) {
        forget(problem.id)
        guard problem.testBytes <= Limits.cachedBytes else { return }
        cache[problem.id] = (problem, updatedAtMs)
        recency.append(problem.id)
        cachedBytes += problem.testBytes
        while cache.count > Limits.cachedProblems || cachedBytes > Limits.cachedBytes,
            let oldest = recency.first
        {
            forget(oldest)
        }
    }

    private func forget(_ id: String) {
        guard let entry = cache.removeValue(forKey: id) else { return }
        cachedBytes -= entry.problem.testBytes
        recency.removeAll { $0 == id }
    }
}
