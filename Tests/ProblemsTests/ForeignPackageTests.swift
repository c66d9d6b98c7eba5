import Foundation
import PackageFiles
import Problems
import Testing

/// Packages of real contests, where they are at hand: `../shared/data/problems` beside the repository.
@Suite struct ForeignPackageTests {
    static let folder: String = {
        let file = URL(filePath: #filePath).resolvingSymlinksInPath()
        return file.deletingLastPathComponent().appending(path: "../../../shared/data/problems").standardized
            .path
    }()

    static var isAtHand: Bool { FileManager.default.fileExists(atPath: folder) }

    @Test(.enabled(if: isAtHand, "no packages beside the repository"))
    func readsPassFailPackages() throws {
        let radar = try PackageParser.parse(PackageFiles.read(path: Self.folder + "/radar"))
        #expect(radar.title == "Radar")
        #expect(radar.tests.count == 17 && radar.samples.count == 2)
        #expect(radar.tests.first?.name == "sample/radar-01" && radar.tests.last?.name == "secret/15")
        let icecream = try PackageParser.parse(PackageFiles.read(path: Self.folder + "/icecream"))
        #expect(icecream.title == "Ice Cream" && icecream.tests.count == 63)
        #expect(icecream.tests.allSatisfy { $0.validator.relativeTolerance == 1e-6 })
        #expect(icecream.timeLimitSource == .assumed)
    }

    @Test(.enabled(if: isAtHand, "no packages beside the repository"))
    func readsAScoringPackage() throws {
        let problem = try PackageParser.parse(PackageFiles.read(path: Self.folder + "/rakneord"))
        #expect(problem.title == "Räkneord")
        #expect(problem.isScoring && problem.maxScore == 100)
        guard case .group(let secret) = problem.root.members.last else {
            Issue.record("no secret group")
            return
        }
        let scores = secret.members.map { member -> Double in
            guard case .group(let group) = member else { return -1 }
            return group.acceptScore
        }
        #expect(scores == [15, 20, 30, 35])
    }
}
