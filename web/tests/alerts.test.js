// What the page says of a node, whose answers are changed on their way.

import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'

import { browser, open } from './browser.js'
import { network } from './network.js'

let net
let chromium

before(async () => {
  net = await network(3)
  chromium = await browser()
})

after(async () => {
  await chromium?.close()
  net?.kill()
})

/** Opens the page with changed answers, and gives what it alerts to once it says so much. */
async function alerted(changes, text) {
  const { page, close } = await open(chromium, net.http, { path: '/livez' })
  for (const [path, change] of Object.entries(changes)) {
    await page.route(`**${path}`, async (route) => {
      const response = await route.fetch()
      await route.fulfill(change(await response.json(), response))
    })
  }
  await page.goto(net.http)
  await page.locator('#alerts').getByText(text).waitFor()
  const all = await page.locator('#alerts li').allTextContents()
  const aloud = await page.locator('#alerts-aloud').textContent()
  assert.ok(all.some((alert) => aloud.includes(alert)), 'it is read aloud')
  // The address of the real node is its own again when the page closes.
  await page.unrouteAll({ behavior: 'ignoreErrors' })
  await close()
  return all
}

const node = (more) => (told) => ({ json: { ...told, ...more } })

test('too few nodes for all replicas are counted', async () => {
  const all = await alerted({}, 'Only 3 of 8 replicas')
  assert.equal(all.length, 1, all.join('\n'))
  await alerted({ '/v1/node': node({ replicas: 5 }) }, 'Only 3 of 5 replicas')
})

test('a NAT is told with the port to forward, and being seen on this machine is none', async () => {
  const addresses = ['192.168.1.5:8000']
  const elsewhere = await alerted(
    { '/v1/node': node({ addresses, external: ['203.0.113.7:41000'] }) }, 'behind a NAT')
  assert.match(elsewhere.join('\n'), /at 203\.0\.113\.7:41000, not at its own address 192\.168\.1\.5:8000.*forward UDP port 8000/)
  const translated = await alerted(
    { '/v1/node': node({ addresses, external: ['192.168.1.5:41000'] }) }, 'behind a NAT')
  assert.match(translated.join('\n'), /though it listens on port 8000.*forward UDP port 41000/)
  const here = await alerted({ '/v1/node': node({ addresses, external: ['127.0.0.1:41000'] }) }, 'Only 3 of 8')
  assert.ok(!here.join('\n').includes('NAT'), here.join('\n'))
})

test('a node that is not ready, contacts that are gone and what it refuses are told', async () => {
  const unready = { status: 503, json: { kind: 'not_ready', detail: 'nobody of the overlay answers' } }
  await alerted({ '/readyz': () => unready }, 'Nobody of the overlay answers')
  await alerted({
    '/v1/routing': (told) => ({ json: { ...told, contacts: told.contacts.map((contact) => ({ ...contact, failures: 2 })) } }),
  }, '2 of 2 contacts do not answer')
  let refused = 0
  await alerted({ '/v1/stats': (told) => ({ json: { ...told, refused: refused += 10 } }) }, 'It refused questions')
})

test('clocks that differ are told: the node\'s, and that of who wrote an item', async () => {
  const skewed = (told, response) => ({
    json: told, headers: { ...response.headers(), date: new Date(Date.now() + 120_000).toUTCString() },
  })
  await alerted({ '/readyz': skewed }, /The node's clock is (1 min 5\d s|2 min) ahead/)
  const item = {
    target: '0'.repeat(40), kind: 'mutable', bytes: 1, salt_bytes: 0, version: (Date.now() + 3_600_000) * 1000,
    held_until_ms: Date.now() + 1000, remembered_until_ms: Date.now() + 1000,
  }
  await alerted({ '/v1/held*': () => ({ json: { total: 1, items: [item] } }) }, '1 item held here comes from the future')
})
