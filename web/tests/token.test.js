// A node that demands a token: its page asks for it.

import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'

import { browser, open } from './browser.js'
import { network } from './network.js'

const TOKEN = '0123456789abcdef0123456789abcdef'

test('the page asks for the token, refuses a wrong one and keeps the right one', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'xorbit-token-'))
  const file = join(folder, 'token')
  writeFileSync(file, `${TOKEN}\n`, { mode: 0o600 })
  const net = await network(1, ['--http-token-file', file])
  const chromium = await browser()
  try {
    const { page, close } = await open(chromium, net.http)
    const form = page.locator('#token-form')
    await form.waitFor()
    assert.equal(await page.locator('#main').isVisible(), false)
    await page.locator('#token').fill('not the one that it wants')
    await page.getByRole('button', { name: 'Unlock' }).click()
    await page.getByText('That is not its token').waitFor()
    await page.locator('#token').fill(TOKEN)
    await page.getByRole('button', { name: 'Unlock' }).click()
    await page.getByText('ready', { exact: true }).waitFor()
    assert.equal(await form.isVisible(), false)
    await page.reload()
    await page.getByText('ready', { exact: true }).waitFor()
    assert.equal(await page.evaluate(() => localStorage.length + document.cookie.length), 0)
    await close()
  } finally {
    await chromium.close()
    net.kill()
    rmSync(folder, { recursive: true })
  }
})
