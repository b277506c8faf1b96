// The picture of a lookup: steps from left to right as they ended, each as high as it is far from the
// target, with its round trip below.

import { closeness } from './distance.js'
import { svg } from './elements.js'
import { count, millis } from './format.js'

const LEFT = 64
const RIGHT = 16
const TOP = 14
const HEIGHT = 196
const STRIP = 34
/** Room for so many steps at first, and for twice as many each time that it is full. */
const FEWEST_STEPS = 12
const FEWEST_BITS = 6

/** What came of a step, in words. */
export function outcomeOf(step) {
  switch (step.outcome) {
    case 'answered': return `gave ${count(step.contacts, 'contact')}, ${step.new} new`
    case 'refused': return `refused (${step.code})`
    case 'distrusted': return 'not believed: another node or network, or a false item'
    default: return 'silent'
  }
}

/** A picture with room for some steps; what was drawn stays, so that a step costs what a step costs. */
export class Picture {
  element
  #target
  #width
  #steps
  #bits
  #trip
  #drawn = 0
  #best = 0
  #path = ''
  #line = svg('path', { class: 'closest' })

  /** With room for these steps. */
  constructor(steps, target, width) {
    this.#target = target
    this.#width = width
    this.#steps = FEWEST_STEPS
    while (this.#steps < steps.length) this.#steps *= 2
    this.#bits = Math.max(FEWEST_BITS, Math.ceil(Math.max(...steps.map(({ id }) => closeness(target, id)))) + 1)
    this.#trip = longest(steps)
    const height = HEIGHT + STRIP + 22
    this.element = svg('svg', { viewBox: `0 0 ${width} ${height}`, width, height, role: 'img' })
    this.element.append(...this.#grid(), this.#line)
  }

  /** Whether it has room for these steps, and is as wide. */
  holds(steps, target, width) {
    return target === this.#target && width === this.#width
      && steps.length >= this.#drawn && steps.length <= this.#steps && longest(steps) <= this.#trip
      && steps.slice(this.#drawn).every(({ id }) => closeness(target, id) + 1 <= this.#bits)
  }

  /** Draws those of the steps that are new. */
  draw(steps) {
    for (; this.#drawn < steps.length; this.#drawn += 1) this.#step(steps[this.#drawn], this.#drawn)
    this.#line.setAttribute('d', this.#path)
    this.element.setAttribute('aria-label', `${count(steps.length, 'step')} towards the target; the closest so far `
      + `shares ${count(Math.floor(this.#best), 'bit')} with it. The list below tells each.`)
  }

  #x(at) {
    return LEFT + 14 + (at * (this.#width - LEFT - RIGHT - 28)) / (this.#steps - 1)
  }

  #y(bits) {
    return TOP + (Math.min(bits, this.#bits) / this.#bits) * (HEIGHT - TOP)
  }

  #grid() {
    const lines = []
    const right = this.#width - RIGHT
    for (let bits = 0; bits < this.#bits; bits += Math.ceil(this.#bits / 6)) {
      const y = this.#y(bits)
      lines.push(svg('line', { x1: LEFT, x2: right, y1: y, y2: y, class: 'rule' }))
      lines.push(tick(y, bits === 0 ? 'farthest' : count(bits, 'bit')))
    }
    lines.push(svg('line', { x1: LEFT, x2: right, y1: HEIGHT, y2: HEIGHT, class: 'target' }))
    lines.push(tick(HEIGHT, 'target', ' target'), tick(HEIGHT + STRIP + 12, 'round trip'))
    return lines
  }

  #step(step, at) {
    const near = closeness(this.#target, step.id)
    const x = this.#x(at)
    // The closest so far is a line that only goes down.
    this.#best = Math.max(this.#best, near)
    this.#path += at === 0 ? `M${x},${this.#y(this.#best)}` : `H${x}V${this.#y(this.#best)}`
    const height = Math.max(2, (step.took_ms / this.#trip) * STRIP)
    this.element.append(
      svg('rect', {
        x: x - 4, width: 8, rx: 2, y: HEIGHT + 18 + STRIP - height, height, class: `trip ${step.outcome}`,
      }),
      dot(step, x, this.#y(near)))
  }
}

function tick(y, text, kind = '') {
  return svg('text', { x: LEFT - 8, y: y + 4, class: `tick end${kind}` }, text)
}

/** The longest round trip, from which on bars have the full height; next to no time is not drawn as much. */
function longest(steps) {
  return 2 ** Math.ceil(Math.log2(Math.max(...steps.map((step) => step.took_ms), 0.25)))
}

function dot(step, x, y) {
  return svg('g', { class: `step ${step.outcome}` },
    svg('title', {}, `${step.id} at ${step.address}: ${outcomeOf(step)}, ${millis(step.took_ms)}, hop ${step.hop}`),
    svg('circle', { cx: x, cy: y, r: 8.5 }),
    svg('text', { x, y: y + 3.5 }, String(step.hop)))
}
