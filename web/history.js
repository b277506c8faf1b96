// What a node told over time: rates between two looks, as far back as the plots go.

/** How far apart samples are. */
export const LOOK_MS = 2000

/** As many samples as 15 minutes have at one each 2 s. */
const SAMPLES = 450

const SERIES = ['received', 'sent', 'answered', 'replies', 'trip', 'slow', 'timeouts', 'refused', 'dropped']

/** As many looks as a minute has. */
const MINUTE = 60_000 / LOOK_MS

export class History {
  #last
  #looks = []
  series = Object.fromEntries(SERIES.map((name) => [name, []]))

  /** Takes what a node told now. */
  take(stats, routing) {
    const last = this.#last
    this.#last = stats
    // One that was started anew counts from zero again.
    if (last !== undefined && stats.up_ms <= last.up_ms) this.#looks = []
    this.#looks.push(stats)
    if (this.#looks.length > MINUTE) this.#looks.shift()
    if (this.#looks.length === 1) return
    const rates = ratesOf(last, stats)
    const trips = tripsOf(routing)
    this.#push({ ...rates, trip: at(trips, 0.5), slow: at(trips, 0.9), dropped: sum(rates.drops) })
  }

  /** What was counted in the last minute; undefined: there was one look alone. */
  recent() {
    const [first] = this.#looks
    if (this.#looks.length < 2) return undefined
    const { dropped, refused, replies, timeouts } = this.#last
    const drops = Object.fromEntries(
      Object.entries(dropped).map(([name, now]) => [name, now - (first.dropped[name] ?? 0)]))
    return {
      drops,
      refused: refused - first.refused,
      replies: replies - first.replies,
      timeouts: timeouts - first.timeouts,
    }
  }

  #push(sample) {
    for (const name of SERIES) {
      const values = this.series[name]
      values.push(sample[name])
      if (values.length > SAMPLES) values.shift()
    }
  }
}

function ratesOf(last, stats) {
  const seconds = (stats.up_ms - last.up_ms) / 1000
  const rate = (now, before) => Math.max(0, now - before) / seconds
  const drops = Object.fromEntries(
    Object.entries(stats.dropped).map(([name, now]) => [name, rate(now, last.dropped[name] ?? 0)]))
  return {
    received: rate(stats.received_bytes, last.received_bytes),
    sent: rate(stats.sent_bytes, last.sent_bytes),
    answered: rate(sum(stats.answered), sum(last.answered)),
    replies: rate(stats.replies, last.replies),
    timeouts: rate(stats.timeouts, last.timeouts),
    refused: rate(stats.refused, last.refused),
    drops,
  }
}

function tripsOf(routing) {
  return routing.contacts.map((contact) => contact.round_trip_ms).sort((a, b) => a - b)
}

/** The value that so many of the sorted ones are below. */
function at(sorted, part) {
  return sorted.length === 0 ? 0 : sorted[Math.min(sorted.length - 1, Math.floor(part * sorted.length))]
}

function sum(named) {
  return Object.values(named).reduce((all, one) => all + one, 0)
}
