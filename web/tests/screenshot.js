// Makes the picture of the dashboard for the documents:
// XORBIT_BIN=target/release/xorbit node web/tests/screenshot.js docs/dashboard.png

import { writeFileSync } from 'node:fs'

import { browser, open } from './browser.js'
import { network } from './network.js'
import { withPalette } from './palette.js'

const [path = 'dashboard.png', colorScheme = 'light', width = '1440'] = process.argv.slice(2)
const net = await network(24)
const chromium = await browser()
try {
  const viewport = { width: Number(width), height: 900 }
  const { page, close } = await open(chromium, net.http, { viewport, colorScheme })
  await page.getByText('ready', { exact: true }).waitFor()
  // A quarter of a minute of traffic, and enough keys that the first node holds some.
  for (let number = 1; number <= 60; number += 1) {
    await fetch(`${net.http}/v1/kv/key-${number}?ttl=${number}h`, { method: 'PUT', body: `value ${number}` })
    await page.waitForTimeout(250)
  }
  await page.locator('#key').fill('greeting')
  await page.locator('#value').fill('hello, world')
  await page.getByRole('button', { name: 'Put' }).click()
  await page.getByText('Stored at').waitFor()
  await page.getByLabel('Key, or hex: and 40 digits').fill('greeting')
  await page.getByRole('button', { name: 'Look up' }).click()
  await page.getByText('It ended since').waitFor()
  await page.waitForTimeout(7000)
  await page.evaluate(() => document.activeElement.blur())
  writeFileSync(path, withPalette(await page.screenshot({ fullPage: true })))
  await close()
} finally {
  await chromium.close()
  net.kill()
}
