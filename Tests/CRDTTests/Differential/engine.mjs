// The engine as a replica process: `PATH doc replica`, one request and one answer a line.
import { spawn } from 'node:child_process'
import { createInterface } from 'node:readline'

/** The process is ended when it says nothing for so long, ms, while it owes an answer. */
const PATIENCE = 30_000

export class Engine {
  constructor (binary) {
    this.binary = binary
    this.child = null
  }

  start () {
    const waiting = []
    const child = spawn(this.binary, ['doc', 'replica'], { stdio: ['pipe', 'pipe', 'inherit'] })
    const fail = reason => {
      if (this.child === child) this.child = null
      clearInterval(watch)
      for (const answer of waiting.splice(0)) answer({ died: reason })
    }
    this.heard = performance.now()
    const watch = setInterval(() => { if (waiting.length && performance.now() - this.heard > PATIENCE) child.kill('SIGKILL') }, 1000)
    watch.unref()
    createInterface({ input: child.stdout }).on('line', line => {
      this.heard = performance.now()
      waiting.shift()?.(line)
    })
    child.stdin.on('error', () => {})
    child.on('error', error => fail(error.message))
    child.on('exit', (code, signal) => fail(`the engine ended with ${signal ?? code}`))
    this.child = child
    this.waiting = waiting
  }

  /** The answer's line, or `{died}` when the process ended before it. */
  ask (request) {
    if (!this.child) this.start()
    return new Promise(resolve => {
      if (this.waiting.length === 0) this.heard = performance.now()
      this.waiting.push(resolve)
      this.child.stdin.write(JSON.stringify(request) + '\n')
    })
  }

  end () { this.child?.stdin.end() }
}
