/// A decoder under attack.
package enum Subject: Int, CaseIterable, Sendable {
    case updateV1
    case updateV2
    case awareness
    case syncMessage
    case snapshotV1
    case snapshotV2
    case stateVector
    case relativePosition
    case relativePositionJSON

    /// How many of 21 inputs go to it: updates are the largest formats and the ones with consequences.
    var share: Int {
        switch self {
        case .updateV1, .updateV2: 6
        case .awareness, .syncMessage: 2
        case .snapshotV1, .snapshotV2, .stateVector, .relativePosition, .relativePositionJSON: 1
        }
    }

    static let lots: [Subject] = allCases.flatMap { Array(repeating: $0, count: $0.share) }
}
