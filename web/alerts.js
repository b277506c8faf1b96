// What people should know, in words, as far as the node tells it.

import { byId, el, say } from './elements.js'
import { count, span, whole } from './format.js'

/** A share of contacts, or of questions, without an answer that is worth a word. */
const UNWELL = 0.3
/** Fewer unanswered questions than this are chance. */
const FEW = 5
/** Clocks that are closer do no harm. */
const SKEW_MS = 5000
/** Versions from further ahead than this come from a clock that is wrong. */
const AHEAD_MS = 60_000
/** Versions of other programs are just numbers; a time is one between these, in microseconds. */
const TIMES_US = [Date.UTC(2020), Date.UTC(2200)].map((ms) => ms * 1000)

/** Drops that the owner of a node can do something about. */
const DROPS = {
  capped: 'Its own bandwidth cap (--max-bandwidth) drops datagrams.',
  replayed: 'It drops datagrams as too old or repeated: if clocks differ by more than 10 minutes, set them.',
  unsealed: 'It drops datagrams that are not sealed with its network key: others use its address with another key, or none.',
}

const loopback = (address) => /^(127\.|\[::1\])/.test(address)
const hostOf = (address) => address.slice(0, address.lastIndexOf(':'))
const portOf = (address) => address.slice(address.lastIndexOf(':') + 1)

/**
 * What to say of what is known, as `{ about, grade, text }`: the grade is `bad`, `warn` or `info`. What
 * changes with each look is not in the text: it would be read aloud each time.
 */
export function alertsOf({ node, routing, unready, silent, recent, skew, held }) {
  if (silent) {
    const text = 'This node no longer answers: it was stopped, or the way to it is cut. What is shown is the last it told.'
    return [{ about: 'silent', grade: 'bad', text }]
  }
  const found = [
    unready && ['unready', 'bad', `${sentence(unready)} Puts and gets reach only what it holds itself.`],
    ...(node === undefined ? [] : [ofReach(node), ofReplicas(node)]),
    node?.read_only && ['read-only', 'warn', 'This node is read-only: it asks, and answers nobody.'],
    routing && ofContacts(routing.contacts),
    ...(recent === undefined ? [] : ofTraffic(recent)),
    skew && ofClock(skew),
    held && ofVersions(held.items, Date.now()),
  ]
  return found.filter(Boolean).map(([about, grade, text]) => ({ about, grade, text }))
}

/** Where others see the node, if that is not where it is; those on this machine need no NAT. */
function ofReach({ external, addresses, listening }) {
  const seen = external.find((address) => !loopback(address) && !addresses.includes(address))
  if (seen === undefined) return undefined
  const own = [...addresses, ...listening].find((address) => address.startsWith('[') === seen.startsWith('['))
  const samePlace = own !== undefined && hostOf(own) === hostOf(seen)
  const how = samePlace ? `though it listens on port ${portOf(own)}` : `not at its own address${own ? ` ${own}` : ''}`
  const port = samePlace ? portOf(seen) : portOf(own ?? seen)
  return ['nat', 'warn', `Others see this node at ${seen}, ${how}: it is behind a NAT. It can put, get and look up, but others `
    + `reach it only shortly after it asked them. To be reached by all, forward UDP port ${port} of the NAT to it.`]
}

function ofReplicas({ contacts_v4, contacts_v6, addresses, replicas }) {
  const others = contacts_v4 + contacts_v6
  if (others === 0) {
    return ['alone', 'info', 'This node knows no other: a network of one. Let others join it with: '
      + `xorbit node --join ${addresses[0] ?? 'ADDRESS'}`]
  }
  return others + 1 < replicas && ['few', 'info',
    `Only ${others + 1} of ${replicas} replicas: this node knows ${count(others, 'other')}, and each value is kept on `
    + `these ${others + 1} until more join.`]
}

function ofContacts(contacts) {
  const unwell = contacts.filter((contact) => contact.failures > 0).length
  return unwell > 0 && unwell / contacts.length >= UNWELL && ['unwell', 'warn',
    `${whole(unwell)} of ${count(contacts.length, 'contact')} ${unwell === 1 ? 'does' : 'do'} not answer: nodes have gone, `
    + 'or this node\'s line is bad.']
}

/** Of the last minute: a look alone would come and go. */
function ofTraffic({ drops, refused, replies, timeouts }) {
  const found = Object.entries(DROPS).filter(([name]) => drops[name] > 0)
    .map(([name, words]) => [name, 'warn', words])
  if (timeouts >= FEW && timeouts / (timeouts + replies) >= UNWELL) {
    found.push(['timeouts', 'warn', 'Many of the questions that it asked in the last minute were not answered.'])
  }
  if (refused >= FEW) {
    found.push(['refused', 'warn', 'It refused questions of others in the last minute: it may be full, or they ask what it does not do.'])
  }
  return found
}

function ofClock(skew) {
  return Math.abs(skew) > SKEW_MS && ['clock', 'warn',
    `The node's clock is ${span(Math.abs(skew))} ${skew > 0 ? 'ahead of' : 'behind'} this browser's. Versions and lifetimes `
    + 'come from clocks: set the one that is wrong.']
}

function ofVersions(items, now) {
  const isTime = ({ version }) => version >= TIMES_US[0] && version < TIMES_US[1]
  const early = items.filter((item) => item.version !== null && isTime(item) && item.version / 1000 > now + AHEAD_MS)
  return early.length > 0 && ['ahead', 'warn',
    `${count(early.length, 'item')} held here ${early.length === 1 ? 'comes' : 'come'} from the future: the clock of who wrote `
    + 'that is ahead. Writers whose clocks are right cannot replace it by then.']
}

function sentence(text) {
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}.`
}

const shown = new Map()

/** Shows them, and has only those that are new read aloud. */
export function showAlerts(alerts) {
  const abouts = new Set(alerts.map(({ about }) => about))
  for (const [about, item] of shown) {
    if (abouts.has(about)) continue
    item.remove()
    shown.delete(about)
  }
  const fresh = alerts.filter(({ about }) => !shown.has(about))
  for (const { about, grade } of fresh) {
    const item = el('li', { class: grade })
    shown.set(about, item)
    byId('alerts').append(item)
  }
  for (const { about, text } of alerts) say(shown.get(about), text)
  if (fresh.length > 0) say(byId('alerts-aloud'), fresh.map(({ text }) => text).join(' '))
}
