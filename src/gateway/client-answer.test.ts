import assert from 'node:assert/strict'
import { once } from 'node:events'
import http from 'node:http'
import { test } from 'node:test'
import { createHandClock } from '../core/clock.ts'
import { createClientAnswer } from './client-answer.ts'
import type { RequestAccount, RequestEnd } from './request-report.ts'

interface Told {
  readonly status: number
  readonly text: string
  readonly ends: readonly RequestEnd[]
}

/** What a client and the report are told of an answer with these headers. */
async function told(own: Readonly<Record<string, string>>, body: string): Promise<Told> {
  const ends: RequestEnd[] = []
  const server = http.createServer((request, response) => {
    request.resume().on('end', () => {
      const account: RequestAccount = {
        operation: 'chat',
        common: {},
        startedMs: 0,
        own: {},
        status: 0,
        isStream: false,
        group: undefined,
        last: undefined,
      }
      const answer = createClientAnswer({
        response,
        headers: {},
        operation: 'chat',
        redact: (text) => text,
        report: { begun: () => account, spent: () => {}, over: (_, end) => void ends.push(end) },
        clock: createHandClock(),
        finish: (act) => void setImmediate(act),
        drained: () => {},
      })
      answer.head(200, { ...own, 'content-length': String(body.length) }, [])
      answer.data(Buffer.from(body))
      answer.end({ bytes: body.length })
      // Whoever reports something else after the end is not heard.
      answer.end({ bytes: 0 })
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  try {
    const address = server.address()
    assert.ok(address !== null && typeof address === 'object')
    const response = await fetch(`http://127.0.0.1:${address.port}/`, { method: 'POST', body: '{}' })
    return { status: response.status, text: await response.text(), ends }
  } finally {
    server.close()
    server.closeAllConnections()
  }
}

test('an answer that is whole is sent, and reported once', async () => {
  const { status, text, ends } = await told({ 'x-fine': 'yes' }, '{"a":1}')
  assert.deepEqual([status, text, ends], [200, '{"a":1}', [{ facts: { bytes: 7 } }]])
})

test('one whose headers cannot be written is a clean 500, reported once', async () => {
  const { status, text, ends } = await told({ 'x-bad': 'two\nlines' }, '{"a":1}')
  assert.equal(status, 500)
  assert.match(text, /"type":"internal"/)
  assert.deepEqual(
    ends.map(({ failure }) => failure?.kind),
    ['internal'],
  )
})
