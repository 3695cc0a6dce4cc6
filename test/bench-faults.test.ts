import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:http'
import { connect } from 'node:net'
import { test } from 'node:test'
import { ask, askOpenly, createAgent } from '../bench/asking.ts'
import { openBlackHole } from './e2e/black-hole.ts'
import { KEY } from '../bench/messages.ts'
import { urlOf } from './e2e/sessions.ts'

test('the bench asks as often as it is told, though nobody answers until all have asked', async () => {
  let waiting: (() => void)[] = []
  const keys = new Set<string | undefined>()
  const server = createServer((request, response) => {
    keys.add(request.headers.authorization)
    request.resume()
    waiting.push(() => response.writeHead(503, { 'retry-after': '7' }).end('no'))
    if (waiting.length < 20) return
    for (const answer of waiting) answer()
    waiting = []
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const agent = createAgent()
  const question = { url: urlOf(server), body: { model: 'any' } }
  const answers = await askOpenly(agent, question, { perSecond: 200, seconds: 0.1 })
  assert.equal(answers.length, 20)
  assert.deepEqual([...keys], [`Bearer ${KEY}`])
  for (const { status, retryAfter, retries, text } of answers)
    assert.deepEqual([status, retryAfter, retries, text], [503, '7', 0, 'no'])
  // The first one has waited for all the others, and its time ran from the moment it was planned for.
  assert.ok((answers[0]?.tookMs ?? 0) >= 90, String(answers[0]?.tookMs))
  agent.destroy()
  server.close()
})

test('a connection that breaks is an answer with status 0', async () => {
  const server = createServer((request) => request.socket.destroy()).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const agent = createAgent()
  assert.equal((await ask(agent, { url: urlOf(server) })).status, 0)
  agent.destroy()
  server.close()
})

test('a black hole neither accepts nor refuses', { skip: process.platform === 'win32' }, async () => {
  const hole = await openBlackHole()
  const caller = connect(Number(new URL(hole.url).port), '127.0.0.1')
  try {
    const happened = once(caller, 'connect').then(() => 'accepted')
    const silence = new Promise<string>((resolve) => setTimeout(resolve, 300, 'silence'))
    assert.equal(await Promise.race([happened, silence]), 'silence')
  } finally {
    caller.on('error', () => {}).destroy()
    hole.stop()
  }
})
