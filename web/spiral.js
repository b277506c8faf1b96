// The contacts of a routing table on a spiral, whose place is the XOR distance and nothing else: this node
// is in the middle, and each turn inwards halves the distance. So turn n is bucket n.

import { closeness } from './distance.js'
import { draw, isStill, palette, surface, whenLookChanges } from './frames.js'

const TURN = 2 * Math.PI
const FEWEST_TURNS = 5
const MARGIN = 16
/** How near the pointer must come to a contact. */
const REACH = 18
const PULSE_MS = 1100
const MOST_PULSES = 60

/** After this long without a sign a contact is questionable (BEP 5). */
export const QUIET_S = 15 * 60

/** How a contact is: `well`, `hollow` (quiet) or `failing`. */
export function health(contact) {
  if (contact.failures > 0) return 'failing'
  return contact.quiet_s >= QUIET_S ? 'hollow' : 'well'
}

export class Spiral {
  #canvas
  #layer = document.createElement('canvas')
  #contacts = []
  #points = []
  #turns = FEWEST_TURNS
  #chosen = -1
  /** When the pulse of an id began, and which contacts these are: not all are walked through in each frame. */
  #pulses = new Map()
  #pulsing = []
  #stale = true
  #onChoice

  /** Draws on a canvas, and tells which contact is pointed at. */
  constructor(canvas, onChoice) {
    this.#canvas = canvas
    this.#onChoice = onChoice
    this.paint = this.paint.bind(this)
    canvas.addEventListener('pointermove', (event) => this.#point(event))
    canvas.addEventListener('pointerleave', () => {
      if (document.activeElement !== canvas) this.choose(-1)
    })
    canvas.addEventListener('keydown', (event) => this.#key(event))
    canvas.addEventListener('blur', () => this.choose(-1))
    whenLookChanges(() => this.#redraw())
    new ResizeObserver(() => this.#redraw()).observe(canvas)
  }

  /** Shows these contacts, closest first, and lets those pulse that gave a sign in the last seconds. */
  show(own, contacts, since_s) {
    const chosen = this.#contacts[this.#chosen]?.id
    const placed = contacts.map((contact) => [closeness(own, contact.id), contact])
    placed.sort(([a], [b]) => b - a)
    this.#contacts = placed.map(([, contact]) => contact)
    this.#points = placed.map(([turn]) => ({ turn }))
    this.#turns = Math.max(FEWEST_TURNS, Math.ceil(placed[0]?.[0] ?? 0))
    this.#chosen = this.#contacts.findIndex((contact) => contact.id === chosen)
    const heard = this.#contacts.filter((contact) => contact.quiet_s < since_s)
    if (!isStill()) {
      const now = performance.now()
      for (const { id } of heard.slice(0, MOST_PULSES)) this.#pulses.set(id, now)
    }
    this.#pulsing = this.#contacts.flatMap(({ id }, at) => (this.#pulses.has(id) ? [[id, at]] : []))
    this.#redraw()
  }

  /** Marks a contact by its place in the order; -1: none. */
  choose(at) {
    if (at === this.#chosen) return
    this.#chosen = at
    this.#onChoice(this.#contacts[at])
    draw(this.paint)
  }

  /** Marks a contact by its id. */
  chooseId(id) {
    this.choose(this.#contacts.findIndex((contact) => contact.id === id))
  }

  #redraw() {
    this.#stale = true
    draw(this.paint)
  }

  #point(event) {
    const box = this.#canvas.getBoundingClientRect()
    const [x, y] = [event.clientX - box.left, event.clientY - box.top]
    let [nearest, reach] = [-1, REACH * REACH]
    this.#points.forEach((point, at) => {
      const far = (point.x - x) ** 2 + (point.y - y) ** 2
      if (far < reach) [nearest, reach] = [at, far]
    })
    this.choose(nearest)
  }

  #key(event) {
    const last = this.#contacts.length - 1
    const steps = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }
    const goals = { Home: 0, End: last, Escape: -1 }
    let goal = goals[event.key]
    if (event.key in steps) {
      const next = this.#chosen < 0 && steps[event.key] < 0 ? last : this.#chosen + steps[event.key]
      goal = Math.min(last, Math.max(0, next))
    }
    if (goal === undefined || last < 0) return
    event.preventDefault()
    this.choose(goal)
  }

  paint(now) {
    const { context, width, height } = surface(this.#canvas)
    if (width === 0) return
    if (this.#stale) this.#paintLayer(width, height)
    context.drawImage(this.#layer, 0, 0, width, height)
    this.#paintPulses(context, now)
    this.#paintChosen(context, width, height)
    if (this.#pulses.size > 0) draw(this.paint)
  }

  /** What changes only with the contacts is painted once. */
  #paintLayer(width, height) {
    this.#stale = false
    this.#layer.width = this.#canvas.width
    this.#layer.height = this.#canvas.height
    const context = this.#layer.getContext('2d')
    const scale = this.#canvas.width / width
    context.setTransform(scale, 0, 0, scale, 0, 0)
    const centre = [width / 2, height / 2]
    const radius = Math.min(width, height) / 2 - MARGIN
    const at = (turn) => {
      const far = radius * (1 - turn / (this.#turns + 0.6))
      const angle = turn * TURN - TURN / 4
      return [centre[0] + far * Math.cos(angle), centre[1] + far * Math.sin(angle)]
    }
    this.#paintThread(context, at)
    for (const point of this.#points) [point.x, point.y] = at(Math.min(point.turn, this.#turns))
    this.#paintContacts(context)
    const { accent, card } = palette()
    context.fillStyle = accent
    disc(context, ...centre, 7)
    context.strokeStyle = card
    context.lineWidth = 2
    context.stroke()
  }

  #paintThread(context, at) {
    const { line, muted, card } = palette()
    context.strokeStyle = line
    context.lineWidth = 1.25
    context.beginPath()
    for (let turn = 0; turn <= this.#turns; turn += 1 / 90) context.lineTo(...at(turn))
    context.stroke()
    context.font = '11px system-ui, sans-serif'
    context.textAlign = 'center'
    context.textBaseline = 'middle'
    const every = Math.ceil(this.#turns / 12)
    for (let turn = 0; turn < this.#turns; turn += every) {
      const [x, y] = at(turn)
      context.fillStyle = card
      disc(context, x, y, 8)
      context.fillStyle = muted
      context.fillText(String(turn), x, y + 0.5)
    }
  }

  #paintContacts(context) {
    const { accent, bad, card } = palette()
    const size = this.#size()
    const places = { well: [], hollow: [], failing: [] }
    this.#contacts.forEach((contact, at) => places[health(contact)].push(this.#points[at]))
    const path = (points, radius) => {
      context.beginPath()
      for (const { x, y } of points) {
        context.moveTo(x + radius, y)
        context.arc(x, y, radius, 0, TURN)
      }
    }
    context.strokeStyle = card
    context.lineWidth = 1.5
    context.fillStyle = accent
    path(places.well, size)
    if (size > 3) context.stroke()
    context.fill()
    context.fillStyle = card
    context.strokeStyle = accent
    path(places.hollow, size - 0.5)
    context.fill()
    context.stroke()
    context.fillStyle = bad
    context.beginPath()
    for (const { x, y } of places.failing) {
      const far = size + 1.5
      context.moveTo(x, y - far)
      for (const [dx, dy] of [[far, 0], [0, far], [-far, 0]]) context.lineTo(x + dx, y + dy)
      context.closePath()
    }
    context.fill()
  }

  #size() {
    const many = this.#points.length
    if (many > 800) return 2.2
    return many > 200 ? 3.2 : 5
  }

  #paintPulses(context, now) {
    if (this.#pulses.size === 0) return
    context.strokeStyle = palette().accent
    context.lineWidth = 1.5
    const size = this.#size()
    this.#pulsing = this.#pulsing.filter(([id, at]) => {
      const part = Math.max(0, now - this.#pulses.get(id)) / PULSE_MS
      if (part >= 1) {
        this.#pulses.delete(id)
        return false
      }
      context.globalAlpha = 0.6 * (1 - part)
      context.beginPath()
      context.arc(this.#points[at].x, this.#points[at].y, size + 9 * part, 0, TURN)
      context.stroke()
      return true
    })
    context.globalAlpha = 1
  }

  #paintChosen(context, width, height) {
    const point = this.#points[this.#chosen]
    if (point === undefined) return
    context.strokeStyle = palette().text
    context.lineWidth = 1
    context.beginPath()
    context.moveTo(width / 2, height / 2)
    context.lineTo(point.x, point.y)
    context.globalAlpha = 0.35
    context.stroke()
    context.globalAlpha = 1
    context.lineWidth = 2
    context.beginPath()
    context.arc(point.x, point.y, this.#size() + 4, 0, TURN)
    context.stroke()
  }
}

function disc(context, x, y, radius) {
  context.beginPath()
  context.arc(x, y, radius, 0, TURN)
  context.fill()
}
