import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { chromium, type BrowserContext, type Page } from 'playwright-core'
import { configOf, withStage } from './asking.ts'

const CHROMIUM = process.env['CHROMIUM_PATH'] ?? '/usr/bin/chromium'
const FLAGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
]
// In CI a missing browser is a failure: a page that nobody looks at is not tested.
const noBrowser = existsSync(CHROMIUM) || process.env['CI'] === 'true' ? false : `there is no ${CHROMIUM}`

interface Visit {
  readonly page: Page
  /** What the console said, and which addresses were asked. */
  readonly console: readonly string[]
  readonly requests: readonly string[]
}

type Look = Readonly<{ width: number; height: number; colorScheme: 'light' | 'dark' }>

const DESKTOP: Look = { width: 1280, height: 800, colorScheme: 'light' }
const PHONE: Look = { width: 375, height: 700, colorScheme: 'light' }
const NIGHT: Look = { width: 1280, height: 800, colorScheme: 'dark' }

describe('the page', { skip: noBrowser }, () => {
  const browser = createBrowser()
  before(browser.open)
  after(browser.close)

  test('says what this is, and where to look, on a screen and on a phone, by day and by night', async (t) => {
    await withStage(configOf([{ group: 'gpt-4o', base: 'ok/v1' }]), async ({ gateway, fake }) => {
      for (const look of [DESKTOP, PHONE, NIGHT])
        await t.test(`${look.width} px wide, ${look.colorScheme}`, async () => {
          const visit = await browser.visit(gateway.url, look)
          const { page } = visit
          assert.equal(await page.title(), 'Pulsegate')
          assert.equal(await page.locator('h1').innerText(), 'Pulsegate')
          assert.match(await page.locator('main').innerText(), /Serving/)
          const routes = await page.locator('tbody code').allInnerTexts()
          assert.deepEqual(routes, [
            'GET /health',
            'GET /health/readiness',
            'GET /health/liveliness',
            'GET /v1/models',
            'GET /v1/model/info',
            'POST /v1/chat/completions',
          ])
          assert.match(await page.locator('pre').innerText(), new RegExp(`curl .*${gateway.url}/health`))
          assert.deepEqual(visit.console, [])
          assert.deepEqual(
            visit.requests.filter((url) => !url.startsWith(`${gateway.url}/`)),
            [],
          )
          assert.ok(await page.evaluate('document.documentElement.scrollWidth <= innerWidth'))
          const shade = await page.evaluate('getComputedStyle(document.body).backgroundColor')
          assert.equal(shade, look.colorScheme === 'dark' ? 'rgb(20, 23, 26)' : 'rgb(255, 255, 255)')
          // For people who want to see it: a folder to put pictures in.
          const folder = process.env['PULSEGATE_SCREENSHOTS']
          if (folder !== undefined)
            await page.screenshot({
              path: join(folder, `page-${look.width}-${look.colorScheme}.png`),
              fullPage: true,
            })
          await page.close()
        })
      assert.equal(fake.journal().length, 0)
    })
  })

  test('says so while the gateway shuts down', async () => {
    const settings = 'general_settings:\n  drain_delay: 20\n'
    await withStage(configOf([{ group: 'gpt-4o', base: 'ok/v1' }], settings), async ({ gateway }) => {
      gateway.signal('SIGTERM')
      await gateway.seen(/draining/)
      const { page } = await browser.visit(gateway.url, DESKTOP)
      assert.match(await page.locator('main').innerText(), /Shutting down/)
      await page.close()
    })
  })
})

/** One browser for all tests, with a profile of its own that is gone afterwards. */
function createBrowser() {
  let context: BrowserContext | undefined
  let folder: string | undefined
  return {
    open: async (): Promise<void> => {
      folder = await mkdtemp(join(tmpdir(), 'pulsegate-page-'))
      context = await chromium.launchPersistentContext(folder, {
        executablePath: CHROMIUM,
        headless: true,
        args: FLAGS,
        timeout: 20_000,
      })
    },
    close: async (): Promise<void> => {
      await context?.close()
      if (folder !== undefined) await rm(folder, { recursive: true, force: true, maxRetries: 3 })
    },
    visit: async (url: string, { width, height, colorScheme }: Look): Promise<Visit> => {
      assert.ok(context !== undefined)
      const page = await context.newPage()
      const console: string[] = []
      const requests: string[] = []
      page.on('console', (message) => console.push(message.text()))
      page.on('pageerror', (error) => console.push(error.message))
      page.on('request', (asked) => requests.push(asked.url()))
      await page.setViewportSize({ width, height })
      await page.emulateMedia({ colorScheme })
      await page.goto(`${url}/`, { waitUntil: 'networkidle', timeout: 15_000 })
      return { page, console, requests }
    },
  }
}
