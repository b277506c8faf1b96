// The panel of contacts: the spiral, and the same as a table that can be sorted.

import { byId, el, idOf, say } from './elements.js'
import { count, millis, span, whole } from './format.js'
import { draw } from './frames.js'
import { Spiral, health } from './spiral.js'

/** Rows at first, and how many more at a time: a table of 2,000 would cost more than the picture. */
const ROWS = 40
const MORE = 100

const WORDS = { well: 'answers', hollow: 'quiet', failing: 'does not answer' }
const HINT = 'Point at a contact, or use the arrow keys, to see who it is.'

const COLUMNS = [
  { title: 'Id', of: (contact) => contact.id },
  { title: 'Address', of: (contact) => contact.address },
  { title: 'Bucket', of: (contact) => contact.shared_bits, number: true },
  { title: 'Round trip', of: (contact) => contact.round_trip_ms, number: true },
  // What does not answer comes as if it had never given a sign.
  { title: 'Last sign', of: (contact) => contact.failures * 1e9 + contact.quiet_s, number: true },
]

export class Contacts {
  #contacts = []
  #column = COLUMNS[2]
  #down = true
  #shown = ROWS
  #rows = []
  #body = byId('contacts-rows')
  #more = byId('contacts-more')
  #detail = byId('spiral-detail')
  #canvas = byId('spiral')

  constructor() {
    this.spiral = new Spiral(this.#canvas, (contact) => say(this.#detail, told(contact)))
    this.fill = this.fill.bind(this)
    say(this.#detail, HINT)
    byId('contacts-head').append(...COLUMNS.map((column) => this.#heading(column)))
    this.#more.addEventListener('click', () => {
      this.#shown += MORE
      draw(this.fill)
    })
  }

  /** Shows a routing table; contacts heard in the last seconds pulse. */
  show(routing, since_s) {
    this.#contacts = routing.contacts
    this.spiral.show(routing.id, routing.contacts, since_s)
    const unwell = routing.contacts.filter((contact) => contact.failures > 0).length
    const known = count(routing.contacts.length, 'contact')
    say(byId('contacts-count'), unwell > 0 ? `${known}, ${whole(unwell)} do not answer` : known)
    const deepest = routing.contacts.reduce((most, { shared_bits: bits }) => Math.max(most, bits), 0)
    this.#canvas.setAttribute('aria-label',
      `${known} on a spiral by XOR distance, ${unwell} without an answer, in buckets up to ${deepest}. `
      + 'The table beside it tells the same.')
    draw(this.fill)
  }

  #heading(column) {
    const turn = () => {
      this.#down = this.#column === column ? !this.#down : Boolean(column.number)
      this.#column = column
      draw(this.fill)
    }
    column.heading = el('th', { scope: 'col', class: column.number && 'number' },
      el('button', { type: 'button', class: 'sort', on: { click: turn } }, column.title))
    return column.heading
  }

  /** Fills the rows that are there already: to make them anew would cost more and lose the pointer. */
  fill() {
    for (const column of COLUMNS) {
      const order = this.#down ? 'descending' : 'ascending'
      column.heading.setAttribute('aria-sort', column === this.#column ? order : 'none')
    }
    const { of } = this.#column
    const sign = this.#down ? -1 : 1
    const sorted = [...this.#contacts].sort((a, b) => {
      const [x, y] = [of(a), of(b)]
      if (x === y) return a.id < b.id ? -1 : 1
      return x < y ? -sign : sign
    })
    const seen = sorted.slice(0, this.#shown)
    while (this.#rows.length < seen.length) this.#rows.push(this.#row())
    for (const row of this.#rows.splice(seen.length)) row.element.remove()
    seen.forEach((contact, at) => this.#rows[at].show(contact))
    const left = sorted.length - seen.length
    this.#more.hidden = left === 0
    say(this.#more, `Show ${whole(Math.min(left, MORE))} more of ${whole(left)}`)
  }

  #row() {
    const cells = COLUMNS.map((column) => el('td', { class: column.number && 'number' }))
    const id = idOf('')
    const dot = el('i', { class: 'dot' })
    const word = el('span', { class: 'unseen' })
    cells[0].append(dot, id, word)
    let shown
    const point = { pointerenter: () => this.spiral.chooseId(shown.id), pointerleave: () => this.spiral.choose(-1) }
    const element = el('tr', { on: point }, ...cells)
    this.#body.append(element)
    const show = (contact) => {
      shown = contact
      const state = health(contact)
      say(id, contact.id.slice(0, 8))
      id.title = contact.id
      say(cells[1], contact.address)
      say(cells[2], String(contact.shared_bits))
      say(cells[3], tripOf(contact))
      say(cells[4], span(contact.quiet_s * 1000))
      dot.className = `dot ${state}`
      dot.title = WORDS[state]
      say(word, ` ${WORDS[state]}`)
    }
    return { element, show }
  }
}

/** Tables keep whole milliseconds. */
function tripOf({ round_trip_ms: trip }) {
  return trip === 0 ? '< 1 ms' : millis(trip)
}

function told(contact) {
  if (contact === undefined) return HINT
  const program = contact.xorbit ? 'Xorbit' : 'another program'
  const unanswered = contact.failures > 0 ? `, ${count(contact.failures, 'question')} in a row without an answer` : ''
  return `${contact.id} at ${contact.address} · bucket ${contact.shared_bits}, round trip `
    + `${tripOf(contact)}, last sign ${span(contact.quiet_s * 1000)} ago${unanswered} · ${program}`
}
