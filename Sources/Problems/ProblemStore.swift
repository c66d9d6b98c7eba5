/// What a catalogue shows of a problem without opening its package.
public struct ProblemSummary: Sendable, Equatable {
    public var id: String
    public var title: String
    /// 1 (first exercise) … 10 (hard); from the package's keywords (`difficulty:N`), else 5.
    public var difficulty: Int
    public var topics: [String]
    public var published: Bool
    public var updatedAtMs: Int64

    public init(
        id: String, title: String, difficulty: Int, topics: [String], published: Bool, updatedAtMs: Int64
    ) {
        self.id = id
        self.title = title
        self.difficulty = difficulty
        self.topics = topics
        self.published = published
        self.updatedAtMs = updatedAtMs
    }
}

/// Selection of a catalogue page. `cursor` is the id of the last problem of the page before, exclusive; pages are
/// ordered by id.
public struct ProblemQuery: Sendable {
    public var topic: String?
    public var difficulty: Int?
    /// Case-insensitive part of the title or id.
    public var text: String?
    public var publishedOnly: Bool
    public var cursor: String?
    public var limit: Int

    public init(
        topic: String? = nil, difficulty: Int? = nil, text: String? = nil, publishedOnly: Bool = true,
        cursor: String? = nil, limit: Int = 50
    ) {
        self.topic = topic
        self.difficulty = difficulty
        self.text = text
        self.publishedOnly = publishedOnly
        self.cursor = cursor
        self.limit = limit
    }
}

/// Keeps problems and the files of their packages.
public protocol ProblemStore: Sendable {
    /// Stores or replaces a problem and its files in one transaction: all of it or nothing.
    func save(_ summary: ProblemSummary, tree: PackageTree) async throws
    /// Shows a problem to everyone or hides it; its package is left alone. Nil when there is none.
    func setPublished(_ published: Bool, of id: String, atMs: Int64) async throws -> ProblemSummary?
    func problem(_ id: String) async throws -> ProblemSummary?
    func problems(matching query: ProblemQuery) async throws -> [ProblemSummary]
    func tree(_ id: String) async throws -> PackageTree?
    func count() async throws -> Int
}
