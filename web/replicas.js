// Where a key is kept: the nodes closest to it, and what each of them holds.

import { closeness, sharedBits } from './distance.js'
import { el, idOf } from './elements.js'

const WORDS = {
  holder: 'holds it',
  some: 'holds a version',
  older: 'holds an older version',
  none: 'holds nothing',
  failing: 'did not answer',
}
const DOTS = { holder: 'well', some: 'hollow', older: 'older', none: 'none', failing: 'failing' }

/** What a node that was asked holds, of which version. */
function stateOf(step, newest) {
  if (step.outcome !== 'answered') return ['failing', undefined]
  if (step.holds === null) return ['none', undefined]
  const version = step.holds.version
  return version === undefined || version >= newest ? ['holder', version] : ['older', version]
}

/** The nodes that a key belongs to, closest first, out of a traced report. */
export function replicasOf(report, own) {
  const { steps, target, known } = report
  const newest = report.version ?? Math.max(0, ...steps.map((step) => step.holds?.version ?? 0))
  const asked = new Map(steps.filter((step) => step.id !== null).map((step) => [step.id, step]))
  const nodes = [...asked.values()].map((step) => {
    const [state, version] = stateOf(step, newest)
    return { id: step.id, address: step.address, state, version }
  })
  if (own !== undefined && !report.deleted) nodes.push({ id: own, address: 'this node', state: 'none' })
  nodes.sort((a, b) => closeness(target, b.id) - closeness(target, a.id))
  const replicas = nodes.slice(0, Math.max(known, 1))
  const mine = replicas.find(({ id }) => id === own)
  // It does not ask itself; that more hold one than told so tells that it does.
  const copies = (report.agreed ?? 0) + (report.stale ?? 0)
  if (mine && copies > replicas.filter(({ state }) => state === 'holder' || state === 'older').length) mine.state = 'holder'
  // A step does not tell the version of an item that was sent whole: where some are older, any may be.
  if (report.stale > 0) {
    for (const node of replicas) if (node.state === 'holder' && node.version === undefined) node.state = 'some'
  }
  return replicas
}

/** The same as a table with a picture of how close each is. */
export function replicaMap(report, own) {
  const nodes = replicasOf(report, own)
  const near = nodes.map(({ id }) => closeness(report.target, id))
  const most = Math.max(...near, 1)
  const rows = nodes.map((node, at) => el('tr', {},
    el('td', { class: 'near' }, place(node, near[at] / most)),
    el('td', {}, idOf(node.id)),
    el('td', {}, node.address),
    el('td', { class: 'number' }, String(sharedBits(report.target, node.id))),
    el('td', {}, el('i', { class: `dot ${DOTS[node.state]}` }),
      report.deleted && node.state === 'holder' ? 'remembers that it is deleted' : WORDS[node.state]
      + (node.state === 'older' ? ` (${node.version})` : ''))))
  const titles = ['How close', 'Node', 'Address', 'Shared bits', 'Copy']
  const head = titles.map((title, at) => el('th', { scope: 'col', class: at === 3 && 'number' }, title))
  return el('div', { class: 'scroll', tabindex: '0', role: 'region', 'aria-label': 'Replicas of the key' },
    el('table', { class: 'replicas' },
      el('caption', { class: 'unseen' }, 'The nodes closest to the key and what each holds'),
      el('thead', {}, el('tr', {}, ...head)), el('tbody', {}, ...rows)))
}

/** A bead on a thread, the farther right the closer to the key. */
function place({ state }, part) {
  const bead = el('i', { class: `bead ${state}` })
  bead.style.left = `${(part * 100).toFixed(1)}%`
  return el('div', { class: 'thread', 'aria-hidden': 'true' }, bead)
}
