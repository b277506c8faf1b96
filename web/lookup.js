// The panel of lookups: each step as it ends, in a picture and in words, then the closest nodes.

import { keyed, send } from './api.js'
import { sharedBits } from './distance.js'
import { byId, el, idOf, say, table } from './elements.js'
import { events } from './events.js'
import { count, millis } from './format.js'
import { draw, isStill } from './frames.js'
import { Picture, outcomeOf } from './picture.js'
import { showProblem } from './problem.js'

/** A lookup on loopback ends sooner than an eye can follow: steps are shown at least so far apart. */
const PACE_MS = 70
const PACED_STEPS = 40
/** The words below the picture wait so long for others: a list is laid out anew for each that comes alone. */
const WORDS_MS = 350

const ENDS = {
  converged: 'the closest known have all answered',
  proved: 'what was looked for was found and proved',
  unreachable: 'nobody answered',
  out_of_messages: 'it sent as many messages as a lookup may',
  out_of_time: 'it took as long as a lookup may',
  cancelled: 'it was ended early',
}

export class Lookup {
  #steps = []
  /** How many of the steps stand in words, and what tells the next ones. */
  #told = 0
  #telling
  #target
  #running
  #width = 0
  #picture
  #place = byId('lookup-picture')

  constructor() {
    this.paint = this.paint.bind(this)
    byId('lookup-form').addEventListener('submit', (event) => {
      event.preventDefault()
      this.start(byId('lookup-key').value, byId('lookup-namespace').value)
    })
    // To ask for the width while steps come would lay the page out anew for each.
    new ResizeObserver(([{ contentRect }]) => {
      this.#width = contentRect.width
      draw(this.paint)
    }).observe(this.#place)
  }

  /** Walks towards a key; a walk that is on its way is given up. */
  async start(key, namespace) {
    this.#running?.abort()
    const running = new AbortController()
    this.#running = running
    this.#begin()
    try {
      const response = await send(keyed('/v1/lookup', key, { namespace }), { signal: running.signal })
      this.#target = response.headers.get('Xorbit-Target')
      for await (const [name, told] of events(response)) {
        if (running.signal.aborted) return
        if (name === 'step') await this.#step(told)
        if (name === 'end') return this.#end(told)
      }
      say(byId('lookup-status'), 'The lookup broke off: the gateway fell silent.')
    } catch (problem) {
      if (running.signal.aborted) return
      showProblem(byId('lookup-status'), problem)
    }
  }

  #begin() {
    this.#steps = []
    this.#told = 0
    this.#target = undefined
    this.#picture = undefined
    byId('lookup-empty').hidden = true
    byId('lookup-result').hidden = false
    byId('lookup-steps').replaceChildren()
    byId('lookup-closest').replaceChildren()
    this.#place.replaceChildren()
    say(byId('lookup-status'), 'Asking …')
  }

  async #step(step) {
    this.#steps.push(step)
    this.#telling ??= setTimeout(() => this.#tell(), WORDS_MS)
    draw(this.paint)
    if (!isStill() && this.#steps.length < PACED_STEPS) {
      await new Promise((done) => setTimeout(done, PACE_MS))
    }
  }

  #tell() {
    clearTimeout(this.#telling)
    this.#telling = undefined
    const untold = this.#steps.slice(this.#told)
    this.#told = this.#steps.length
    byId('lookup-steps').append(...untold.map((step) => inWords(step, this.#target)))
  }

  #end({ target, closest, silent, ended, effort }) {
    this.#target = target
    this.#tell()
    const outcome = closest.length > 0 ? `Found the ${count(closest.length, 'closest node')}` : 'Found nobody'
    say(byId('lookup-status'),
      `${outcome} in ${millis(effort.took_ms)}, ${count(effort.hops, 'hop')}: asked ${effort.asked}, `
      + `${effort.answered} answered. It ended since ${ENDS[ended] ?? ended}.`)
    byId('lookup-status').append(el('span', { class: 'quiet' }, ' Target '), el('code', {}, target))
    const rows = closest.map((node) =>
      [idOf(node.id), node.address, String(node.shared_bits), millis(node.round_trip_ms)])
    const lost = silent.map((node) =>
      [idOf(node.id), node.address, String(sharedBits(target, node.id)), 'silent'])
    const titles = ['Id', 'Address', 'Shared bits#', 'Round trip#']
    byId('lookup-closest').replaceChildren(table(titles, [...rows, ...lost], 'Closest nodes'))
    draw(this.paint)
  }

  paint() {
    const steps = this.#steps.filter((step) => step.id !== null)
    if (this.#target === undefined || steps.length === 0 || this.#width === 0) return
    if (!this.#picture?.holds(steps, this.#target, this.#width)) {
      this.#picture = new Picture(steps, this.#target, this.#width)
      this.#place.replaceChildren(this.#picture.element)
    }
    this.#picture.draw(steps)
  }
}

function inWords(step, target) {
  const bits = step.id && target ? `, ${count(sharedBits(target, step.id), 'bit')} shared` : ''
  return el('li', { class: step.outcome },
    step.id ? idOf(step.id) : 'an address to join through', ` at ${step.address}: `,
    el('strong', {}, outcomeOf(step)),
    el('span', { class: 'quiet' }, ` after ${millis(step.took_ms)}, hop ${step.hop}${bits}`))
}
