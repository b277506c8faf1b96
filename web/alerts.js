// What people should know, in words.

import { byId, el } from './elements.js'
import { count, short, whole } from './format.js'

/** A share of contacts that do not answer which is worth a word. */
const UNWELL = 0.3

/** Drops that the owner of a node can do something about. */
const DROPS = {
  capped: 'its own bandwidth cap (--max-bandwidth) dropped',
  replayed: 'as too old or repeated it dropped; if clocks differ by more than 10 minutes, set them:',
  unsealed: 'as not sealed with its network key it dropped',
}

/** What to say of a node that told this, as `[grade, text]`: `bad`, `warn` or nothing. */
export function alertsOf({ node, routing, ready, silent, rates }) {
  if (silent) return [['bad', 'This node no longer answers: it was stopped, or the way to it is cut. What is shown is the last it told.']]
  if (node === undefined) return []
  return [
    ...ofReach(node, ready),
    ...ofContacts(node, routing),
    ...ofTraffic(rates),
  ]
}

function ofReach(node, ready) {
  const found = []
  if (ready === false) {
    found.push(['bad', 'Nobody of the network answers this node. Puts and gets reach only what it holds itself.'])
  }
  const seen = node.external.filter((address) => !node.addresses.includes(address))
  if (seen.length > 0) {
    found.push(['warn', `Others see this node at ${seen.join(' and ')}, not at its own address ${node.addresses.join(' and ')}: `
      + 'it is behind a NAT. It can ask, but is asked only as far as that NAT lets others in; forward the UDP port to it.'])
  }
  if (node.read_only) found.push(['warn', 'This node is read-only: it asks, and answers nobody.'])
  return found
}

function ofContacts(node, routing) {
  const contacts = routing?.contacts ?? []
  if (contacts.length === 0) {
    const [address] = node.addresses
    return [['', `This node knows no other: a network of one. Let others join it with: xorbit node --join ${address ?? 'ADDRESS'}`]]
  }
  const unwell = contacts.filter((contact) => contact.failures > 0).length
  if (unwell / contacts.length < UNWELL) return []
  return [['warn', `${whole(unwell)} of ${count(contacts.length, 'contact')} do not answer: nodes have gone, or this node's line is bad.`]]
}

function ofTraffic(rates) {
  if (rates === undefined) return []
  const found = Object.entries(DROPS)
    .filter(([name]) => rates.drops[name] > 0)
    .map(([name, words]) => ['warn', `Of late ${words} ${short(rates.drops[name])} datagrams a second.`])
  if (rates.refused > 0) {
    found.push(['warn', `Of late it refuses ${short(rates.refused)} questions a second: it may be full, or somebody asks what it does not do.`])
  }
  return found
}

let said = ''

/** Shows them; those that stay are not read aloud again. */
export function showAlerts(alerts) {
  const now = JSON.stringify(alerts)
  if (now === said) return
  said = now
  byId('alerts').replaceChildren(...alerts.map(([grade, text]) => el('li', { class: grade || undefined }, text)))
}
