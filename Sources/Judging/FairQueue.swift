/// Jobs that wait, taken in turn from each user who has some, oldest first within a user.
struct FairQueue<Job> {
    private var waiting: [String: [Job]] = [:]
    /// Users with waiting jobs, the one whose turn is next first.
    private var turns: [String] = []
    private(set) var count = 0

    func count(of user: String) -> Int { waiting[user]?.count ?? 0 }

    mutating func append(_ job: Job, of user: String) {
        if waiting[user] == nil { turns.append(user) }
        waiting[user, default: []].append(job)
        count += 1
    }

    /// The next job of a user who may have one more running; that user then waits for all others. Linear in the
    /// number of users.
    mutating func next(where mayRun: (String) -> Bool) -> (user: String, job: Job)? {
        guard let index = turns.firstIndex(where: mayRun) else { return nil }
        let user = turns.remove(at: index)
        guard var jobs = waiting[user], !jobs.isEmpty else { return nil }
        let job = jobs.removeFirst()
        count -= 1
        if jobs.isEmpty {
            waiting[user] = nil
        } else {
            waiting[user] = jobs
            turns.append(user)
        }
        return (user, job)
    }
}
