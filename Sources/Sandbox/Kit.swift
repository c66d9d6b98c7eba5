import Judging

/// Files and arguments that go into a box beside a program, in the layout of `Sources/sandbox-helper/kit.h`.
struct Kit {
    private static let magic: UInt32 = 0x3154_494b
    private static let readsSubmission: UInt32 = 1
    private static let submissionFolder = "tmp/submission/"
    static let inputPath = "/box/tmp/test/test.in"
    static let answerPath = "/box/tmp/test/test.ans"
    static let feedbackFolder = "/box/tmp/feedback/"

    private var arguments: [String]
    /// Path below `/box` → content; a path that ends with a slash is a folder.
    private var files: [(path: String, content: [UInt8])]
    private var reportBytes = 0
    private var outputBytes = 0
    private var flags: UInt32 = 0

    /// Files in the working folder, by relative path, and arguments.
    init(work: [String: [UInt8]], arguments: [String] = []) {
        self.arguments = arguments
        files = Self.entries(work, below: "work/")
    }

    /// What a validator finds: its own files, the test, and the feedback folder.
    ///
    /// - Parameter outputBytes: most that a submission joined to it may write.
    init(_ call: ValidatorCall, outputBytes: Int = 0) {
        let judged: [(String, [UInt8])]
        switch call.subject {
        case .output(let input, let answer):
            let test = ["test.in": input, "test.ans": answer]
            arguments = [Self.inputPath, Self.answerPath, Self.feedbackFolder] + call.arguments
            judged = Self.entries(test, below: "tmp/test/")
        case .submission(let submitted):
            arguments =
                [submitted.languageCode, submitted.entryPoint, Self.feedbackFolder] + call.arguments
            judged =
                [(Self.submissionFolder, [])] + Self.entries(submitted.files, below: Self.submissionFolder)
            flags = Self.readsSubmission
        }
        files =
            Self.entries(call.program.files, below: "work/") + judged
            + [("tmp/feedback/", [])] + Self.entries(call.feedback, below: "tmp/feedback/")
        reportBytes = call.feedbackBytes
        self.outputBytes = outputBytes
    }

    private static func entries(_ files: [String: [UInt8]], below folder: String) -> [(String, [UInt8])] {
        files.sorted { $0.key < $1.key }.map { (folder + $0.key, $0.value) }
    }

    /// The kit as the content of one more memory file; none when it is empty.
    var contents: [[UInt8]] { files.isEmpty && arguments.isEmpty ? [] : [bytes] }

    var bytes: [UInt8] {
        var texts: [UInt8] = []
        // A zero would end an argument early; no system can pass one.
        for argument in arguments { texts += argument.utf8.filter { $0 != 0 } + [0] }
        var bytes: [UInt8] = []
        bytes.reserveCapacity(
            texts.count + files.reduce(72) { $0 + $1.content.count + $1.path.utf8.count + 16 })
        for value in [Self.magic, UInt32(arguments.count), UInt32(texts.count), UInt32(files.count)] {
            bytes.append(littleEndian: value)
        }
        bytes.append(littleEndian: UInt64(reportBytes))
        bytes.append(littleEndian: UInt64(outputBytes))
        bytes.append(littleEndian: flags)
        bytes.append(littleEndian: UInt32(0))
        bytes += texts
        for (path, content) in files {
            bytes.append(littleEndian: UInt64(content.count))
            bytes.append(littleEndian: UInt32(path.utf8.count))
            bytes.append(littleEndian: UInt32(0))
            bytes += path.utf8
            bytes += content
        }
        return bytes
    }
}

/// What the supervisor of a validator left: how the validator ended, and its feedback files. Written inside the box,
/// by a process that the validator could have replaced: read as bytes of a stranger.
struct KitReport {
    private static let magic: UInt32 = 0x3150_524b

    /// Nil when a signal ended it.
    var exitCode: Int32?
    /// The submission had let go of its output when the validator was still there.
    var submissionLeftFirst: Bool
    var isOverOutputLimit: Bool
    var files: [String: [UInt8]] = [:]

    /// Nil when the bytes are no report.
    init?(_ bytes: [UInt8]) {
        var rest = bytes[...]
        guard rest.takeUInt32() == Self.magic, let count = rest.takeUInt32(),
            let code = rest.takeUInt32(), rest.takeUInt32() != nil, let flags = rest.takeUInt32(),
            rest.takeUInt32() != nil
        else { return nil }
        let signed = Int32(bitPattern: code)
        exitCode = signed >= 0 ? signed : nil
        submissionLeftFirst = flags & 1 != 0
        isOverOutputLimit = flags & 2 != 0
        for _ in 0..<count {
            guard let size = rest.takeUInt64(), let nameSize = rest.takeUInt32(), rest.takeUInt32() != nil,
                let name = rest.take(UInt64(nameSize)), let content = rest.take(size)
            else { return nil }
            files[String(decoding: name, as: UTF8.self)] = Array(content)
        }
    }
}

extension [UInt8] {
    fileprivate mutating func append(littleEndian value: some FixedWidthInteger) {
        Swift.withUnsafeBytes(of: value.littleEndian) { append(contentsOf: $0) }
    }
}

extension ArraySlice<UInt8> {
    fileprivate mutating func take(_ size: UInt64) -> ArraySlice<UInt8>? {
        guard size <= UInt64(count) else { return nil }
        defer { removeFirst(Int(size)) }
        return prefix(Int(size))
    }

    fileprivate mutating func takeUInt32() -> UInt32? {
        take(4)?.reversed().reduce(0) { $0 << 8 | UInt32($1) }
    }

    fileprivate mutating func takeUInt64() -> UInt64? {
        take(8)?.reversed().reduce(0) { $0 << 8 | UInt64($1) }
    }
}
