import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startGateway, type Gateway } from './program.ts'

const AUTH = { headers: { authorization: 'Bearer sk-1234' } }
const NAME = 'gpt-4o \\(openai/gpt-4o\\)'

/** The address of one of the lines to copy. */
function addressIn(gateway: Gateway, part: string): string {
  const [, url] = new RegExp(`curl (http://\\S*${part}\\S*)`).exec(gateway.stdout()) ?? []
  assert.ok(url !== undefined, `no line with ${part}`)
  return url
}

async function jsonOf(url: string): Promise<ReturnType<typeof JSON.parse>> {
  return (await fetch(url, AUTH)).json()
}

function groupOf(gateway: Gateway): Promise<ReturnType<typeof JSON.parse>> {
  return jsonOf(addressIn(gateway, '/health/groups/gpt-4o'))
}

test('a model of the demo is broken and healed while traffic runs, and no request fails', async (t) => {
  const gateway = await startGateway(['demo', '--port', '0'])
  t.after(() => gateway.stop())
  await gateway.seen(/Ctrl-C ends the demo/, 15_000)
  assert.equal((await fetch(addressIn(gateway, '/__set/gpt-4o/e500'))).status, 200)
  await gateway.seen(
    new RegExp(`${NAME}  HEALTHY → SUSPECT  server_error: it answered with an error`),
    15_000,
  )
  const suspectedAt = performance.now()
  await gateway.seen(new RegExp(`${NAME}  SUSPECT → DOWN  server_error: it answered with an error`), 20_000)
  t.diagnostic(`SUSPECT → DOWN after ${((performance.now() - suspectedAt) / 1000).toFixed(1)} s`)

  const sick = await groupOf(gateway)
  assert.match(sick.summary, /^1 of 3 left/)
  const [first] = sick.deployments
  assert.deepEqual([first.health_state, first.reason, first.in_rotation], ['DOWN', 'server_error', false])
  const id = encodeURIComponent(first.model_id)
  const { deployments } = await jsonOf(`${gateway.url}/health/deployments/${id}`)
  assert.match(deployments[0].why, /^DOWN for \d+ s: .*this deployment alone is to blame/)
  assert.match(deployments[0].error, /500/)
  assert.ok(deployments[0].evidence.some(({ source }: { source: string }) => source === 'probe'))
  assert.ok(deployments[0].next_probe.price_usd > 0)

  assert.equal((await fetch(addressIn(gateway, '/__set/gpt-4o/slow180'))).status, 200)
  await gateway.seen(new RegExp(`${NAME}  DOWN → RECOVERING`), 60_000)
  await gateway.seen(new RegExp(`${NAME}  RECOVERING → HEALTHY`), 60_000)
  assert.match((await groupOf(gateway)).summary, /^2 of 3 left/)

  await gateway.stop()
  const [, answered] = /demo traffic: .*; (\d+) answered, 0 failed$/m.exec(gateway.stdout()) ?? []
  assert.ok(Number(answered) > 20, gateway.stdout())
})

test('the demo can be had without traffic', async (t) => {
  const gateway = await startGateway(['demo', '--port', '0', '--no-traffic'])
  t.after(() => gateway.stop())
  await gateway.seen(/Ctrl-C ends the demo/, 15_000)
  await gateway.stop()
  assert.match(gateway.stdout(), /^demo traffic: none$/m)
})
