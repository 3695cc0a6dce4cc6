import assert from 'node:assert/strict'
import http from 'node:http'
import { test } from 'node:test'
import { startWired } from './wired.test.ts'

const MOST_READERS = 2_000
const AT_ONCE = 100

const open = (url: string): Promise<http.IncomingMessage> =>
  new Promise((resolve, reject) => {
    const headers = { authorization: 'Bearer sk-master' }
    http.get(`${url}/health/events`, { agent: false, headers }, resolve).on('error', reject)
  })

test('the reader beyond the last place is told when to come again, and a place that is left is free', async () => {
  const wired = await startWired([{ group: 'a', base: 'http://127.0.0.1:9/v1' }], { openMode: true })
  const readers: http.IncomingMessage[] = []
  while (readers.length < MOST_READERS)
    readers.push(...(await Promise.all(Array.from({ length: AT_ONCE }, () => open(wired.url)))))
  assert.ok(readers.every(({ statusCode }) => statusCode === 200))
  const refused = await wired.ask('/health/events')
  assert.equal(refused.status, 503)
  assert.equal(refused.headers['retry-after'], '30')
  assert.match(refused.text, /2000 readers follow/)
  // Twice as many as may be in flight: they are none of these.
  assert.equal(wired.gateway.inFlight(), 0)
  readers.pop()?.destroy()
  for (;;) {
    const again = await open(wired.url)
    if (again.statusCode === 200) {
      readers.push(again)
      break
    }
    again.resume()
  }
  for (const reader of readers) reader.destroy()
})
