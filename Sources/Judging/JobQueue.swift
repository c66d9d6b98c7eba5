/// How soon a job is wanted.
enum JobPriority: Int, CaseIterable {
    /// A battle's submission: others wait for the decision.
    case battle
    case normal
}

/// Waiting jobs by priority, fair between users within each. Lower ones are not starved: after
/// `Limits.jobsBeforeLower` in a row that overtook a waiting lower one, that one is next.
struct JobQueue<Job> {
    private var queues = JobPriority.allCases.map { _ in FairQueue<Job>() }
    private var overtakings = 0

    var count: Int { queues.reduce(0) { $0 + $1.count } }

    func count(of user: String) -> Int { queues.reduce(0) { $0 + $1.count(of: user) } }

    mutating func append(_ job: Job, of user: String, _ priority: JobPriority) {
        queues[priority.rawValue].append(job, of: user)
    }

    /// The next job of a user who may have one more running.
    mutating func next(where mayRun: (String) -> Bool) -> (user: String, job: Job)? {
        let order = Array(queues.indices)
        let isTurnOfLower = overtakings >= Limits.jobsBeforeLower
        for index in isTurnOfLower ? order.reversed() : order {
            guard let found = queues[index].next(where: mayRun) else { continue }
            let waitsBelow = queues[(index + 1)...].contains { $0.count > 0 }
            overtakings = waitsBelow && !isTurnOfLower ? overtakings + 1 : 0
            return found
        }
        return nil
    }
}
