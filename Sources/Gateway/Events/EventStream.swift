import Hummingbird
import NIOCore

/// A subscription as a response body of server-sent events (WHATWG HTML §9.2).
package enum EventStream {
    /// Writes until the subscription ends or the client is gone; a heartbeat comment finds that out.
    package static func response(
        _ subscription: UserEvents.Subscription, of events: UserEvents,
        heartbeat: Duration = GatewayLimits.eventHeartbeat
    ) -> Response {
        let body = ResponseBody { writer in
            let beats = Task {
                while !Task.isCancelled {
                    try await Task.sleep(for: heartbeat)
                    subscription.beat()
                }
            }
            defer {
                beats.cancel()
                subscription.cancel()
            }
            try await writer.write(ByteBuffer(string: opening(subscription, events)))
            for await item in subscription.items {
                switch item {
                case .heartbeat: try await writer.write(ByteBuffer(string: ":\n\n"))
                case .event(let event): try await writer.write(ByteBuffer(string: text(of: event, events)))
                }
            }
            try await writer.finish(nil)
        }
        return Response(
            status: .ok,
            headers: [
                .contentType: "text/event-stream", .cacheControl: "no-store", .connection: "keep-alive",
            ],
            body: body)
    }

    /// What a new stream begins with: how soon to come back, a warning where events were lost, what was missed. An
    /// id without data moves the client's `Last-Event-ID` and dispatches nothing.
    private static func opening(_ subscription: UserEvents.Subscription, _ events: UserEvents) -> String {
        var result = "retry: 2000\n\n"
        if subscription.hasGap { result += "event: events.reset\ndata: {}\n\n" }
        for event in subscription.missed { result += text(of: event, events) }
        return result + "id: \(events.id(of: subscription.position))\n\n"
    }

    private static func text(of event: UserEvents.Event, _ events: UserEvents) -> String {
        // A line end inside a field would begin another field.
        let type = event.type.filter { !$0.isNewline }
        let data = event.json.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline)
            .map { "data: \($0)\n" }.joined()
        return "event: \(type)\nid: \(events.id(of: event.sequence))\n\(data)\n"
    }
}
