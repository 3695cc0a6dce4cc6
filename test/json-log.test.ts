import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { resolve } from 'node:path'
import { test } from 'node:test'

/** Writes many lines and says how long that took and how many were thrown away. */
const PROGRAM = `
import { createJsonLog } from ${JSON.stringify(resolve(import.meta.dirname, '../src/json-log.ts'))}
const log = createJsonLog({ level: 'info', redact: (text) => text })
const from = performance.now()
for (let count = 0; count < 30000; count++) {
  log.info('request_failed', { call_id: 'c'.repeat(300) })
  if (count % 1000 === 0) await new Promise((next) => setImmediate(next))
}
process.stdout.write(JSON.stringify({ tookMs: performance.now() - from, dropped: log.dropped() }))
`

test('a log that nobody reads costs no time and a bounded memory: lines are thrown away, and counted', async () => {
  const child = spawn(process.execPath, ['--input-type=module', '-e', PROGRAM], {
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  try {
    const [said] = await once(child.stdout, 'data')
    const { tookMs, dropped } = JSON.parse(String(said))
    // 30,000 lines of 400 bytes are 12 MB, of which 4 may wait.
    assert.ok(dropped > 15_000 && dropped < 25_000, `${dropped} dropped`)
    assert.ok(tookMs < 5_000, `${tookMs} ms`)
  } finally {
    child.kill('SIGKILL')
  }
})
