import assert from 'node:assert/strict'
import { once } from 'node:events'
import { Agent, createServer, request, type ServerResponse } from 'node:http'
import { test } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { systemClock } from '../core/clock.ts'
import { createBrokenRequests } from './broken-requests.ts'

test('of an answer that is over nothing is kept while its client keeps the connection', async () => {
  setFlagsFromString('--expose-gc')
  const collect: () => void = runInNewContext('gc')
  const broken = createBrokenRequests(systemClock, (text) => text, 16_384)
  const answered: WeakRef<ServerResponse>[] = []
  const server = createServer((incoming, response) => {
    broken.arrived(incoming, response)
    answered.push(new WeakRef(response))
    response.end('good')
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  assert.ok(address !== null && typeof address === 'object')
  const agent = new Agent({ keepAlive: true })
  try {
    await new Promise<void>((done, failed) => {
      request({ port: address.port, host: '127.0.0.1', agent }, (answer) => answer.resume().on('end', done))
        .on('error', failed)
        .end()
    })
    for (let tries = 0; tries < 50 && answered[0]?.deref() !== undefined; tries++) {
      await pause(10)
      collect()
    }
    assert.equal(answered.length, 1)
    assert.equal(answered[0]?.deref(), undefined)
    const [sockets] = Object.values(agent.freeSockets)
    assert.equal(sockets?.[0]?.destroyed, false)
  } finally {
    agent.destroy()
    server.close()
  }
})
