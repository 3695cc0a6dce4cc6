import assert from 'node:assert/strict'
import { once } from 'node:events'
import http from 'node:http'
import { test } from 'node:test'
import { createHandClock } from '../core/clock.ts'
import { startDemoTraffic } from './demo-traffic.ts'

test('asks in turn at its pace, says who it is, and counts what comes back', async (t) => {
  const clock = createHandClock()
  const asked: string[] = []
  const server = http.createServer((request, response) => {
    let text = ''
    request.on('data', (chunk: Buffer) => (text += chunk.toString()))
    request.on('end', () => {
      asked.push(
        `${JSON.parse(text).model} ${request.headers['user-agent']} ${request.headers.authorization}`,
      )
      response.writeHead(asked.length === 2 ? 503 : 200).end('{}')
    })
  })
  t.after(() => server.close())
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  const url = `http://127.0.0.1:${typeof address === 'object' ? address?.port : 0}`
  const traffic = startDemoTraffic({ url, key: 'sk-1', models: ['a', 'b'], everyMs: 250 }, clock)
  const settled = async (count: number): Promise<void> => {
    const { numbers } = traffic
    while (numbers().answered + numbers().failed < count) await new Promise((next) => void setImmediate(next))
  }
  for (const count of [1, 2, 3]) {
    clock.wind(250)
    await settled(count)
  }
  assert.deepEqual(
    asked,
    ['a', 'b', 'a'].map((model) => `${model} pulsegate-demo-traffic Bearer sk-1`),
  )
  assert.deepEqual(traffic.numbers(), { answered: 2, failed: 1, lastFailure: 'HTTP 503' })
  traffic.stop()
  clock.wind(1000)
  assert.equal(clock.pending(), 0)
  assert.equal(asked.length, 3)
})

test('what it sends to nobody has failed, unless it was stopped before', async () => {
  const clock = createHandClock()
  const traffic = startDemoTraffic(
    { url: 'http://127.0.0.1:9', key: 'k', models: ['a'], everyMs: 100 },
    clock,
  )
  clock.wind(100)
  while (traffic.numbers().failed === 0) await new Promise((next) => void setImmediate(next))
  assert.match(traffic.numbers().lastFailure ?? '', /ECONNREFUSED/)
  traffic.stop()
})
