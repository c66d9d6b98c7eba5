import APIReference
import Gateway
import Judging

extension Installation {
    /// Registers what operators watch besides rooms and requests: the process, the judge, the sandbox, dependencies.
    static func registerOperations(
        _ metrics: Metrics, _ foundation: ServeFoundation, _ telemetry: TelemetryParts, judge: JudgeService,
        executor: GuardedSandbox, readiness: Readiness
    ) {
        metrics.registerProcess(dataFolder: foundation.data.path)
        telemetry.register(in: metrics)
        metrics.gauge(.judgeWorkers) { Double(foundation.settings.judgeWorkers) }
        metrics.gauge(.sandboxUsable) { executor.isUsable ? 1 : 0 }
        for layer in foundation.sandbox?.probe() ?? [] {
            metrics.gauge(.sandboxLayer, labels: [layer.name, "\(layer.isRequired)"]) {
                layer.isActive && executor.sandbox?.isAlive == true ? 1 : 0
            }
        }
        metrics.beforeReading {
            let load = await judge.load
            metrics.set(.judgeQueue, Double(load.waiting))
            metrics.set(.judgeRunning, Double(load.running))
        }
        metrics.beforeReading {
            for (name, isUp) in await readiness.recent() {
                metrics.set(.dependencyUp, isUp ? 1 : 0, labels: [name])
            }
        }
        // Series that are there from the start: an alert on a rate needs a zero to rise from.
        for name in ["matched", "missed"] { metrics.add(.matchedPairs, 0, labels: [name]) }
        metrics.add(.judgeFaults, 0)
    }

    /// The description as a page; none where it is not installed.
    static func referenceRoutes(openAPI: String?) -> [Route] {
        guard let reference = openAPI.flatMap(APIReference.init) else { return [] }
        return ReferenceRoutes.routes(page: reference.page, style: APIReference.style)
    }
}
