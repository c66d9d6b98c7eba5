import Battles
import CRDT
import SyncProtocol

/// A submission asked for by HTTP, which may wait until the document covers a state vector.
public struct SubmissionRequest: Sendable {
    public var requestID: UInt64
    public var newID: String
    public var caller: RoomCaller
    public var language: String
    /// Nil: the caller's own document.
    public var document: String?
    /// Nil: the file of the language.
    public var file: String?
    public var stateVector: StateVector?
    public var deadlineMs: Int64

    public init(
        requestID: UInt64, newID: String, caller: RoomCaller, language: String, document: String?,
        file: String?,
        stateVector: StateVector?, deadlineMs: Int64
    ) {
        self.requestID = requestID
        self.newID = newID
        self.caller = caller
        self.language = language
        self.document = document
        self.file = file
        self.stateVector = stateVector
        self.deadlineMs = deadlineMs
    }
}

/// A submission of a file that the update before it may be making.
struct WaitingForFile {
    enum Ask {
        case request(SubmissionRequest)
        case message(Value, nonce: String, newID: String, SubscriberID)
    }

    /// All that was accepted up to here has to be applied first.
    var sequence: Int64
    var ask: Ask
}

// Submissions: their order is their place in the log, their text is that of the document at that place.
extension Room {
    /// A submission by HTTP. Answered by `submissionTaken` or `submissionRefused`.
    public mutating func request(_ request: SubmissionRequest, atMs: Int64) {
        hear(atMs)
        take(request, mayWait: true, atMs: atMs)
    }

    private mutating func take(_ request: SubmissionRequest, mayWait: Bool, atMs: Int64) {
        let name = request.document ?? ownDocument(of: request.caller)
        guard let document = documents[name] else {
            return actions.append(.submissionRefused(requestID: request.requestID, .noSuchDocument))
        }
        // Whether a document covers a state vector is told only to who may read it.
        guard policy.access(to: name, for: request.caller) == .write else {
            return actions.append(.submissionRefused(requestID: request.requestID, .notAllowed))
        }
        if let wanted = request.stateVector, !document.covers(wanted) {
            guard coverWaiters.count < Limits.coverWaiters, request.deadlineMs > atMs else {
                return actions.append(.submissionRefused(requestID: request.requestID, .documentBehind))
            }
            coverWaiters.append(request)
            return
        }
        let file = request.file ?? ports.fileName(of: request.language)
        if mayWait, mayBeOnItsWay(file, in: name) { return wait(.request(request)) }
        if let refusal = refusal(of: request.caller, language: request.language, name, file, atMs: atMs) {
            return actions.append(.submissionRefused(requestID: request.requestID, refusal))
        }
        accept(
            id: request.newID, request.caller, language: request.language, document: name, file: file,
            nonce: "",
            reply: .request(request.requestID), atMs: atMs)
    }

    mutating func retryCoverWaiters(atMs: Int64) {
        guard !coverWaiters.isEmpty else { return }
        let waiting = coverWaiters
        coverWaiters = []
        for waiter in waiting { request(waiter, atMs: atMs) }
    }

    mutating func expireCoverWaiters(atMs: Int64) {
        for waiter in coverWaiters where waiter.deadlineMs <= atMs {
            actions.append(.submissionRefused(requestID: waiter.requestID, .documentBehind))
        }
        coverWaiters.removeAll { $0.deadlineMs <= atMs }
    }

    /// "submit" on the document's own socket: ordered after the edits sent before it.
    mutating func submit(
        _ fields: Value, nonce: String, newID: String, from subscriber: Subscriber, atMs: Int64,
        mayWait: Bool = true
    ) {
        func refuse(_ reason: String, retryAfterMs: Int64? = nil) {
            var answer: [(String, Value)] = [
                ("type", .string("submit.refused")), ("nonce", .string(nonce)), ("reason", .string(reason)),
            ]
            if let retryAfterMs { answer.append(("retry_after_ms", .integer(Int(retryAfterMs)))) }
            self.answer(subscriber.id, answer)
        }
        guard !nonce.isEmpty, nonce.utf8.count <= 64, let language = fields["language"]?.string else {
            return refuse("malformed")
        }
        let caller = subscriber.caller
        if let known = chat.result(author: submitKey(caller.userID), nonce: nonce, atMs: atMs) {
            if submissionReplies[known] != nil {
                // Not on disk yet: whoever asked last is answered when it is.
                submissionReplies[known] = .socket(subscriber.id, nonce: nonce)
                return
            }
            return answer(
                subscriber.id,
                [("type", .string("submit.accepted")), ("nonce", .string(nonce)), ("id", .string(known))])
        }
        guard subscriber.quarantine == nil else { return refuse(subscriber.quarantine?.reason ?? "reset") }
        closeGap(of: subscriber)
        guard gaps[subscriber.id] == nil else { return refuse("document_behind") }
        let file = fields["file"]?.string ?? ports.fileName(of: language)
        if mayWait, mayBeOnItsWay(file, in: subscriber.document) {
            return wait(.message(fields, nonce: nonce, newID: newID, subscriber.id))
        }
        if let refusal = refusal(of: caller, language: language, subscriber.document, file, atMs: atMs) {
            guard case .battle(.tooSoon(let retryAfterMs)) = refusal else { return refuse(refusal.code) }
            return refuse(refusal.code, retryAfterMs: retryAfterMs)
        }
        // By HTTP the limit was counted at the door.
        if let retryAfterMs = ports.takeSubmission(caller.userID, atMs) {
            return refuse("too_fast", retryAfterMs: retryAfterMs)
        }
        chat.remember(author: submitKey(caller.userID), nonce: nonce, result: newID, atMs: atMs)
        accept(
            id: newID, caller, language: language, document: subscriber.document, file: file, nonce: nonce,
            reply: .socket(subscriber.id, nonce: nonce), atMs: atMs)
    }

    // MARK: Files on their way

    /// Whether a file that is not there may be made by an update that is accepted and not applied yet.
    private func mayBeOnItsWay(_ file: String, in document: String) -> Bool {
        !isReadOnly && log.applied < log.lastSequence
            && documents[document]?.live.kindInMap("files", file) == .absent
            && waitingForFile.count < Limits.coverWaiters
    }

    private mutating func wait(_ ask: WaitingForFile.Ask) {
        waitingForFile.append(WaitingForFile(sequence: log.lastSequence, ask: ask))
    }

    /// Asks again for those whose time has come: all that was accepted before them is applied.
    mutating func retryWaitingForFile(atMs: Int64) {
        let due = waitingForFile.filter { $0.sequence <= log.applied }
        waitingForFile.removeAll { $0.sequence <= log.applied }
        for waiting in due {
            switch waiting.ask {
            case .request(let request): take(request, mayWait: false, atMs: atMs)
            case .message(let fields, let nonce, let newID, let id):
                guard let subscriber = subscribers[id] else { continue }
                submit(fields, nonce: nonce, newID: newID, from: subscriber, atMs: atMs, mayWait: false)
            }
        }
    }

    private func refusal(
        of caller: RoomCaller, language: String, _ name: String, _ file: String, atMs: Int64
    ) -> SubmissionRefusal? {
        guard specification.problemID != nil else { return .noProblem }
        guard !isReadOnly else { return .diskFull }
        guard let document = documents[name] else { return .noSuchDocument }
        guard policy.access(to: name, for: caller) == .write, policy.isParticipant(caller) else {
            return .notAllowed
        }
        guard ports.fileNames[language] != nil else { return .invalidFile("unknown language") }
        guard Self.isFileName(file) else { return .invalidFile("not a file name") }
        guard document.live.mapKeys("files").count <= Limits.files else {
            return .invalidFile("too many files")
        }
        let kind = document.live.kindInMap("files", file)
        guard kind == .text else {
            return .invalidFile(kind == .absent ? "no such file" : "the file is no Y.Text")
        }
        if let battle = story.battle {
            if submittersInFlight[caller.userID] != nil { return .battle(.unfinished(submission: "")) }
            if let refusal = battle.refusalOfSubmission(by: caller.userID, atMs: atMs) {
                return .battle(refusal)
            }
        }
        let unjudged = story.unjudged.filter { $0.userID == caller.userID }
        guard unjudged.count + submittersInFlight[caller.userID, default: 0] < Limits.unjudgedSubmissions
        else {
            return .battle(.unfinished(submission: unjudged.first?.id ?? ""))
        }
        return nil
    }

    private mutating func accept(
        id: String, _ caller: RoomCaller, language: String, document: String, file: String, nonce: String,
        reply: TakenSubmission.Reply, atMs: Int64
    ) {
        let received = RecordPayload.Received(
            id: id, userID: caller.userID, language: language, document: document, file: file, nonce: nonce)
        submissionReplies[id] = reply
        submittersInFlight[caller.userID, default: 0] += 1
        log.add(
            .submission, document: document, author: caller.userID, payload: received.payload, update: nil,
            note: nil, atMs: atMs)
    }

    /// A submission's record is on disk: takes the text of this moment.
    mutating func takeSubmission(_ record: LogRecord) {
        guard let received = RecordPayload.Received(record.payload) else { return }
        let others = submittersInFlight[received.userID, default: 1] - 1
        submittersInFlight[received.userID] = others > 0 ? others : nil
        actions.append(
            .submissionTaken(
                taken(
                    received, of: record, reply: submissionReplies.removeValue(forKey: received.id) ?? .nobody
                )))
    }

    func taken(
        _ received: RecordPayload.Received, of record: LogRecord, reply: TakenSubmission.Reply
    ) -> TakenSubmission {
        let text = documents[received.document]?.live.textInMap("files", received.file) ?? ""
        return TakenSubmission(
            id: received.id, userID: received.userID, language: received.language,
            document: received.document,
            file: received.file, source: text, sequence: record.sequence, receivedAtMs: record.committedAtMs,
            reply: reply)
    }

    /// The text of a file, for whoever may read the document live.
    public func text(
        of file: String, in document: String, for caller: RoomCaller
    ) throws(DoorRefusal) -> String {
        guard let access = policy.access(to: document, for: caller), let target = documents[document] else {
            throw DoorRefusal(.notFound, "no such document")
        }
        guard access == .write || access == .read else { throw DoorRefusal(.forbidden, "not yours to read") }
        guard let text = target.live.textInMap("files", file) else {
            throw DoorRefusal(.notFound, "no such file")
        }
        return text
    }

    /// The document a participant writes in.
    public func ownDocument(of caller: RoomCaller) -> String {
        specification.kind == .battle ? DocumentName.player(caller.userID) : DocumentName.main
    }

    /// The file that a program of this language is taken from where none is named.
    public func fileName(of language: String) -> String { ports.fileName(of: language) }

    func submitKey(_ userID: String) -> String { "submit\u{0}\(userID)" }

    static func isFileName(_ name: String) -> Bool {
        !name.isEmpty && name.utf8.count <= Limits.fileNameBytes && name.first != "."
            && name.utf8.allSatisfy { byte in
                (0x30...0x39).contains(byte) || (0x41...0x5A).contains(byte) || (0x61...0x7A).contains(byte)
                    || byte == 0x2E || byte == 0x5F || byte == 0x2D
            }
    }
}

extension Room {
    /// Answers a submission made on a socket, once its row is stored or could not be.
    public mutating func answerSubmission(
        nonce: String, id: String, isStored: Bool, to subscriber: SubscriberID
    ) {
        guard subscribers[subscriber] != nil else { return }
        let outcome: [(String, Value)] =
            isStored
            ? [("type", .string("submit.accepted")), ("nonce", .string(nonce)), ("id", .string(id))]
            : [
                ("type", .string("submit.refused")), ("nonce", .string(nonce)),
                ("reason", .string(SubmissionRefusal.unavailable.code)),
            ]
        answer(subscriber, outcome)
    }
}
