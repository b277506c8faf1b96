// Headless Chromium, and pages in it that fail a test by any error they print.

import assert from 'node:assert/strict'
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'

import { chromium } from 'playwright-core'

export const WIDE = { width: 1440, height: 1000 }
export const NARROW = { width: 360, height: 740 }

export function browser() {
  const executablePath = process.env.XORBIT_CHROMIUM ?? '/usr/bin/chromium'
  // Who is root, as in containers, cannot have its sandbox.
  const args = process.getuid() === 0 ? ['--no-sandbox'] : []
  return chromium.launch({ executablePath, args })
}

/** Opens the dashboard in a context of its own. */
export async function open(browser, http, { path = '/', ...options } = {}) {
  const context = await browser.newContext({ viewport: WIDE, ...options })
  const page = await context.newPage()
  const errors = []
  page.on('console', (message) => {
    // The browser itself tells of each answer that is no 2xx; those the page shows.
    const own = !message.text().startsWith('Failed to load resource')
    if (['error', 'warning'].includes(message.type()) && own) errors.push(message.text())
  })
  page.on('pageerror', (error) => errors.push(String(error)))
  await page.goto(http + path)
  const close = async () => {
    await context.close()
    assert.deepEqual(errors, [], 'the page printed errors')
  }
  return { page, close }
}

/** Keeps a picture, if somebody wants them. */
export async function picture(page, name) {
  const folder = process.env.XORBIT_SCREENSHOTS
  if (!folder) return
  mkdirSync(folder, { recursive: true })
  await page.screenshot({ path: join(folder, `${name}.png`), fullPage: true })
}
