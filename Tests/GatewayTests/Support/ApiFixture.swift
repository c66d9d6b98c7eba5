import Foundation
import Gateway
import Identity
import Judging
import Matchmaking
import Problems
import StorageSQLite

/// Runs every program as if it printed `answer` at once.
private struct ScriptedExecutor: ProgramExecutor {
    var answer: String

    let languages = LanguageTable([
        Language(
            id: "cpp", name: "C++", fileName: "main.cpp", suffixes: ["cpp"], aliases: ["cpp"]),
        Language(
            id: "python", name: "Python 3", fileName: "main.py", suffixes: ["py"], aliases: ["python3"]),
    ])

    func installedLanguages() async -> [String] { ["python", "cpp"] }

    func compile(language: String, source: [UInt8], files: [String: [UInt8]]) async -> CompileResult {
        CompileResult(
            program: CompiledProgram(language: language, artefact: source),
            execution: ExecutionResult(end: .exited, exitCode: 0))
    }

    func run(_ program: CompiledProgram, standardInput: [UInt8], limits: ExecutionLimits) async
        -> ExecutionResult
    {
        ExecutionResult(
            end: .exited, exitCode: 0, cpuTimeMs: 3, wallTimeMs: 4, memoryBytes: 1_000_000,
            standardOutput: Array(answer.utf8), layers: ["scripted"])
    }

    func validate(
        _ call: ValidatorCall, output: [UInt8], limits: ExecutionLimits
    ) async -> ValidatorResult {
        let isRight = if case .output(_, let answer) = call.subject { output == answer } else { true }
        return ValidatorResult(
            execution: ExecutionResult(end: .exited, exitCode: 0), exitCode: isRight ? 42 : 43)
    }

    func interact(
        _ program: CompiledProgram, limits: ExecutionLimits, with call: ValidatorCall,
        validatorLimits: ExecutionLimits
    ) async -> Interaction {
        Interaction(
            submission: await run(program, standardInput: [], limits: limits),
            validator: await validate(call, output: Array(answer.utf8), limits: validatorLimits),
            validatorEndedFirst: true)
    }
}

/// The whole interface over real stores in a folder of its own; only the sandbox is scripted.
struct ApiFixture: Sendable {
    var server: TestServer
    var identity: IdentityService
    var catalogue: ProblemCatalogue
    var director: MatchDirector
    var events: UserEvents
    var readiness: Readiness

    /// Registers and logs in; the access token and the user's id.
    func account(_ handle: String) async throws -> (token: String, id: String) {
        let made = try await server.post(
            "/api/v1/users",
            #"{"handle":"\#(handle)","email":"\#(handle)@example.org","password":"correct horse"}"#)
        let session = try await server.post(
            "/api/v1/sessions", #"{"login":"\#(handle)","password":"correct horse"}"#)
        guard let token = session.json["access_token"] as? String, let id = made.json["id"] as? String else {
            throw RawHTTPError(message: "no account: \(made.text) \(session.text)")
        }
        return (token, id)
    }

    /// An account with a role, as the command line makes them.
    func staff(_ handle: String, _ role: Role) async throws -> String {
        _ = try await identity.createUser(handle: handle, role: role, password: "correct horse")
        return try await identity.logIn(login: handle, password: "correct horse").accessToken
    }

    static let routesSettings = GatewaySettings(
        port: 0,
        openAPI: try? String(
            contentsOf: URL(filePath: #filePath).deletingLastPathComponent()
                .appending(path: "../../../protocol/openapi.yaml").standardizedFileURL, encoding: .utf8))

    static func with<Result: Sendable>(
        settings: GatewaySettings = routesSettings, answer: String = "3\n",
        _ body: @escaping @Sendable (ApiFixture) async throws -> Result
    ) async throws -> Result {
        try await withTemporaryFolder { folder in
            let database = try CoduelDatabase.open(folder: folder)
            let made = try await services(database, answer: answer)
            let identity = made.identity
            let gateway = GatewayServer(
                routes: made.routes(settings),
                authenticate: { token in
                    token.hasPrefix(PersonalToken.prefix)
                        ? try await identity.authenticate(personalToken: token)
                        : try await identity.authenticate(accessToken: token)
                },
                idempotency: made.idempotency, settings: settings, metrics: made.metrics, now: made.now)
            let result = try await withServer(gateway) { server in
                try await body(
                    ApiFixture(
                        server: server, identity: made.identity, catalogue: made.catalogue,
                        director: made.matchmaking, events: made.events, readiness: made.readiness))
            }
            try database.close()
            return result
        }
    }

    static func services(_ database: CoduelDatabase, answer: String) async throws -> ApiServices {
        let now: @Sendable () -> Int64 = { Int64(Date().timeIntervalSince1970 * 1_000) }
        let randomBytes: @Sendable (Int) -> [UInt8] = { count in
            var generator = SystemRandomNumberGenerator()
            return (0..<count).map { _ in UInt8.random(in: 0...255, using: &generator) }
        }
        let newID: @Sendable () -> String = {
            UUIDv7.make(atMs: now(), randomBytes: randomBytes(UUIDv7.randomByteCount))
        }
        let identity = try await IdentityService.start(
            accounts: AccountStoreSQLite(database), sessions: SessionStoreSQLite(database),
            keys: SigningKeyStoreSQLite(database), bans: BanStoreSQLite(database),
            people: PeopleStores(
                codes: OneTimeCodeStoreSQLite(database), tokens: PersonalTokenStoreSQLite(database),
                data: PersonalDataSQLite(database)),
            // As cheap as Argon2 gets: these tests are about answers, not about passwords.
            settings: IdentitySettings(passwordHash: PasswordHash(memoryKiB: 64, passes: 1, lanes: 1)),
            environment: IdentityEnvironment(now: now, randomBytes: randomBytes))
        let catalogue = ProblemCatalogue(store: ProblemStoreSQLite(database))
        let submissions = SubmissionStoreSQLite(database)
        let executor = ScriptedExecutor(answer: answer)
        let judge = JudgeService(
            executor: executor, submissions: submissions, catalogue: catalogue,
            workers: 2,
            now: now, newID: newID)
        let director = MatchDirector(
            store: MatchmakingStoreSQLite(database),
            settings: MatchSettings(languages: Set(executor.languages.all.map(\.id))),
            ports: MatchPorts(
                createRoom: { _ in newID() }, onMatched: { _, _ in }, now: now, newTicketID: newID,
                pause: { try await Task.sleep(for: .milliseconds($0)) }))
        return ApiServices(
            identity: identity,
            profiles: ProfileService(
                store: ProfileStoreSQLite(database), identity: identity,
                isTimeZone: { TimeZone(identifier: $0) != nil }),
            languages: executor.languages, idempotency: IdempotencyStoreSQLite(database),
            catalogue: catalogue,
            readPackage: { try package(from: $0) }, judge: judge, submissions: submissions,
            rejudging: Rejudging(
                executor: executor, store: submissions, catalogue: catalogue, now: now, newID: newID),
            judgements: submissions, matchmaking: director,
            events: UserEvents(run: "run1"), metrics: Metrics(), readiness: Readiness(),
            canSeeSubmission: { _, _ in false },
            roomSource: { _, _, _, _ in throw HTTPProblem.notFound("There is no such room.") }, newID: newID,
            now: now)
    }

    /// Stands in for the zip reader, which has tests of its own: the body is the package's short name.
    private static func package(from bytes: [UInt8]) throws -> PackageTree {
        let name = String(decoding: bytes, as: UTF8.self)
        guard name.allSatisfy({ $0.isLetter || $0.isNumber }) else {
            throw ProblemsError(
                code: .unreadablePackage, message: "not a zip",
                faults: [PackageFault(path: "", message: "is not a zip file")])
        }
        return sum(name)
    }

    /// A small valid problem: print the sum of two numbers.
    static func sum(_ name: String, title: String = "Sum of two", difficulty: Int = 2) -> PackageTree {
        let files = [
            "problem.yaml":
                "name: \(title)\nlicense: public domain\nkeywords: [math, \"difficulty:\(difficulty)\"]\n",
            "problem_statement/problem.en.md": "# \(title)\n\nPrint the sum of the two numbers.\n",
            "data/sample/1.in": "1 2\n", "data/sample/1.ans": "3\n",
            "data/secret/01.in": "20 22\n", "data/secret/01.ans": "42\n",
        ]
        return PackageTree(shortName: name, files: files.mapValues { Array($0.utf8) })
    }

    /// Asks again until `condition` holds, for at most ten seconds.
    func wait(for target: String, token: String, until condition: (RawAnswer) -> Bool) async throws
        -> RawAnswer
    {
        for _ in 0..<200 {
            let answer = try await server.get(target, token: token)
            if condition(answer) { return answer }
            try await Task.sleep(for: .milliseconds(50))
        }
        throw RawHTTPError(message: "\(target) never came to what was waited for")
    }
}
