// The page: looks at its node again and again, and hands what it tells to the panels.

import { alertsOf, showAlerts } from './alerts.js'
import { PATIENCE_MS, Problem, glance, hasToken, send, useToken, whenUnauthorized } from './api.js'
import { Contacts } from './contacts.js'
import { byId, say } from './elements.js'
import { Held } from './held.js'
import { History, LOOK_MS } from './history.js'
import { showNode } from './header.js'
import { Keys } from './keys.js'
import { Lookup } from './lookup.js'
import { Plots } from './plots.js'
import { offerThemes } from './theme.js'

/** Every so many looks: what changes slowly, or costs the node a question. */
const SELDOM = 3

const told = { silent: false }
const history = new History()
const plots = new Plots(history)
const contacts = new Contacts()
const held = new Held()
// What fails here is told by the next look.
const keys = new Keys(() => refreshHeld().catch(() => {}))
new Lookup()

let looks = 0
let locked = false

async function look() {
  const seldom = looks % SELDOM === 0
  looks += 1
  const [node, routing, stats] = await Promise.all(['/v1/node', '/v1/routing', '/v1/stats'].map(glance))
  if (seldom) await Promise.all([refreshReady(), refreshHeld()])
  history.take(stats, routing)
  Object.assign(told, { node, routing, silent: false, recent: history.recent() })
  keys.own = node.id
  showNode(node, told.unready === undefined)
  contacts.show(routing, LOOK_MS / 1000)
  plots.show()
}

async function refreshReady() {
  const begun = Date.now()
  try {
    const { headers } = await send('/readyz', { signal: AbortSignal.timeout(PATIENCE_MS) })
    told.unready = undefined
    told.skew = skewOf(Date.parse(headers.get('Date')), begun, Date.now())
  } catch (problem) {
    if (!(problem instanceof Problem)) throw problem
    told.unready = problem.message
  }
}

/** How far the node's clock is from the browser's at least: an answer tells whole seconds. */
function skewOf(theirs, begun, ended) {
  if (theirs + 1000 < begun) return theirs + 1000 - begun
  return theirs > ended ? theirs - ended : 0
}

async function refreshHeld() {
  told.held = await held.refresh()
}

async function again() {
  if (!document.hidden && !locked) {
    try {
      await look()
    } catch (problem) {
      // A problem is an answer: only silence means that the node is gone.
      told.silent = !(problem instanceof Problem)
    }
    showAlerts(alertsOf(told))
  }
  setTimeout(again, LOOK_MS)
}

whenUnauthorized((problem) => {
  if (locked) return
  locked = true
  byId('main').hidden = true
  const form = byId('token-form')
  form.hidden = false
  if (hasToken()) say(byId('token-why'), `That is not its token: ${problem.message}.`)
  byId('token').focus()
})

byId('token-form').addEventListener('submit', (event) => {
  event.preventDefault()
  useToken(byId('token').value.trim())
  byId('token').value = ''
  byId('token-form').hidden = true
  byId('main').hidden = false
  locked = false
  look().catch(() => {})
})

document.addEventListener('visibilitychange', () => {
  if (!document.hidden && !locked) look().catch(() => {})
})

offerThemes(byId('theme'))
again()
