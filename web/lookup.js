// The panel of lookups: each step as it ends, in a picture and in words, then the closest nodes.

import { keyed, send } from './api.js'
import { closeness, sharedBits } from './distance.js'
import { byId, el, idOf, say, svg, table } from './elements.js'
import { events } from './events.js'
import { count, millis } from './format.js'
import { isStill } from './frames.js'
import { showProblem } from './problem.js'

/** A lookup on loopback ends sooner than an eye can follow: steps are shown at least so far apart. */
const PACE_MS = 45
const PACED_STEPS = 40

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
  #target
  #running

  constructor() {
    byId('lookup-form').addEventListener('submit', (event) => {
      event.preventDefault()
      this.start(byId('lookup-key').value, byId('lookup-namespace').value)
    })
    new ResizeObserver(() => this.#picture()).observe(byId('lookup-picture'))
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
    this.#target = undefined
    byId('lookup-empty').hidden = true
    byId('lookup-result').hidden = false
    byId('lookup-steps').replaceChildren()
    byId('lookup-closest').replaceChildren()
    byId('lookup-picture').replaceChildren()
    say(byId('lookup-status'), 'Asking …')
  }

  async #step(step) {
    this.#steps.push(step)
    byId('lookup-steps').append(inWords(step, this.#target))
    this.#picture()
    if (!isStill() && this.#steps.length < PACED_STEPS) {
      await new Promise((done) => setTimeout(done, PACE_MS))
    }
  }

  #end({ target, closest, silent, ended, effort }) {
    this.#target = target
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
    this.#picture()
  }

  #picture() {
    const place = byId('lookup-picture')
    const steps = this.#steps.filter((step) => step.id !== null)
    if (this.#target === undefined || steps.length === 0) return
    place.replaceChildren(drawn(steps, this.#target, place.clientWidth))
  }
}

/** What came of a step, in words. */
function outcomeOf(step) {
  switch (step.outcome) {
    case 'answered': return `gave ${count(step.contacts, 'contact')}, ${step.new} new`
    case 'refused': return `refused (${step.code})`
    case 'distrusted': return 'not believed: another node or network, or a false item'
    default: return 'silent'
  }
}

function inWords(step, target) {
  const bits = step.id && target ? `, ${count(sharedBits(target, step.id), 'bit')} shared` : ''
  return el('li', { class: step.outcome },
    step.id ? idOf(step.id) : 'an address to join through', ` at ${step.address}: `,
    el('strong', {}, outcomeOf(step)),
    el('span', { class: 'quiet' }, ` after ${millis(step.took_ms)}, hop ${step.hop}${bits}`))
}

const LEFT = 64
const RIGHT = 16
const TOP = 14
const HEIGHT = 196
const STRIP = 34

/** Steps from left to right as they ended, each as high as it is far from the target. */
function drawn(steps, target, width) {
  const near = steps.map((step) => closeness(target, step.id))
  const most = Math.max(6, Math.ceil(Math.max(...near)) + 1)
  const x = (at) => LEFT + 14 + (at * (width - LEFT - RIGHT - 28)) / Math.max(1, Math.max(steps.length, 12) - 1)
  const y = (bits) => TOP + (Math.min(bits, most) / most) * (HEIGHT - TOP)
  const picture = svg('svg', {
    viewBox: `0 0 ${width} ${HEIGHT + STRIP + 22}`, width, height: HEIGHT + STRIP + 22, role: 'img',
    'aria-label': `${count(steps.length, 'step')} towards the target; the closest so far shares `
      + `${Math.floor(Math.max(...near))} bits with it. The list below tells each.`,
  })
  picture.append(...grid(most, width, y), convergence(near, x, y), ...trips(steps, x))
  steps.forEach((step, at) => picture.append(dot(step, x(at), y(near[at]))))
  return picture
}

function grid(most, width, y) {
  const every = Math.ceil(most / 6)
  const lines = []
  for (let bits = 0; bits < most; bits += every) {
    lines.push(svg('line', { x1: LEFT, x2: width - RIGHT, y1: y(bits), y2: y(bits), class: 'rule' }))
    lines.push(svg('text', { x: LEFT - 8, y: y(bits) + 4, class: 'tick end' }, bits === 0 ? 'farthest' : count(bits, 'bit')))
  }
  lines.push(svg('line', { x1: LEFT, x2: width - RIGHT, y1: HEIGHT, y2: HEIGHT, class: 'target' }))
  lines.push(svg('text', { x: LEFT - 8, y: HEIGHT + 4, class: 'tick end target' }, 'target'))
  lines.push(svg('text', { x: LEFT - 8, y: HEIGHT + STRIP + 16, class: 'tick end' }, 'round trip'))
  return lines
}

/** The closest so far, as a line that only goes down. */
function convergence(near, x, y) {
  let best = 0
  const points = near.map((bits, at) => {
    const before = best
    best = Math.max(best, bits)
    return at === 0 ? `${x(at)},${y(best)}` : `${x(at)},${y(before)} ${x(at)},${y(best)}`
  })
  return svg('polyline', { points: points.join(' '), class: 'closest' })
}

/** Round trips as bars, the longest the full height. */
function trips(steps, x) {
  const longest = Math.max(...steps.map((step) => step.took_ms), 0.001)
  return steps.map((step, at) => {
    const height = Math.max(2, (step.took_ms / longest) * STRIP)
    return svg('rect', {
      x: x(at) - 4, width: 8, rx: 2, y: HEIGHT + 18 + STRIP - height, height, class: `trip ${step.outcome}`,
    })
  })
}

function dot(step, x, y) {
  return svg('g', { class: `step ${step.outcome}` },
    svg('title', {}, `${step.id} at ${step.address}: ${outcomeOf(step)}, ${millis(step.took_ms)}, hop ${step.hop}`),
    svg('circle', { cx: x, cy: y, r: 8.5 }),
    svg('text', { x, y: y + 3.5 }, String(step.hop)))
}
