import Traces

/// Spans as OTLP/HTTP JSON (opentelemetry-proto 1.x, `ExportTraceServiceRequest`): ids in lower-case hexadecimal, 64-bit
/// numbers as strings, enumerations as numbers.
enum OTLP {
    /// What names the sender, by the conventions for resources.
    struct Resource: Sendable {
        var name: String
        var version: String
        var instance: String
    }

    static func request(_ spans: [Span], from resource: Resource) -> [UInt8] {
        var json = JSONText()
        json.object { json in
            json.key("resourceSpans")
            json.array { json in
                json.object { json in
                    json.key("resource")
                    json.object { json in
                        attributes(
                            [
                                "service.name": .text(resource.name),
                                "service.version": .text(resource.version),
                                "service.instance.id": .text(resource.instance),
                            ], in: &json)
                    }
                    json.key("scopeSpans")
                    json.array { json in
                        json.object { json in
                            json.key("scope")
                            json.object { json in
                                json.field("name", resource.name)
                                json.field("version", resource.version)
                            }
                            json.key("spans")
                            json.array { json in for span in spans { write(span, in: &json) } }
                        }
                    }
                }
            }
        }
        return json.bytes
    }

    private static func write(_ span: Span, in json: inout JSONText) {
        json.object { json in
            json.field("traceId", span.context.traceID.description)
            json.field("spanId", span.context.spanID.lowerHex)
            if !span.context.state.isEmpty { json.field("traceState", span.context.state) }
            if let parent = span.parentID { json.field("parentSpanId", parent.lowerHex) }
            json.field("name", span.name, limit: Limits.attributeBytes)
            json.field("kind", raw: String(span.kind.rawValue))
            json.field("startTimeUnixNano", String(span.startNs))
            json.field("endTimeUnixNano", String(span.endNs))
            attributes(span.attributes, in: &json)
            json.key("status")
            json.object { json in
                guard let failure = span.failure else { return }
                json.field("code", raw: "2")
                json.field("message", failure, limit: Limits.attributeBytes)
            }
        }
    }

    private static func attributes(_ attributes: [String: Span.Value], in json: inout JSONText) {
        json.key("attributes")
        json.array { json in
            for (name, value) in attributes.sorted(by: { $0.key < $1.key }) {
                json.object { json in
                    json.field("key", name)
                    json.key("value")
                    json.object { json in
                        switch value {
                        case .text(let text): json.field("stringValue", text, limit: Limits.attributeBytes)
                        case .integer(let number): json.field("intValue", String(number))
                        case .number(let number):
                            json.field("doubleValue", raw: number.isFinite ? String(number) : "0")
                        case .flag(let flag): json.field("boolValue", raw: flag ? "true" : "false")
                        }
                    }
                }
            }
        }
    }
}
