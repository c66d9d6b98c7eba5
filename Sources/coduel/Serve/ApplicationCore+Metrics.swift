import Gateway
import Judging
import SyncServer

extension ApplicationCore {
    /// Registers what operators watch besides requests: rooms, the process, the judge, the sandbox, dependencies.
    func registerMetrics(_ readiness: Readiness) {
        let (metrics, events) = (shared.metrics, shared.events)
        metrics.register(rooms.directory)
        metrics.gauge(.eventSubscribers) { Double(events.subscriberCount) }
        metrics.registerProcess(dataFolder: shared.foundation.data.path)
        shared.telemetry.register(in: metrics)
        registerJudging(metrics)
        metrics.beforeReading {
            for (name, isUp) in await readiness.recent() {
                metrics.set(.dependencyUp, isUp ? 1 : 0, labels: [name])
            }
        }
        // Series that are there from the start: an alert on a rate needs a zero to rise from.
        for name in ["matched", "missed"] { metrics.add(.matchedPairs, 0, labels: [name]) }
        metrics.add(.judgeFaults, 0)
    }

    private func registerJudging(_ metrics: Metrics) {
        let (workers, judge, executor) = (shared.settings.judgeWorkers, judging.judge, judging.executor)
        metrics.gauge(.judgeWorkers) { Double(workers) }
        metrics.gauge(.sandboxUsable) { executor.isUsable ? 1 : 0 }
        for layer in shared.foundation.sandbox?.probe() ?? [] {
            metrics.gauge(.sandboxLayer, labels: [layer.name, "\(layer.isRequired)"]) {
                layer.isActive && executor.sandbox?.isAlive == true ? 1 : 0
            }
        }
        metrics.beforeReading {
            let load = await judge.load
            metrics.set(.judgeQueue, Double(load.waiting))
            metrics.set(.judgeRunning, Double(load.running))
        }
    }
}
