import CRDT
import TestSupport

/// Inputs without end, each made of the seed and its index alone, so that any of them can be made again.
package struct Campaign: ~Copyable {
    /// Inputs longer than this are cut.
    static let mostBytes = 64 << 10
    /// Longest that all that is done with one input may take.
    #if DEBUG
        static let mostTime = Duration.seconds(60)
    #else
        static let mostTime = Duration.seconds(2)
    #endif
    /// Most bytes by which all inputs together may raise the process's peak of memory.
    static let mostMemory = 256 << 20
    /// How many inputs there are between two looks at the memory.
    private static let memoryInterval = 1000

    /// An input that went wrong.
    package struct Failure: Error, Sendable, CustomStringConvertible {
        package var entry: Trace.Entry
        package var complaint: String

        /// What the document had applied before (v1); empty for a new one.
        package var state: [UInt8]
        package var collectsGarbage: Bool

        package var description: String {
            """
            \(complaint)
              \(entry.description)
              in a document with gc \(collectsGarbage) of \(state.isEmpty ? "nothing" : hexText(state))
            """
        }
    }

    /// What was done so far.
    package struct Tally: Sendable, CustomStringConvertible {
        package var inputs = 0
        package var taken = 0
        /// Updates taken by what became of the document: the same once read back, waiting for more, other.
        package var same = 0
        package var waiting = 0
        package var other = 0
        package var slowest = Duration.zero
        /// Which input that was.
        package var slowestIndex: UInt64 = 0
        /// Bytes by which the process's peak of memory has risen.
        package var memory = 0

        /// Whether the inputs were of use: enough of them taken, few of these contradictory.
        package var isSound: Bool { taken > inputs / 10 && same > inputs / 100 && other < same / 10 }

        package var description: String {
            """
            \(inputs) inputs, \(taken) taken, of these \(same + waiting + other) updates \
            (\(waiting) incomplete, \(other) contradictory), \(slowest.milliseconds) ms at most \
            (input \(slowestIndex)), \(memory >> 20) MiB more memory
            """
        }
    }

    private let seed: UInt64
    private let corpus: Corpus
    private let trace: Trace?
    private var targets: [Int: UpdateTarget] = [:]
    private let memoryBefore: Int
    package private(set) var tally = Tally()

    /// - Parameter trace: where the input under way is kept.
    package init(seed: UInt64, corpus: Corpus, trace: Trace? = nil) {
        self.seed = seed
        self.corpus = corpus
        self.trace = trace
        PeakMemory.reset()
        memoryBefore = PeakMemory.bytes
    }

    /// The input with that index and the document it is for.
    mutating func made(_ index: UInt64) -> (entry: Trace.Entry, target: UpdateTarget) {
        var random = SplitMix64(seed: seed ^ (index &* 0xd134_2543_de82_ef95))
        let family = random.below(corpus.families.count)
        let states = corpus.families[family].states.count
        let target = target(family, random.chance(1, in: 2) ? states - 1 : random.below(states))
        let subject = random.pick(Subject.lots)
        let input = input(subject, corpus.families[family], target.known, Mutator(seed: random.next()))
        let entry = Trace.Entry(
            seed: seed, index: index, subject: subject, input: Array(input.prefix(Self.mostBytes)))
        return (entry, target)
    }

    /// Runs the input with that index.
    package mutating func run(_ index: UInt64) throws(Failure) {
        let (entry, target) = made(index)
        trace?.keep(entry)
        var complaint: Complaint?
        let time = ThreadTime.measure {
            do throws(Complaint) { try attack(entry, target) } catch { complaint = error }
        }
        tally.inputs += 1
        if time > tally.slowest { (tally.slowest, tally.slowestIndex) = (time, index) }
        if time > Self.mostTime { complaint = Complaint("took \(time.milliseconds) ms") }
        if tally.inputs % Self.memoryInterval == 0 {
            tally.memory = PeakMemory.bytes - memoryBefore
            if tally.memory > Self.mostMemory {
                complaint = Complaint("\(tally.memory >> 20) MiB more memory since this or an earlier input")
            }
        }
        if let complaint {
            target.drop()
            throw Failure(
                entry: entry, complaint: complaint.description, state: target.state,
                collectsGarbage: target.collectsGarbage)
        }
    }

    private mutating func attack(_ entry: Trace.Entry, _ target: UpdateTarget) throws(Complaint) {
        guard entry.subject == .updateV1 || entry.subject == .updateV2 else {
            if try OtherAttacks.run(entry.subject, entry.input, target) { tally.taken += 1 }
            return
        }
        let attack = UpdateAttack(input: entry.input, isV2: entry.subject == .updateV2, target: target)
        guard let outcome = try attack.run() else { return }
        tally.taken += 1
        if entry.index % 5 == 0 {
            let used = try UsedDocument(
                state: target.state, collectsGarbage: target.collectsGarbage, seed: entry.seed ^ entry.index)
            try used.run(entry.input, isV2: attack.isV2)
        }
        switch outcome {
        case .same: tally.same += 1
        case .waiting: tally.waiting += 1
        case .other: tally.other += 1
        }
    }

    /// The document of a state of a family.
    private mutating func target(_ family: Int, _ state: Int) -> UpdateTarget {
        let place = family << 8 | state
        if let known = targets[place] { return known }
        let from = corpus.families[family]
        let made = UpdateTarget(state: from.states[state], collectsGarbage: from.collectsGarbage)
        targets[place] = made
        return made
    }

    private func input(
        _ subject: Subject, _ family: Corpus.Family, _ known: [(client: UInt64, end: UInt64)],
        _ given: Mutator
    ) -> [UInt8] {
        var mutator = given
        if mutator.random.chance(1, in: 32) { return mutator.noise() }
        switch subject {
        case .updateV1:
            if mutator.random.chance(1, in: 3) { return grammatical(known, &mutator) }
            return mutator.mutated(
                mutator.random.pick(family.updates), with: mutator.random.pick(family.updates))
        case .updateV2:
            let seeds = corpus.others[.updateV2] ?? []
            var input = mutator.random.pick(seeds)
            if mutator.random.chance(1, in: 2) {
                let v1 =
                    mutator.random.chance(1, in: 2)
                    ? grammatical(known, &mutator) : mutator.random.pick(family.updates)
                if let decoded = try? Update(decodingV1: v1) { input = decoded.encodedV2() }
            }
            let other = mutator.random.pick(seeds)
            return mutator.random.chance(2, in: 3)
                ? mutator.mutatedColumns(input, with: other) : mutator.mutated(input, with: other)
        default:
            let seeds = corpus.others[subject] ?? [[]]
            return mutator.mutated(mutator.random.pick(seeds), with: mutator.random.pick(seeds))
        }
    }

    /// Without sense, and every third time damaged as well.
    private func grammatical(_ known: [(client: UInt64, end: UInt64)], _ mutator: inout Mutator) -> [UInt8] {
        var grammar = UpdateGrammar(seed: mutator.random.next(), known: known)
        let update = grammar.update()
        return mutator.random.chance(1, in: 3) ? mutator.mutated(update, with: grammar.update()) : update
    }
}

extension Duration {
    var milliseconds: Int {
        Int(components.seconds) * 1000 + Int(components.attoseconds / 1_000_000_000_000_000)
    }
}
