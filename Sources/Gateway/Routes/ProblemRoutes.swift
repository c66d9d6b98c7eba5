import Hummingbird
import Identity
import NIOCore
import Problems
import Rooms

/// The catalogue, and drafts of its authors.
package enum ProblemRoutes {
    /// Turns the bytes of a zip into a package tree; throws `ProblemsError`.
    package typealias PackageReader = @Sendable (_ zip: [UInt8]) async throws -> PackageTree

    /// Writes a package as a zip; throws `ProblemsError`.
    package typealias PackageWriter = @Sendable (_ tree: PackageTree) async throws -> [UInt8]

    /// Who may see problems that are not published, and add some.
    static let authors: Set<Role> = [.author, .moderator, .admin]

    /// Of kept answers that are made from the catalogue.
    package static let cacheTag = "problems"
    /// Authors see drafts too.
    private static let cached = CacheRule(tag: cacheTag) { isAuthor($0) ? "author" : "" }

    package static func routes(
        catalogue: ProblemCatalogue, readPackage: @escaping PackageReader,
        writePackage: @escaping PackageWriter,
        now: @escaping @Sendable () -> Int64
    ) -> [Route] {
        [
            Route(.get, "/api/v1/problems", access: .optional, cache: cached) { request, context in
                .json(try await page(of: catalogue, request, context.caller))
            },
            Route(.get, "/api/v1/problems/{id}", access: .optional, cache: cached) { _, context in
                let found = try await visible(try context.parameter("id"), to: context.caller, in: catalogue)
                return .json(ProblemReply(found.problem, found.summary))
            },
            Route(.get, "/api/v1/problems/{id}/images/{name}", access: .optional) { _, context in
                let problem = try await visible(
                    try context.parameter("id"), to: context.caller, in: catalogue
                ).problem
                guard let image = problem.images[try context.parameter("name")] else {
                    throw HTTPProblem.notFound("There is no such picture.")
                }
                return imageReply(image, isPublic: context.caller == nil)
            },
            Route(.get, "/api/v1/problems/{id}/package", access: .roles(authors), limits: [.uploads]) {
                _, context in
                guard let tree = try await catalogue.tree(try context.parameter("id")) else {
                    throw HTTPProblem.notFound("There is no such problem.")
                }
                return Response(
                    status: .ok,
                    headers: [
                        .contentType: "application/zip", .cacheControl: "no-store",
                        .contentDisposition: "attachment; filename=\"\(tree.shortName).zip\"",
                    ], body: .init(byteBuffer: ByteBuffer(bytes: try await writePackage(tree))))
            },
            Route(
                .post, "/api/v1/problems/{id}/retire", access: .moderators,
                body: .json(limit: GatewayLimits.jsonBody), limits: [.writes], changes: [cacheTag]
            ) { _, context in
                // Why is for the audit log, which keeps the body.
                _ = try context.decode(Reason.self)
                return .json(try await publish(false, context, catalogue, atMs: now()))
            },
            Route(
                .post, "/api/v1/problems/{id}/publish", access: .moderators,
                body: .json(limit: GatewayLimits.jsonBody), limits: [.writes], changes: [cacheTag]
            ) { _, context in .json(try await publish(true, context, catalogue, atMs: now())) },
            Route(
                .post, "/api/v1/problems", access: .roles(authors),
                body: .bytes(
                    limit: GatewayLimits.packageBody,
                    types: ["application/zip", "application/x-zip-compressed"]),
                limits: [.uploads], idempotent: true, changes: [cacheTag]
            ) { _, context in
                let tree = try await readPackage(Array(buffer: context.body))
                return try await addDraft(
                    tree, to: catalogue, caller: try context.requireCaller(), atMs: now())
            },
        ]
    }

    private struct Reason: Decodable { var reason: String }

    private static func publish(
        _ published: Bool, _ context: GatewayContext, _ catalogue: ProblemCatalogue, atMs: Int64
    ) async throws -> SummaryReply {
        let id = try context.parameter("id")
        guard let line = try await catalogue.setPublished(published, id, atMs: atMs) else {
            throw HTTPProblem.notFound("There is no such problem.")
        }
        return SummaryReply(line)
    }

    /// A problem that the caller may see: a published one, or any for authors. Throws 404 otherwise.
    static func visible(
        _ id: String, to caller: Caller?, in catalogue: ProblemCatalogue
    ) async throws -> (problem: Problem, summary: ProblemSummary) {
        guard let summary = try await catalogue.summary(id), summary.published || isAuthor(caller),
            let problem = try await catalogue.problem(id)
        else { throw HTTPProblem.notFound("There is no such problem.") }
        return (problem, summary)
    }

    /// The media type is that of the bytes, and the browser is told to believe nothing else.
    private static func imageReply(_ image: StatementImage, isPublic: Bool) -> Response {
        Response(
            status: .ok,
            headers: [
                .contentType: image.mediaType,
                .cacheControl: isPublic ? "public, max-age=3600" : "private, max-age=3600",
                .contentSecurityPolicy: "default-src 'none'; sandbox",
            ], body: .init(byteBuffer: ByteBuffer(bytes: image.bytes)))
    }

    static func isAuthor(_ caller: Caller?) -> Bool {
        caller.map { !$0.roles.isDisjoint(with: authors) } ?? false
    }

    private static func page(
        of catalogue: ProblemCatalogue, _ request: Request, _ caller: Caller?
    ) async throws -> PageReply<SummaryReply> {
        let page = try PageRequest(request)
        let parameters = QueryText(request)
        // The cursor is the id of a page's last problem.
        if let cursor = page.cursor, try await catalogue.summary(cursor) == nil {
            throw HTTPProblem.invalid("cursor", "is not a cursor of this list", code: "cursor")
        }
        var query = ProblemQuery(publishedOnly: !isAuthor(caller), cursor: page.cursor, limit: page.limit)
        query.topic = try text(parameters["topic"], "topic")
        query.text = try text(parameters["q"], "q")
        if let difficulty = parameters["difficulty"] {
            guard let value = Int(difficulty), (1...10).contains(value) else {
                throw HTTPProblem.invalid("difficulty", "is a number from 1 to 10", code: "range")
            }
            query.difficulty = value
        }
        let found = try await catalogue.list(query)
        var next: String?
        if found.count == page.limit, let last = found.last {
            query.cursor = last.id
            query.limit = 1
            if try await !catalogue.list(query).isEmpty { next = last.id }
        }
        return PageReply(items: found.map { SummaryReply($0) }, nextCursor: next)
    }

    private static func text(_ value: String?, _ name: String) throws(HTTPProblem) -> String? {
        guard let value, !value.isEmpty else { return nil }
        guard value.utf8.count <= GatewayLimits.queryTextBytes else {
            throw .invalid(name, "has at most \(GatewayLimits.queryTextBytes) bytes", code: "length")
        }
        return value
    }

    /// A problem that is in the catalogue already is replaced by moderators only: it may be somebody else's, and in
    /// use.
    private static func addDraft(
        _ tree: PackageTree, to catalogue: ProblemCatalogue, caller: Caller, atMs: Int64
    ) async throws -> Response {
        let mayReplace = !caller.roles.isDisjoint(with: [.moderator, .admin])
        if !mayReplace, try await catalogue.summary(tree.shortName) != nil {
            throw HTTPProblem.conflict("problem_exists", "There is a problem of that short name already.")
        }
        guard let added = try await catalogue.importPackages([tree], publish: false, atMs: atMs).first else {
            throw HTTPProblem.internalError
        }
        return .json(
            DraftReply(added), status: .created, headers: [.location: "/api/v1/problems/\(added.summary.id)"])
    }

    private struct SummaryReply: Encodable, Sendable {
        var id: String
        var title: String
        var difficulty: Int
        var topics: [String]
        var status: String
        var updatedAt: String

        init(_ summary: ProblemSummary) {
            id = summary.id
            title = summary.title
            difficulty = summary.difficulty
            topics = summary.topics
            status = summary.published ? "published" : "draft"
            updatedAt = timestamp(summary.updatedAtMs)
        }
    }

    private struct DraftReply: Encodable {
        var id: String
        var title: String
        var status: String
        var tests: Int
        var timeLimitMs: Int

        init(_ added: ImportedProblem) {
            id = added.summary.id
            title = added.summary.title
            status = added.summary.published ? "published" : "draft"
            tests = added.tests
            timeLimitMs = added.timeLimitMs
        }
    }

    private struct ProblemReply: Encodable {
        struct Statement: Encodable {
            var markdown: String
            var html: String
        }
        struct Limits: Encodable {
            var timeLimitMs: Int
            var memoryLimitBytes: Int64
            var outputLimitBytes: Int
            var codeLimitBytes: Int
        }
        struct Sample: Encodable {
            var input: String
            var answer: String
            @Nullable var interaction: String?
        }

        var id: String
        var title: String
        var difficulty: Int
        var topics: [String]
        var status: String
        var statement: Statement
        var limits: Limits
        var samples: [Sample]
        var isScoring: Bool
        var isInteractive: Bool
        var isSubmitAnswer: Bool
        var passes: Int
        @Nullable var languages: [String]?
        var maxScore: Double?
        var author: String
        var license: String
        var source: String
        var updatedAt: String

        init(_ problem: Problem, _ summary: ProblemSummary) {
            id = problem.id
            title = problem.title
            difficulty = problem.difficulty
            topics = problem.topics
            status = summary.published ? "published" : "draft"
            statement = Statement(markdown: problem.statementMarkdown, html: problem.statementHTML)
            limits = Limits(
                timeLimitMs: problem.timeLimitMs, memoryLimitBytes: problem.memoryLimitBytes,
                outputLimitBytes: problem.outputLimitBytes, codeLimitBytes: problem.codeLimitBytes)
            samples = problem.samples.map {
                Sample(input: $0.input, answer: $0.answer, interaction: $0.interaction)
            }
            isScoring = problem.isScoring
            isInteractive = problem.kind.isInteractive
            isSubmitAnswer = problem.kind.isSubmitAnswer
            passes = problem.kind.passes
            languages = problem.allowedLanguages
            maxScore = problem.maxScore
            author = problem.author
            license = problem.license
            source = problem.source
            updatedAt = timestamp(summary.updatedAtMs)
        }
    }
}
