// The engine as a replica process: `PATH doc replica`, one request and one answer a line.
import { spawn } from 'node:child_process'
import { createInterface } from 'node:readline'

export class Engine {
  constructor (binary) {
    this.binary = binary
    this.child = null
  }

  start () {
    const waiting = []
    const child = spawn(this.binary, ['doc', 'replica'], { stdio: ['pipe', 'pipe', 'inherit'] })
    const fail = reason => { if (this.child === child) this.child = null; for (const answer of waiting.splice(0)) answer({ died: reason }) }
    createInterface({ input: child.stdout }).on('line', line => waiting.shift()?.(line))
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
      this.waiting.push(resolve)
      this.child.stdin.write(JSON.stringify(request) + '\n')
    })
  }

  /** Ends the process, by its own id: for one that no longer answers. */
  kill () { this.child?.kill('SIGKILL') }

  end () { this.child?.stdin.end() }
}
