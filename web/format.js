// Numbers as people read them.

const THIN = '\u202f'

/** As `1 234`, with narrow spaces that do not break. */
export function whole(number) {
  return String(Math.round(number)).replace(/\B(?=(\d{3})+(?!\d))/g, THIN)
}

/** With as many digits as tell something: `0.42`, `4.2`, `42`. */
export function short(number) {
  if (!Number.isFinite(number)) return '–'
  const size = Math.abs(number)
  if (size >= 100) return whole(number)
  if (size >= 10) return String(Number(number.toFixed(1)))
  return String(Number(number.toFixed(2)))
}

/** As `12.3 kB`, in powers of 1,000. */
export function bytes(number) {
  if (number < 1000) return `${whole(number)} B`
  const units = ['kB', 'MB', 'GB', 'TB']
  let unit = -1
  while (number >= 1000 && unit < units.length - 1) {
    number /= 1000
    unit += 1
  }
  return `${short(number)} ${units[unit]}`
}

/** As `0.4 ms` or `1.2 s`. */
export function millis(number) {
  return number < 1000 ? `${short(number)} ms` : `${short(number / 1000)} s`
}

/** A span as its two largest units: `6 d 23 h`, `4 min 2 s`. */
export function span(ms) {
  const units = [['d', 86400], ['h', 3600], ['min', 60], ['s', 1]]
  let rest = Math.max(0, Math.floor(ms / 1000))
  const parts = []
  for (const [name, seconds] of units) {
    const count = Math.floor(rest / seconds)
    rest -= count * seconds
    if (count > 0 || parts.length > 0 || name === 's') parts.push([count, name])
  }
  return parts.slice(0, 2).filter(([count], at) => count > 0 || at === 0)
    .map(([count, name]) => `${count} ${name}`).join(' ')
}

/** As `1 contact` or `3 contacts`. */
export function count(number, noun) {
  return `${whole(number)} ${noun}${number === 1 ? '' : 's'}`
}

/** A moment, in the reader's own time. */
export function moment(ms) {
  const options = { day: 'numeric', month: 'short', hour: '2-digit', minute: '2-digit' }
  return new Date(ms).toLocaleString('en-GB', options)
}

export function clock(ms) {
  return new Date(ms).toLocaleTimeString('en-GB')
}
