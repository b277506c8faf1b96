// The dashboard in a real browser, against real nodes.

import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'

import { NARROW, WIDE, browser, open, picture } from './browser.js'
import { network } from './network.js'

const NODES = 9
let net
let chromium

before(async () => {
  net = await network(NODES)
  chromium = await browser()
})

after(async () => {
  await chromium?.close()
  net?.kill()
})

const opened = async (work, options) => {
  const { page, close } = await open(chromium, net.http, options)
  await work(page)
  await close()
}

const put = async (page, key, value) => {
  await page.locator('#key').fill(key)
  await page.locator('#value').fill(value)
  await page.getByRole('button', { name: 'Put' }).click()
  await page.locator('#keys-result .receipt').first().waitFor()
}

test('the top tells who the node is and that the overlay answers', () => opened(async (page) => {
  await page.getByText('ready', { exact: true }).waitFor()
  const facts = await page.locator('#facts').textContent()
  assert.ok(facts.includes(net.address), facts)
  const count = page.locator('#contacts-count')
  await page.waitForFunction((most) => document.querySelectorAll('#contacts-rows tr').length === most, NODES - 1)
  assert.equal(await count.textContent(), `${NODES - 1} contacts`)
}))

test('what one page puts another gets, with its report and its replicas', async () => {
  await opened(async (page) => {
    await put(page, 'from a page', 'grüße')
    assert.match(await page.locator('.receipt').textContent(), /^Stored at 8 of 8 replicas, version \d+/)
    assert.equal(await page.locator('.replicas tbody tr').count(), 8)
    assert.equal(await page.locator('.replicas').getByText('holds it', { exact: true }).count(), 8)
  })
  await opened(async (page) => {
    await page.locator('#key').fill('from a page')
    await page.getByRole('button', { name: 'Get' }).click()
    await page.getByText('8 of 8 replicas agree').waitFor()
    assert.equal(await page.locator('.value').textContent(), 'grüße')
    await page.getByRole('button', { name: 'Delete' }).click()
    await page.getByText('Deleted at 8 of 8 replicas').waitFor()
    await page.getByText('remembers that it is deleted').first().waitFor()
    await page.getByRole('button', { name: 'Get' }).click()
    await page.locator('.problem').waitFor()
    assert.match(await page.locator('.problem').textContent(), /Not found.*deleted/)
  })
})

test('a replica that fell silent does not stand in the way of the value', async () => {
  const lossy = await network(9)
  const { page, close } = await open(chromium, lossy.http)
  try {
    await put(page, 'k', 'still here')
    const addresses = await page.locator('.replicas tbody tr td:nth-child(3)').allTextContents()
    const silent = lossy.nodes.slice(1).find((node) => addresses.includes(node.address))
    silent.kill()
    await page.getByRole('button', { name: 'Get' }).click()
    await page.locator('.value').waitFor()
    assert.equal(await page.locator('.value').textContent(), 'still here')
    await page.locator('.replicas').getByText('did not answer').waitFor()
  } finally {
    lossy.kill()
    await close()
  }
})

test('what anybody stores is shown as text', () => opened(async (page) => {
  const hostile = '<img src=x onerror="document.title=1"><script>document.title=2</script>'
  await put(page, hostile, hostile)
  await page.getByRole('button', { name: 'Get' }).click()
  await page.locator('.value').waitFor()
  assert.equal(await page.locator('.value').textContent(), hostile)
  assert.equal(await page.locator('#keys-result img, #keys-result script').count(), 0)
  assert.match(await page.title(), /^Xorbit/)
}))

test('a lookup is drawn step by step, with round trips', () => opened(async (page) => {
  await page.locator('#lookup-key').fill('somewhere')
  await page.getByRole('button', { name: 'Look up' }).click()
  await page.locator('#lookup-picture .step').first().waitFor()
  await page.getByText('It ended since').waitFor()
  const steps = await page.locator('#lookup-steps li').count()
  assert.ok(steps >= 8, `${steps} steps`)
  assert.equal(await page.locator('#lookup-picture .step').count(), steps)
  assert.equal(await page.locator('#lookup-picture .trip').count(), steps)
  assert.match(await page.locator('#lookup-steps li').first().textContent(), /after [\d.]+ m?s, hop 1/)
  assert.equal(await page.locator('#lookup-closest tbody tr').count(), 8)
}))

test('items that the node holds are told with how long they live', () => opened(async (page) => {
  await page.locator('#ttl').fill('2h')
  for (let number = 0; number < 12; number += 1) await put(page, `held ${number}`, 'v')
  await page.locator('#held-rows tr').first().waitFor()
  assert.match(await page.locator('#held-rows tr').first().textContent(), /mutable.*1 h 59 min/)
}))

test('mistakes are told in the words of the node', () => opened(async (page) => {
  await page.locator('#ttl').fill('soon')
  await page.locator('#key').fill('k')
  await page.locator('#value').fill('v')
  await page.getByRole('button', { name: 'Put' }).click()
  await page.locator('.problem').waitFor()
  assert.match(await page.locator('.problem').textContent(), /`soon`/)
}))

test('a put needs no pointer', () => opened(async (page) => {
  await page.getByText('ready', { exact: true }).waitFor()
  await page.keyboard.press('Tab')
  assert.equal(await page.evaluate(() => document.activeElement.textContent), 'Skip to the content')
  await page.keyboard.press('Enter')
  const focused = () => page.evaluate(() => document.activeElement.id)
  for (let presses = 0; presses < 10 && await focused() !== 'key'; presses += 1) await page.keyboard.press('Tab')
  await page.keyboard.type('typed')
  while (await focused() !== 'value') await page.keyboard.press('Tab')
  await page.keyboard.type('by hand')
  await page.keyboard.press('Shift+Tab')
  while (await focused() !== 'key') await page.keyboard.press('Shift+Tab')
  await page.keyboard.press('Enter')
  await page.getByText('Stored at 8 of 8 replicas').waitFor()
  // Contacts, too: arrows walk from the closest outwards, and say who it is.
  while (await focused() !== 'spiral') await page.keyboard.press('Tab')
  await page.keyboard.press('ArrowRight')
  assert.match(await page.locator('#spiral-detail').textContent(), /^[0-9a-f]{40} at 127\.0\.0\.1:\d+ · bucket/)
}))

test('colours follow the reader, who may want others than the system', () => opened(async (page) => {
  const ground = () => page.evaluate(() => getComputedStyle(document.body).backgroundColor)
  const dark = await ground()
  await page.getByLabel('Colours').selectOption('light')
  const light = await ground()
  assert.notEqual(dark, light)
  await page.reload()
  assert.equal(await ground(), light)
  await page.getByLabel('Colours').selectOption('as the system')
  assert.equal(await ground(), dark)
}, { colorScheme: 'dark' }))

test('a reader who wants no motion sees steps at once and no pulses', () => opened(async (page) => {
  await page.getByText('ready', { exact: true }).waitFor()
  await page.evaluate(() => {
    const frame = requestAnimationFrame
    window.frames_asked = 0
    window.requestAnimationFrame = (work) => {
      window.frames_asked += 1
      return frame(work)
    }
  })
  await page.waitForTimeout(4500)
  const asked = await page.evaluate(() => window.frames_asked)
  assert.ok(asked < 20, `${asked} frames`)
}, { reducedMotion: 'reduce' }))

for (const [name, viewport] of [['wide', WIDE], ['narrow', NARROW]]) {
  for (const colorScheme of ['light', 'dark']) {
    test(`nothing is cut off: ${name}, ${colorScheme}`, () => opened(async (page) => {
      await put(page, 'greeting', 'hello, world')
      await page.locator('#lookup-key').fill('greeting')
      await page.getByRole('button', { name: 'Look up' }).click()
      await page.getByText('It ended since').waitFor()
      await page.locator('summary').click()
      await picture(page, `${name}-${colorScheme}`)
      const [wide, most] = await page.evaluate(() => [document.documentElement.scrollWidth, innerWidth])
      assert.ok(wide <= most, `${wide} px in ${most}`)
      // Tables that can be scrolled need not be.
      const cut = await page.evaluate(() => [...document.querySelectorAll('.scroll')]
        .filter((table) => table.scrollWidth > table.clientWidth)
        .map((table) => `${table.getAttribute('aria-label')}: ${table.scrollWidth} px in ${table.clientWidth}`))
      assert.deepEqual(cut, [])
    }, { viewport, colorScheme }))
  }
}

test('a lost node is said, and its last state stays', async () => {
  const lone = await network(1)
  const { page, close } = await open(chromium, lone.http)
  try {
    await page.locator('#alerts').getByText('a network of one').waitFor()
    lone.kill()
    await page.locator('#alerts').getByText('This node no longer answers').waitFor()
    assert.match(await page.locator('#facts').textContent(), /127\.0\.0\.1/)
  } finally {
    lone.kill()
    await close()
  }
})
