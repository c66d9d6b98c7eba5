import NIOCore
import Rooms
import SyncProtocol
import Traces

// What is asked of a room without a socket.
extension RoomHost {
    /// Changes the room on its loop.
    func run<Value: Sendable>(
        _ body: @escaping @Sendable (inout Room, _ atMs: Int64) -> Value
    ) async throws(DoorRefusal) -> Value {
        do {
            return try await loop.submit {
                guard self.status == .live else { throw DoorRefusal(.tryAgainLater, "the room is closing") }
                defer { self.perform() }
                return body(&self.room, self.services.now())
            }.get()
        } catch let refusal as DoorRefusal {
            throw refusal
        } catch {
            throw DoorRefusal(.tryAgainLater, "the room is not available")
        }
    }

    func submit(_ make: @escaping @Sendable (_ requestID: UInt64, _ atMs: Int64) -> SubmissionRequest) async
        -> SubmissionResult
    {
        let trace = TraceContext.current
        return await withCheckedContinuation { continuation in
            loop.execute {
                guard self.status == .live else {
                    return continuation.resume(returning: .failure(.init(refusal: .unavailable)))
                }
                let atMs = self.services.now()
                let request = make(self.services.nextID(), atMs)
                self.requests[request.requestID] = continuation
                self.traces.asked(request.requestID, trace)
                self.room.request(request, atMs: atMs)
                self.perform()
            }
        }
    }

    /// Writes without a socket; returns when the write is on disk or refused.
    func write(_ request: DocumentWrite) async -> DocumentWriteOutcome {
        await withCheckedContinuation { continuation in
            loop.execute {
                guard self.status == .live else { return continuation.resume(returning: .unavailable) }
                self.writes[request.requestID] = continuation
                self.room.write(request, atMs: self.services.now())
                self.perform()
            }
        }
    }
}
