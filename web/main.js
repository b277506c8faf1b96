// The page: looks at its node again and again, and hands what it tells to the panels.

import { alertsOf, showAlerts } from './alerts.js'
import { Problem, glance, useToken, whenUnauthorized } from './api.js'
import { Contacts } from './contacts.js'
import { byId, say } from './elements.js'
import { Held } from './held.js'
import { History, LOOK_MS } from './history.js'
import { showNode } from './header.js'
import { Keys } from './keys.js'
import { Lookup } from './lookup.js'
import { Plots } from './plots.js'

/** Every so many looks: what changes slowly, or costs the node a question. */
const SELDOM = 3

const told = { silent: false }
const history = new History()
const plots = new Plots(history)
const contacts = new Contacts()
const held = new Held()
const keys = new Keys(() => refreshHeld())
new Lookup()

let looks = 0
let locked = false

async function look() {
  const seldom = looks % SELDOM === 0
  looks += 1
  const [node, routing, stats] = await Promise.all(['/v1/node', '/v1/routing', '/v1/stats'].map(glance))
  if (seldom) await Promise.all([refreshReady(), held.refresh()])
  Object.assign(told, { node, routing, silent: false, rates: history.take(stats, routing) })
  keys.own = node.id
  showNode(node, told.ready)
  contacts.show(routing, LOOK_MS / 1000)
  plots.show()
}

async function refreshReady() {
  try {
    await glance('/readyz')
    told.ready = true
  } catch (problem) {
    if (!(problem instanceof Problem)) throw problem
    told.ready = false
  }
}

/** What failed is told by the next look. */
function refreshHeld() {
  held.refresh().catch(() => {})
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
  if (sessionStorage.length > 0) say(byId('token-why'), `That is not its token: ${problem.message}.`)
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

again()
