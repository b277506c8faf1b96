// The panel of plots: what a node did over the last minutes, and the same as a table.

import { byId, el, say } from './elements.js'
import { bytes, millis, short, span } from './format.js'
import { draw, palette, surface, whenLookChanges } from './frames.js'
import { LOOK_MS } from './history.js'

const perSecond = (number) => `${bytes(number)}/s`
const times = (number) => `${short(number)}/s`

/** Each plot: its title, how its numbers are told, and its lines. */
const PLOTS = [
  ['Traffic', perSecond, [['received', 'received'], ['sent', 'sent']]],
  ['Questions', times, [['answered', 'of others, answered'], ['replies', 'its own, answered']]],
  ['Round trips to contacts', millis, [['trip', 'median'], ['slow', '90 of 100 below']]],
  ['What went wrong', times, [['timeouts', 'no answer'], ['refused', 'refused'], ['dropped', 'dropped']]],
]
const LINES = ['first', 'second', 'third']
const COLOURS = ['accent', 'second', 'bad']
const PAD = 4
const TITLE = 16
/** A line is as wide as the plot from so many samples on. */
const FEWEST = 30

export class Plots {
  #history
  #plots
  #rows = []

  constructor(history) {
    this.#history = history
    this.paint = this.paint.bind(this)
    this.#plots = PLOTS.map(([title, told, lines]) => this.#plot(title, told, lines))
    whenLookChanges(() => this.show())
  }

  #plot(title, told, lines) {
    const canvas = el('canvas', { role: 'img', 'aria-label': title })
    const keys = lines.map(([, words], at) => el('span', { class: LINES[at] }, el('i'), words))
    byId('plots').append(el('div', {}, el('h3', {}, title), canvas, el('div', { class: 'keys' }, ...keys)))
    for (const [name, words] of lines) {
      const cells = [el('th', { scope: 'row' }, `${title}: ${words}`), ...[0, 1, 2].map(() => el('td', { class: 'number' }))]
      byId('plots-rows').append(el('tr', {}, ...cells))
      this.#rows.push({ name, told, cells: cells.slice(1) })
    }
    return { title, told, lines, canvas }
  }

  /** Shows what there is now. */
  show() {
    draw(this.paint)
  }

  paint() {
    for (const plot of this.#plots) this.#paintPlot(plot)
    for (const { name, told, cells } of this.#rows) {
      const values = this.#history.series[name]
      if (values.length === 0) continue
      const mean = values.reduce((all, one) => all + one, 0) / values.length
      const now = values[values.length - 1]
      ;[now, mean, Math.max(...values)].forEach((value, at) => say(cells[at], told(value)))
    }
  }

  #paintPlot({ title, told, lines, canvas }) {
    const { context, width, height } = surface(canvas)
    if (width === 0) return
    const all = lines.map(([name]) => this.#history.series[name])
    const most = Math.max(...all.flat(), 0)
    const top = most === 0 ? 1 : most * 1.1
    const colours = palette()
    context.strokeStyle = colours.line
    context.lineWidth = 1
    context.beginPath()
    for (const y of [TITLE, (TITLE + height - PAD) / 2, height - PAD]) {
      context.moveTo(0, Math.round(y) + 0.5)
      context.lineTo(width, Math.round(y) + 0.5)
    }
    context.stroke()
    context.fillStyle = colours.muted
    context.font = '11px system-ui, sans-serif'
    context.fillText(most === 0 ? 'nothing yet' : `up to ${told(most)}`, 0, TITLE - 5)
    const samples = Math.max(FEWEST, all[0].length)
    context.textAlign = 'right'
    context.fillText(`last ${span(samples * LOOK_MS)}`, width, TITLE - 5)
    context.textAlign = 'left'
    all.forEach((values, at) => {
      this.#paintLine(context, values, { top, samples, width, height }, colours[COLOURS[at]])
    })
    const now = lines.map(([name, words]) => `${words} ${told(this.#history.series[name].at(-1) ?? 0)}`)
    canvas.setAttribute('aria-label', `${title}, now: ${now.join(', ')}. The table below tells more.`)
  }

  #paintLine(context, values, { top, samples, width, height }, colour) {
    const step = width / (samples - 1)
    context.strokeStyle = colour
    context.lineWidth = 1.5
    context.beginPath()
    values.forEach((value, at) => {
      const x = width - (values.length - 1 - at) * step
      context.lineTo(x, height - PAD - (value / top) * (height - PAD - TITLE))
    })
    context.stroke()
  }
}
