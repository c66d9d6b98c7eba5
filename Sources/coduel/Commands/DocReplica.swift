import ArgumentParser
import CRDT
import Foundation

/// `coduel doc replica`: documents driven by JSON lines, for the differential test against Yjs. Each line is a
/// request, each answer one line; `Tests/CRDTTests/Differential/PROTOCOL.md` has them all.
struct DocReplica: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "replica", abstract: "Documents driven by JSON lines.", shouldDisplay: false)

    func run() throws {
        let session = ReplicaSession()
        while let line = readLine() {
            let answer: Value
            if let request = JSONParser.parse(line, maxNesting: 128) {
                answer = session.answer(request)
            } else {
                answer = ["error": "not JSON"]
            }
            print(answer.json)
            fflush(nil)
        }
    }
}

/// Why a request was refused.
struct ReplicaError: Error {
    var message: String

    init(_ message: String) { self.message = message }

    /// Runs `body` with whatever it throws made one of these.
    static func wrapping<Result>(_ body: () throws -> Result) throws(ReplicaError) -> Result {
        do {
            return try body()
        } catch let error as ReplicaError {
            throw error
        } catch let error as EditError {
            throw ReplicaError(error.code.rawValue)
        } catch {
            throw ReplicaError(String(describing: error))
        }
    }
}
