import Problems

/// Takes submissions and custom runs, and judges them with a bounded number of workers, in turn between users.
///
/// A submission is on disk before `submit` returns, and is judged to its end: `start` takes up again what a stopped
/// process left. A judge error is tried once more; a second one is the verdict. One verdict is written a submission
/// whoever judges it, and however often: the store decides, and only whoever wrote it reports it.
public actor JudgeService {
    public typealias ProgressHandler =
        @Sendable (
            _ submission: Submission, _ testsPassed: Int, _ testsTotal: Int, _ status: SubmissionStatus
        ) async -> Void
    public typealias FinishHandler = @Sendable (_ submission: Submission) async -> Void
    /// Runs one attempt at judging a submission, once, and gives back what it gives: whether it is done.
    public typealias AttemptScope =
        @Sendable (_ submission: Submission, _ attempt: @Sendable () async throws -> Bool) async throws ->
        Bool
    public typealias FaultHandler = @Sendable (_ submissionID: String, _ message: String) async -> Void

    enum Job: Sendable {
        case submission(String, JobPriority)
        case run(String, language: String, source: [UInt8], input: [UInt8])
    }

    let executor: any ProgramExecutor
    let submissions: any SubmissionStore
    let catalogue: ProblemCatalogue
    let now: @Sendable () -> Int64
    let newID: @Sendable () -> String
    private let tools = ToolCache()
    private let workers: Int
    private let guestPlaces: GuestPlaces
    /// Guests who have jobs here.
    private var guests: Set<String> = []
    private var runningOfGuests = 0
    private var queue = JobQueue<Job>()
    /// Who watches submissions and runs here.
    public nonisolated let watches = SubmissionWatches()
    private var runningJobs = 0
    private var runningOf: [String: Int] = [:]
    /// Submissions queued or running here.
    private var known: Set<String> = []
    /// Places of the queue that a `submit` holds while it waits for the disk.
    private var reserved: [String: Int] = [:]
    /// Submissions that met a judge error or a failing store once.
    private var retried: Set<String> = []
    private var lastProgressMs: [String: Int64] = [:]
    private var isStopping = false
    private var idleWaiters: [CheckedContinuation<Void, Never>] = []
    var runs = RunBoard()

    private var onProgress: ProgressHandler?
    private var onFinished: FinishHandler?
    private var onFault: FaultHandler?
    private var around: AttemptScope = { _, attempt in try await attempt() }

    /// - Parameters:
    ///   - workers: jobs worked on at the same time; not more than the executor has places for.
    ///   - guestPlaces: how much of it guests may use.
    ///   - now: ms since 1970.
    ///   - newID: a new unguessable id for a run.
    public init(
        executor: any ProgramExecutor, submissions: any SubmissionStore, catalogue: ProblemCatalogue,
        workers: Int, guestPlaces: GuestPlaces = .unlimited,
        now: @escaping @Sendable () -> Int64, newID: @escaping @Sendable () -> String
    ) {
        self.executor = executor
        self.submissions = submissions
        self.catalogue = catalogue
        self.workers = max(1, workers)
        self.guestPlaces = guestPlaces
        self.now = now
        self.newID = newID
    }

    /// Sets who is told. Progress comes at most every `Limits.progressIntervalMs` a submission; the finish once, by the
    /// process that wrote the verdict (a process that dies in between never tells: readers of the store see it); faults
    /// are judge errors and failing stores, for the operator's log. `around` is for whoever measures attempts.
    public func observe(
        onProgress: ProgressHandler? = nil, onFinished: FinishHandler? = nil, onFault: FaultHandler? = nil,
        around: AttemptScope? = nil
    ) {
        if let around { self.around = around }
        self.onProgress = onProgress
        self.onFinished = onFinished
        self.onFault = onFault
    }

    /// Takes up every submission that is not finished, whatever the queue's bound: they were taken before.
    public func start() async throws(JudgingError) {
        let left: [Submission]
        do {
            left = try await submissions.unfinished()
        } catch {
            throw JudgingError(.unavailable, "the submission store failed: \(error)")
        }
        for submission in left {
            await recognise(submission.userID)
            enqueue(submission)
        }
    }

    /// Stores and queues a submission; returns when it is on disk. One with an id that was taken before changes
    /// nothing.
    public func submit(_ submission: Submission) async throws(JudgingError) {
        guard !known.contains(submission.id) else { return }
        try await check(submission)
        await recognise(submission.userID)
        try reserve(submission.userID)
        defer { release(submission.userID) }
        do {
            let isNew = try await submissions.insert(submission)
            if !isNew, try await submissions.submission(submission.id)?.status == .finished { return }
        } catch {
            throw JudgingError(.unavailable, "the submission store failed: \(error)")
        }
        enqueue(submission)
    }

    /// From now on takes no more work and writes no judge error: what breaks because the process ends, the sandbox with
    /// it, stays unfinished and is judged again by the next `start`.
    public func beginStopping() {
        isStopping = true
        watches.close()
    }

    /// Takes no more work and returns when the jobs in hand are done. What waits is taken up by the next `start`.
    public func stop() async {
        beginStopping()
        guard runningJobs > 0 else { return }
        await withCheckedContinuation { idleWaiters.append($0) }
    }

    /// Jobs waiting and running now.
    public var load: (waiting: Int, running: Int) { (queue.count, runningJobs) }

    // MARK: Admission

    private func check(_ submission: Submission) async throws(JudgingError) {
        let problem: Problem?
        do throws(ProblemsError) {
            problem = try await catalogue.problem(submission.problemID)
        } catch {
            throw JudgingError(.unavailable, error.message)
        }
        guard let problem else {
            throw JudgingError(.problemNotFound, "there is no problem \(submission.problemID)")
        }
        try await checkLanguage(submission.language, of: problem)
        guard submission.source.utf8.count <= problem.codeLimitBytes else {
            throw JudgingError(.sourceTooLarge, "the source is larger than \(problem.codeLimitBytes) bytes")
        }
    }

    /// Answers to a problem of type submit-answer are in no language; a program that prints them counts, too.
    private func checkLanguage(_ id: String, of problem: Problem) async throws(JudgingError) {
        if problem.kind.isSubmitAnswer, id == AnswerText.language { return }
        try await checkLanguage(id)
        guard executor.languages.allows(id, in: problem) else {
            let allowed = problem.allowedLanguages ?? []
            throw JudgingError(
                .languageNotAllowed, "the problem allows only \(allowed.joined(separator: ", "))")
        }
    }

    func checkLanguage(_ id: String) async throws(JudgingError) {
        guard executor.languages.all.contains(where: { $0.id == id }) else {
            throw JudgingError(.unknownLanguage, "the language is not known")
        }
        guard await executor.installedLanguages().contains(id) else {
            throw JudgingError(.languageUnavailable, "\(id) is not installed here")
        }
    }

    /// Holds a place in the queue until `release`.
    func reserve(_ userID: String) throws(JudgingError) {
        defer { forgetIdleGuest(userID) }
        guard !isStopping else { throw JudgingError(.stopping, "the judge is shutting down") }
        guard queue.count + reserved.values.reduce(0, +) < Limits.queuedJobs else {
            throw JudgingError(.queueFull, "the judge has too much to do")
        }
        guard queue.count(of: userID) + reserved[userID, default: 0] < Limits.queuedJobsPerUser else {
            throw JudgingError(.queueFull, "too many of your submissions wait already")
        }
        reserved[userID, default: 0] += 1
    }

    func release(_ userID: String) {
        let left = reserved[userID, default: 0] - 1
        reserved[userID] = left > 0 ? left : nil
        forgetIdleGuest(userID)
    }

    /// A user without jobs is no guest any more: they may have an account when they come again.
    private func forgetIdleGuest(_ userID: String) {
        guard runningOf[userID] == nil, reserved[userID] == nil, queue.count(of: userID) == 0 else { return }
        guests.remove(userID)
    }

    // MARK: Work

    /// Notes whether a user is a guest, before a job of theirs is queued.
    func recognise(_ userID: String) async {
        guard !guests.contains(userID), await guestPlaces.isGuest(userID) else { return }
        guests.insert(userID)
    }

    private func mayRun(_ user: String) -> Bool {
        runningOf[user, default: 0] < Limits.concurrentJobsPerUser
            && (!guests.contains(user) || runningOfGuests < guestPlaces.count)
    }

    private func enqueue(_ submission: Submission) {
        guard known.insert(submission.id).inserted else { return }
        let priority: JobPriority = submission.origin == nil ? .normal : .battle
        enqueue(.submission(submission.id, priority), of: submission.userID, priority)
    }

    func enqueue(_ job: Job, of userID: String, _ priority: JobPriority) {
        queue.append(job, of: userID, priority)
        dispatch()
    }

    private func dispatch() {
        while !isStopping, runningJobs < workers,
            let (user, job) = queue.next(where: mayRun)
        {
            runningJobs += 1
            // What holds now holds to the job's end, whatever becomes of its user meanwhile.
            let isOfGuest = guests.contains(user)
            if isOfGuest { runningOfGuests += 1 }
            runningOf[user, default: 0] += 1
            Task { await work(job, of: user, isOfGuest: isOfGuest) }
        }
    }

    private func work(_ job: Job, of user: String, isOfGuest: Bool) async {
        switch job {
        case .submission(let id, let priority): await workSubmission(id, of: user, priority)
        case .run(let id, let language, let source, let input):
            await workRun(id, language: language, source: source, input: input)
        }
        runningJobs -= 1
        if isOfGuest { runningOfGuests -= 1 }
        let left = runningOf[user, default: 1] - 1
        runningOf[user] = left > 0 ? left : nil
        forgetIdleGuest(user)
        dispatch()
        guard runningJobs == 0 else { return }
        let waiters = idleWaiters
        idleWaiters = []
        for waiter in waiters { waiter.resume() }
    }

    private func workSubmission(_ id: String, of user: String, _ priority: JobPriority) async {
        do {
            let isDone = try await attempt(id)
            if isDone {
                forget(id)
            } else {
                queue.append(.submission(id, priority), of: user, priority)
            }
        } catch {
            await onFault?(id, "the submission store failed: \(error)")
            // What cannot be written now stays unfinished in the store, for one more try and then for the next start.
            if retried.insert(id).inserted {
                queue.append(.submission(id, priority), of: user, priority)
            } else {
                forget(id)
            }
        }
    }

    private func forget(_ id: String) {
        known.remove(id)
        retried.remove(id)
        lastProgressMs[id] = nil
        watches.end(id)
    }

    /// Judges a submission once; false when it is to be judged again.
    private func attempt(_ id: String) async throws -> Bool {
        guard let submission = try await submissions.submission(id), submission.status != .finished else {
            return true
        }
        return try await around(submission) { try await self.attempt(submission) }
    }

    private func attempt(_ submission: Submission) async throws -> Bool {
        let id = submission.id
        guard submission.attempts < Limits.attempts else {
            return try await finish(
                submission, Self.judgeError(tests: 0), fault: "given up after too many attempts")
        }
        try await submissions.advance(id, to: .compiling, beginsAttempt: true)
        let problem: Problem
        do {
            guard let found = try await catalogue.problem(submission.problemID) else {
                return try await finish(submission, Self.judgeError(tests: 0), fault: "its problem is gone")
            }
            problem = found
        } catch {
            return try await retryOrFinish(submission, Self.judgeError(tests: 0), fault: "\(error)")
        }
        let total = problem.tests.count
        watches.tell(submission.id, .status(.compiling))
        await report(submission, passed: 0, total: total, status: .compiling)
        let outcome = await ProgramJudge(executor: executor, tools: tools, now: now).judge(
            problem, language: submission.language, source: Array(submission.source.utf8),
            budgetMs: submission.origin == nil ? nil : Limits.battleJudgingMs,
            onCompiled: { await self.beganRunning(submission, total: total) },
            onTest: { result, passed in
                self.watches.tell(submission.id, .test(result, testsPassed: passed, testsTotal: total))
                await self.report(submission, passed: passed, total: total, status: .running)
            })
        guard outcome.judgement.verdict == .judgeError else {
            return try await finish(submission, outcome.judgement, fault: nil)
        }
        return try await retryOrFinish(submission, outcome.judgement, fault: outcome.fault ?? "judge error")
    }

    private static func judgeError(tests: Int) -> Judgement {
        Judgement(verdict: .judgeError, score: 0, tests: [], testsTotal: tests, compileOutput: "")
    }

    private func retryOrFinish(_ submission: Submission, _ judgement: Judgement, fault: String) async throws
        -> Bool
    {
        if isStopping {
            await onFault?(submission.id, "left to the next start: \(fault)")
            return true
        }
        if retried.insert(submission.id).inserted {
            await onFault?(submission.id, fault)
            return false
        }
        return try await finish(submission, judgement, fault: fault)
    }

    private func finish(_ submission: Submission, _ judgement: Judgement, fault: String?) async throws -> Bool
    {
        if let fault { await onFault?(submission.id, fault) }
        let atMs = now()
        guard try await submissions.finish(submission.id, judgement, atMs: atMs) else { return true }
        var finished = submission
        finished.status = .finished
        finished.judgement = judgement
        finished.finishedAtMs = atMs
        finished.attempts += 1
        await onFinished?(finished)
        return true
    }

    private func beganRunning(_ submission: Submission, total: Int) async {
        watches.tell(submission.id, .status(.running))
        do {
            try await submissions.advance(submission.id, to: .running, beginsAttempt: false)
        } catch {
            // The status is for show; the verdict is what must not be lost.
            await onFault?(submission.id, "the submission store failed: \(error)")
        }
        await report(submission, passed: 0, total: total, status: .running)
    }

    private func report(_ submission: Submission, passed: Int, total: Int, status: SubmissionStatus) async {
        let atMs = now()
        if let last = lastProgressMs[submission.id], atMs - last < Limits.progressIntervalMs { return }
        lastProgressMs[submission.id] = atMs
        var current = submission
        current.status = status
        await onProgress?(current, passed, total, status)
    }
}
