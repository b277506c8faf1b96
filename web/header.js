// The top of the page: who the node is, and how it is.

import { byId, el, idOf, say } from './elements.js'
import { bytes, count, span, whole } from './format.js'

let shown

/** Shows the node, and whether the overlay answers it. */
export function showNode(node, ready) {
  shown ??= begun(node)
  const network = node.public ? 'the planet-wide one' : `${node.network}${node.sealed ? ' (sealed)' : ''}`
  say(shown.network, network)
  say(shown.state, ready ? 'ready' : 'not ready')
  say(shown.address, node.addresses.join(', ') || node.listening.join(', '))
  say(shown.held, `${count(node.items, 'item')}, ${bytes(node.item_bytes)}`)
  say(shown.contacts, whole(node.contacts_v4 + node.contacts_v6))
  say(shown.up, span(node.up_ms))
}

function begun(node) {
  const facts = {}
  const list = byId('facts')
  const add = (title, value) => list.append(el('div', {}, el('dt', {}, title), value))
  add('Node', el('dd', {}, idOf(node.id)))
  for (const [name, title] of [
    ['state', 'Overlay'], ['network', 'Network'], ['address', 'Address'],
    ['contacts', 'Contacts'], ['held', 'Holds'], ['up', 'Up'],
  ]) {
    facts[name] = el('dd')
    add(title, facts[name])
  }
  document.title = `Xorbit ${node.addresses[0] ?? ''}`.trim()
  return facts
}
