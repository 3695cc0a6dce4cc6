import assert from 'node:assert/strict'
import { createServer, type ServerResponse } from 'node:http'
import { describe, test } from 'node:test'
import { setTimeout as later } from 'node:timers/promises'
import { startFakeProvider } from '../../src/fake-provider/server.ts'
import { ask, at, AUTH, chat, configOf, eventually, KEY, MESSAGES } from './asking.ts'
import { freePort, startGateway, withFolder, type Gateway } from './program.ts'

const settings = (delay: number): string =>
  `general_settings:\n  master_key: ${KEY}\n  drain_delay: ${delay}\n`

interface Instance {
  readonly url: string
  gateway: Gateway
}

/** What a load balancer knows: who is ready. It looks again every 50 ms. */
function watchReadiness(instances: readonly Instance[]): { readonly ready: Set<Instance>; stop(): void } {
  const ready = new Set(instances)
  const look = async (): Promise<void> => {
    for (const instance of instances) {
      const status = await ask(`${instance.url}/health/readiness`).then(
        (answer) => answer.status,
        () => 0,
      )
      if (status === 200) ready.add(instance)
      else ready.delete(instance)
    }
  }
  const timer = setInterval(() => void look(), 50)
  return { ready, stop: () => clearInterval(timer) }
}

/** A stream of some seconds. */
async function talk(response: ServerResponse): Promise<void> {
  response.writeHead(200, { 'content-type': 'text/event-stream' })
  for (let event = 0; event < 15; event++) {
    response.write('data: {"choices":[{"index":0,"delta":{"content":"hm "}}]}\n\n')
    await later(200)
  }
  response.end('data: [DONE]\n\n')
}

describe('kill -TERM', () => {
  test('under 200 open streams lets them end, and ends with 0', async () => {
    const fake = await startFakeProvider()
    const slow = createServer((_, response) => void talk(response))
    await new Promise<void>((done) => slow.listen(0, '127.0.0.1', done))
    const address = slow.address()
    assert.ok(address !== null && typeof address === 'object')
    const entries = [
      { group: 'slow', base: `http://127.0.0.1:${address.port}/v1` },
      { group: 'g', base: 'v1' },
    ]
    try {
      await withFolder({ 'config.yaml': configOf(entries, settings(0.5))(fake) }, async (cwd) => {
        const gateway = await startGateway(['config.yaml', '--host', '127.0.0.1', '--port', '0'], { cwd })
        try {
          let begun = 0
          const streams = Array.from({ length: 200 }, async (_, index) => {
            await later(5 * index)
            const response = await fetch(`${gateway.url}/v1/chat/completions`, {
              method: 'POST',
              headers: AUTH,
              body: JSON.stringify({ model: 'slow', messages: MESSAGES, stream: true }),
            })
            begun++
            return response.text()
          })
          await eventually(
            () => begun,
            (count) => count === 200,
          )
          gateway.signal('SIGTERM')
          await gateway.seen(/draining/)
          assert.equal((await ask(`${gateway.url}/health/readiness`)).status, 503)
          assert.equal((await ask(`${gateway.url}/health/liveliness`)).status, 200)
          assert.equal((await chat(gateway, { model: 'g' })).status, 200, 'newcomers are served for a while')
          for (const text of await Promise.all(streams)) assert.match(text, /data: \[DONE\]\n\n$/)
          assert.deepEqual(await gateway.ended, { code: 0, signal: null })
        } finally {
          await gateway.stop(0)
        }
      })
    } finally {
      slow.closeAllConnections()
      await new Promise((done) => slow.close(done))
      await fake.stop()
    }
  })

  test('of two instances behind a load balancer, one after the other, loses no request', async () => {
    const fake = await startFakeProvider()
    const config = configOf([{ group: 'g', base: 'v1' }], settings(0.5))(fake)
    await withFolder({ 'config.yaml': config }, async (cwd) => {
      const start = (port: number): Promise<Gateway> =>
        startGateway(['config.yaml', '--host', '127.0.0.1', '--port', String(port)], { cwd })
      const ports = [await freePort(), await freePort()]
      const instances: Instance[] = []
      for (const port of ports)
        instances.push({ url: `http://127.0.0.1:${port}`, gateway: await start(port) })
      const balancer = watchReadiness(instances)
      const counts = { asked: 0, answered: 0 }
      const over = new AbortController()
      const client = async (): Promise<void> => {
        while (!over.signal.aborted) {
          const all = [...balancer.ready]
          const chosen = all[counts.asked++ % Math.max(1, all.length)]
          assert.ok(chosen !== undefined, 'one of the two is ready at any moment')
          const answer = await ask(`${chosen.url}/v1/chat/completions`, {
            headers: AUTH,
            body: { model: 'g', messages: MESSAGES },
          })
          assert.equal(answer.status, 200, answer.text)
          assert.ok(at(answer.json, 'choices', 0) !== undefined)
          counts.answered++
          await later(10)
        }
      }
      const clients = Promise.all(Array.from({ length: 8 }, client))
      try {
        await later(200)
        for (const instance of instances) {
          assert.deepEqual(await instance.gateway.stop(), { code: 0, signal: null })
          instance.gateway = await start(Number(new URL(instance.url).port))
          await eventually(
            () => balancer.ready.size,
            (count) => count === 2,
          )
        }
        over.abort()
        await clients
        assert.equal(counts.answered, counts.asked)
        assert.ok(counts.answered > 100, `${counts.answered} requests`)
      } finally {
        over.abort()
        balancer.stop()
        for (const { gateway } of instances) await gateway.stop(0)
        await clients.catch(() => {})
        await fake.stop()
      }
    })
  })
})
