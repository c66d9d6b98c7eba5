import Judging
import Testing

@Suite struct SimilarityTests {
    private static let original = """
        def solve(numbers, target):
            seen = {}
            for index, number in enumerate(numbers):
                missing = target - number
                if missing in seen:
                    return seen[missing], index
                seen[number] = index
            return None

        values = list(map(int, input().split()))
        print(solve(values, int(input())))
        """
    private static let other = """
        import sys
        best = 0
        while True:
            line = sys.stdin.readline()
            if not line:
                break
            words = line.split()
            best = max(best, len(words) * 3 + 1)
            if best > 100:
                print("large", best, file=sys.stderr)
        print(best if best else -1)
        """

    private func accepted(_ id: String, _ source: String, verdict: Verdict = .accepted, user: String? = nil)
        -> Submission
    {
        var submission = submission(id, user: user ?? "user-\(id)", source: source)
        submission.judgement = Judgement(
            verdict: verdict, score: 1, tests: [], testsTotal: 1, compileOutput: "")
        return submission
    }

    @Test("renamed, reformatted and commented copies are found, others are not")
    func findsCopies() throws {
        let copy = Self.original
            .replacing("numbers", with: "zahlen").replacing("seen", with: "bekannt").replacing(
                "    ", with: "\t"
            )
            .replacing("missing = ", with: "missing =   # what is left\n            ")
        let pairs = SimilarityReview.pairs(of: [
            accepted("a", Self.original), accepted("b", copy), accepted("c", Self.other),
        ])
        let pair = try #require(pairs.first)
        #expect(pairs.count == 1 && pair.first.id == "a" && pair.second.id == "b")
        #expect(pair.score > 0.9, "\(pair.score)")
    }

    @Test("a copy inside a longer program is found, by the smaller one's measure")
    func findsParts() throws {
        let pairs = SimilarityReview.pairs(of: [
            accepted("a", Self.original), accepted("b", Self.other + "\n" + Self.original),
        ])
        #expect((pairs.first?.score ?? 0) > 0.8)
    }

    @Test("only the newest accepted submission of each user counts, and nobody copies from themselves")
    func choosesSubmissions() {
        let pairs = SimilarityReview.pairs(of: [
            accepted("a", Self.original, user: "u"), accepted("b", Self.original, user: "u"),
            accepted("c", Self.original, verdict: .wrongAnswer), accepted("d", Self.other),
        ])
        #expect(pairs.isEmpty)
    }

    @Test("what most have is the problem's own")
    func leavesOutWhatIsCommon() {
        let all = (0..<8).map {
            accepted("\($0)", Self.original + "\n" + String(repeating: "x\($0)(", count: $0 + 1))
        }
        #expect(SimilarityReview.pairs(of: all).allSatisfy { $0.shared < 5 })
        #expect(!SimilarityReview.pairs(of: Array(all.prefix(3))).isEmpty)
    }
}
