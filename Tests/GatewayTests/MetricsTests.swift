import Gateway
import Testing

@Suite struct MetricsTests {
    @Test func countersGaugesAndHistogramsAreRendered() {
        let metrics = Metrics()
        metrics.add(.verdicts, labels: ["AC", "python"])
        metrics.add(.verdicts, 2, labels: ["AC", "python"])
        metrics.add(.verdicts, labels: ["W\"A\\\n", "cpp"])
        metrics.gauge(.webSocketConnections) { 7 }
        metrics.observe(.judgeWait, 0.3)
        metrics.observe(.judgeWait, 1_000)
        let text = metrics.render()
        #expect(text.contains("# TYPE coduel_judge_verdicts_total counter\n"))
        #expect(text.contains("coduel_judge_verdicts_total{verdict=\"AC\",language=\"python\"} 3\n"))
        #expect(text.contains("verdict=\"W\\\"A\\\\\\n\",language=\"cpp\"} 1\n"))
        #expect(text.contains("coduel_ws_connections 7\n"))
        #expect(text.contains("coduel_judge_wait_seconds_bucket{le=\"0.25\"} 0\n"))
        #expect(text.contains("coduel_judge_wait_seconds_bucket{le=\"0.5\"} 1\n"))
        #expect(text.contains("coduel_judge_wait_seconds_bucket{le=\"300\"} 1\n"))
        #expect(text.contains("coduel_judge_wait_seconds_bucket{le=\"+Inf\"} 2\n"))
        #expect(text.contains("coduel_judge_wait_seconds_count 2\n"))
        #expect(text.contains("coduel_judge_wait_seconds_sum 1000.3\n"))
    }

    @Test func seriesAreBounded() {
        let metrics = Metrics()
        for index in 0..<(GatewayLimits.metricSeries + 50) {
            metrics.add(.authAttempts, labels: ["password", "r\(index)"])
        }
        metrics.add(.authAttempts, labels: ["password", "r0"])
        let text = metrics.render()
        #expect(text.contains("coduel_metrics_dropped_series_total 50\n"))
        #expect(text.contains("coduel_auth_attempts_total{kind=\"password\",result=\"r0\"} 2\n"))
    }

    @Test func valuesThatAreNoNumbersDoNotTrap() {
        let metrics = Metrics()
        metrics.gauge(.rooms, labels: ["pair"]) { .nan }
        metrics.gauge(.rooms, labels: ["battle"]) { .infinity }
        let text = metrics.render()
        #expect(text.contains("coduel_room_count{kind=\"pair\"} NaN\n"))
        #expect(text.contains("coduel_room_count{kind=\"battle\"} +Inf\n"))
    }
}
