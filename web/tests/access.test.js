// What axe finds that keeps people out, in light and dark.

import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { test } from 'node:test'

import { browser, open } from './browser.js'
import { network } from './network.js'

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')

test('axe finds nothing against WCAG 2.2 AA', async () => {
  const net = await network(9)
  const chromium = await browser()
  try {
    for (const colorScheme of ['light', 'dark']) {
      // The page's own policy would keep axe out.
      const { page, close } = await open(chromium, net.http, { colorScheme, bypassCSP: true })
      await page.locator('#key').fill('k')
      await page.locator('#value').fill('v')
      await page.getByRole('button', { name: 'Put' }).click()
      await page.getByText('Stored at').waitFor()
      await page.locator('#lookup-key').fill('k')
      await page.getByRole('button', { name: 'Look up' }).click()
      await page.getByText('It ended since').waitFor()
      await page.evaluate(axe)
      const { violations, passes } = await page.evaluate(() => window.axe.run(document, {
        runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'],
      }))
      const found = violations.map(({ id, nodes }) => `${id}: ${nodes.map((node) => node.html).join(' ')}`)
      assert.ok(passes.length > 20, `${passes.length} rules were checked`)
      assert.deepEqual(found, [], colorScheme)
      await close()
    }
  } finally {
    await chromium.close()
    net.kill()
  }
})
