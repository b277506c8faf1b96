// A network of real nodes on loopback, of which the first serves HTTP.

import { spawn } from 'node:child_process'

const PATIENCE_MS = 20_000
const program = process.env.XORBIT_BIN
if (!program) throw new Error('set XORBIT_BIN to the program to test')

/** A node that runs; `http` is where it serves, if it does. */
export class Node {
  #child
  #heard = ''
  address

  constructor(args) {
    const inherited = Object.entries(process.env).filter(([name]) => !name.startsWith('XORBIT_'))
    this.#child = spawn(program, ['node', '--listen', '127.0.0.1:0', ...args], {
      env: Object.fromEntries(inherited), stdio: ['ignore', 'pipe', 'pipe'],
    })
    for (const stream of [this.#child.stdout, this.#child.stderr]) {
      stream.on('data', (text) => { this.#heard += text })
    }
  }

  /** Waits until it says something, and gives what stands in the brackets of the pattern. */
  async hear(pattern) {
    const deadline = Date.now() + PATIENCE_MS
    while (Date.now() < deadline) {
      const match = this.#heard.match(pattern)
      if (match) return match[1]
      await new Promise((done) => setTimeout(done, 10))
    }
    throw new Error(`${pattern} was not said, but: ${this.#heard}`)
  }

  /** Waits until it is ready, and tells where it is. */
  async begun() {
    this.address = await this.hear(/ at ([\d.:]+), network/)
    return this.address
  }

  /** Ends it at once. */
  kill() {
    this.#child.kill('SIGKILL')
  }
}

/** Starts so many nodes; gives them and the address of the first one's HTTP. */
export async function network(size, args = []) {
  const first = new Node(['--http', '127.0.0.1:0', ...args])
  const nodes = [first]
  const address = await first.begun()
  const http = await first.hear(/HTTP at (http:\/\/[\d.:]+)/)
  for (let at = 1; at < size; at += 1) {
    const node = new Node(['--http', 'off', '--join', address])
    nodes.push(node)
    await node.begun()
    await node.hear(/(joined)/)
  }
  return { http, address, nodes, kill: () => nodes.forEach((node) => node.kill()) }
}
