import NIOCore
import NIOHTTP1

/// What was answered.
public struct OutboundAnswer: Sendable {
    public var status: Int
    public var body: [UInt8]
}

/// Waits for an answer: its head alone, or all of it.
final class AnswerHandler: ChannelInboundHandler {
    typealias InboundIn = HTTPClientResponsePart

    private let answer: EventLoopPromise<OutboundAnswer>
    private let readsBody: Bool
    private var status = 0
    private var body: [UInt8] = []

    init(_ answer: EventLoopPromise<OutboundAnswer>, readsBody: Bool) {
        self.answer = answer
        self.readsBody = readsBody
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch unwrapInboundIn(data) {
        case .head(let head):
            // 1xx is not the answer yet.
            guard head.status.code >= 200 else { return }
            status = Int(head.status.code)
            if !readsBody { finish(context) }
        case .body(let part):
            guard body.count + part.readableBytes <= OutboundLimits.answerBytes else {
                answer.fail(OutboundError("the answer has more than \(OutboundLimits.answerBytes) bytes"))
                return context.close(promise: nil)
            }
            body.append(contentsOf: part.readableBytesView)
        case .end:
            if status > 0 { finish(context) }
        }
    }

    private func finish(_ context: ChannelHandlerContext) {
        answer.succeed(OutboundAnswer(status: status, body: body))
        context.close(promise: nil)
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        answer.fail(error)
        context.close(promise: nil)
    }

    func channelInactive(context: ChannelHandlerContext) {
        answer.fail(OutboundError("the connection was closed without an answer"))
        context.fireChannelInactive()
    }
}
