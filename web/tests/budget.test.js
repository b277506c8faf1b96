// What the page may cost: bytes to load, and the main thread's work in each frame.

import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'

import { browser, open } from './browser.js'
import { network } from './network.js'

const MOST_BYTES = 150_000
const CONTACTS = 2000
const MOST_FRAME_MS = 8
const ROUNDS = 3
const FRAME_US = 1_000_000 / 60
const WATCHED_MS = 20_000
const STEPS = 48
/** Lookups in this time, each drawn step by step. */
const WALKS = 6

let net
let chromium

before(async () => {
  net = await network(1)
  chromium = await browser()
})

after(async () => {
  await chromium?.close()
  net?.kill()
})

test(`all that is loaded at first has under ${MOST_BYTES} bytes`, async () => {
  const { page, close } = await open(chromium, net.http, { path: '/livez' })
  const sizes = []
  page.on('response', async (response) => sizes.push((await response.body()).length))
  await page.goto(net.http)
  await page.getByText('ready', { exact: true }).waitFor()
  await page.waitForLoadState('networkidle', { timeout: 1500 }).catch(() => {})
  const bytes = sizes.reduce((all, one) => all + one, 0)
  console.log(`${sizes.length} answers, ${bytes} bytes`)
  assert.ok(sizes.length > 20 && bytes < MOST_BYTES, `${bytes} bytes`)
  await close()
})

/** A full routing table as the node tells it, which changes at each look. */
function routing(own) {
  let seed = 1
  const chance = () => {
    seed = (seed * 48271) % 2147483647
    return seed / 2147483647
  }
  const contacts = Array.from({ length: CONTACTS }, (_, at) => {
    const bits = Math.min(40, Math.floor(-Math.log2(1 - chance())))
    const digits = Array.from({ length: 40 }, () => Math.floor(chance() * 16).toString(16))
    // So many leading bits as the bucket says, the next one differs.
    const near = BigInt(`0x${own}`) ^ (1n << BigInt(159 - bits))
    const mask = (1n << BigInt(159 - bits)) - 1n
    const id = ((near & ~mask) | (BigInt(`0x${digits.join('')}`) & mask)).toString(16).padStart(40, '0')
    return { id, address: `198.51.${at >> 8}.${at & 255}:6881`, shared_bits: bits }
  })
  return () => ({
    id: own,
    contacts: contacts.map((contact) => ({
      ...contact,
      round_trip_ms: Math.floor(chance() * 300),
      failures: chance() < 0.05 ? 1 : 0,
      quiet_s: Math.floor(chance() * 1200),
      xorbit: chance() < 0.5,
    })),
  })
}

/** A lookup of as many steps as a busy one has, as the node sends it. */
function lookup(own) {
  const digits = (at) => ((at * 2654435761) >>> 0).toString(16).padStart(8, '0')
  const step = (at) => ({
    id: own.slice(0, Math.min(12, at >> 2)) + digits(at).repeat(5).slice(Math.min(12, at >> 2)),
    address: `198.51.100.${at}:6881`, asked_after_ms: at * 20, took_ms: (at * 37) % 190, hop: 1 + (at >> 3),
    outcome: at % 7 === 6 ? 'silent' : 'answered', contacts: 8, new: 3, peers: 0, holds: null,
  })
  const steps = Array.from({ length: STEPS }, (_, at) => `event: step\ndata: ${JSON.stringify(step(at))}\n\n`)
  const end = {
    target: own, closest: [], silent: [], ended: 'converged',
    effort: { asked: STEPS, answered: STEPS, hops: 5, took_ms: 900 },
  }
  return `${steps.join('')}event: end\ndata: ${JSON.stringify(end)}\n\n`
}

/**
 * The main thread's work in each frame in which there was any, in milliseconds, sorted: by its processor's
 * time, which other programs on the machine do not add to, or by the clock on the wall.
 */
function frames(events, time) {
  const main = events.find((event) => event.name === 'thread_name' && event.args.name === 'CrRendererMain')
  const tasks = events.filter((event) => event.name === 'RunTask' && event.ph === 'X'
    && event.pid === main.pid && event.tid === main.tid)
  const begun = tasks.reduce((least, { ts }) => Math.min(least, ts), Infinity)
  const work = new Map()
  for (const { ts, [time]: us } of tasks) {
    const frame = Math.floor((ts - begun) / FRAME_US)
    work.set(frame, (work.get(frame) ?? 0) + us)
  }
  return [...work.values()].map((us) => us / 1000).sort((a, b) => a - b)
}

/** Some of the sorted times in words, and the 95th percentile. */
function summary(what, sorted) {
  const at = (part) => sorted[Math.min(sorted.length - 1, Math.floor(part * sorted.length))].toFixed(2)
  const parts = [['median', 0.5], ['p95', 0.95], ['p99', 0.99], ['most', 1]].map(([name, part]) => `${name} ${at(part)} ms`)
  console.log(`${sorted.length} frames with work, ${what}: ${parts.join(', ')}`)
  return Number(at(0.95))
}

test(`with ${CONTACTS} contacts a frame takes the main thread under ${MOST_FRAME_MS} ms at the 95th percentile`, async () => {
  const { page, close } = await open(chromium, net.http, { path: '/livez' })
  const { id } = await (await fetch(`${net.http}/v1/node`)).json()
  const next = routing(id)
  await page.route('**/v1/routing', (route) => route.fulfill({ json: next() }))
  await page.route('**/v1/lookup/**', (route) => route.fulfill({
    contentType: 'text/event-stream', headers: { 'Xorbit-Target': id }, body: lookup(id),
  }))
  await page.goto(net.http)
  await page.waitForFunction((most) => document.getElementById('contacts-count').textContent.startsWith(most), '2')
  await page.waitForTimeout(2000)
  await page.locator('#lookup-key').fill('k')
  let least = Infinity
  // What disturbs can only add: a machine that is busy for a while gets another chance.
  for (let round = 0; round < ROUNDS && least >= MOST_FRAME_MS; round += 1) least = Math.min(least, await watch(page))
  assert.ok(least < MOST_FRAME_MS, `p95 ${least} ms`)
  await close()
})

/** Watches lookups and changing contacts for a while, and gives the 95th percentile of a frame's work in ms. */
async function watch(page) {
  await chromium.startTracing(page, { categories: ['toplevel', 'disabled-by-default-devtools.timeline', 'devtools.timeline'] })
  for (let walks = 0; walks < WALKS; walks += 1) {
    await page.getByRole('button', { name: 'Look up' }).click()
    await page.waitForTimeout(WATCHED_MS / WALKS)
  }
  const { traceEvents } = JSON.parse(await chromium.stopTracing())
  summary('by the wall', frames(traceEvents, 'dur'))
  const worked = frames(traceEvents, 'tdur')
  assert.ok(worked.length > 300, 'pulses were drawn')
  return summary('by the processor', worked)
}
