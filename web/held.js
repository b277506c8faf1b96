// The panel of items that the node holds for others, those that end first before others.

import { glance } from './api.js'
import { byId, el, say } from './elements.js'
import { count, moment, span, whole } from './format.js'

const ROWS = 20
const MORE = 200

export class Held {
  #limit = ROWS

  constructor() {
    byId('held-more').addEventListener('click', () => {
      this.#limit += MORE
      this.refresh()
    })
  }

  /** Asks for them, shows them and gives what was told. */
  async refresh() {
    const told = await glance(`/v1/held?limit=${this.#limit}`)
    const { total, items } = told
    say(byId('held-count'), total === 0 ? 'nothing yet' : `${count(total, 'item')}, those that end first before others`)
    byId('held-rows').replaceChildren(...items.map(row))
    byId('held-scroll').hidden = total === 0
    byId('held-empty').hidden = total > 0
    const left = total - items.length
    byId('held-more').hidden = left <= 0
    say(byId('held-more'), `Show ${whole(Math.min(left, MORE))} more of ${whole(left)}`)
    return told
  }
}

function row(item) {
  const left = span(item.held_until_ms - Date.now())
  return el('tr', {},
    el('td', {}, el('code', { title: item.target }, item.target.slice(0, 16))),
    el('td', {}, item.kind),
    el('td', { class: 'number' }, whole(item.bytes)),
    el('td', { class: 'number' }, item.version === null ? '–' : String(item.version)),
    el('td', { class: 'number', title: `until ${moment(item.held_until_ms)}` }, left))
}
