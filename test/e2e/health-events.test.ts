import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { ask, at, AUTH, configOf, eventually, KEY, SETTINGS, UPSTREAM_KEY, withStage } from './asking.ts'
import { readEvents, type EventReader } from './event-reader.ts'
import type { Gateway } from './program.ts'

const TWO = [
  { group: 'a', base: 'ok/v1' },
  { group: 'b', base: 'e401/v1' },
] as const

const order = async (gateway: Gateway, id: string, action: string): Promise<void> => {
  const { status, text } = await ask(`${gateway.url}/health/deployments/${id}/${action}`, {
    method: 'POST',
    headers: AUTH,
  })
  assert.ok(status < 300, text)
}

const had = (reader: EventReader, count: number) =>
  eventually(
    () => reader.events.length,
    (length) => length >= count,
  )

const steps = ({ events }: EventReader): readonly string[] =>
  events.map(({ event, data }) =>
    event === 'snapshot' ? event : [at(data, 'model_id'), at(data, 'from'), at(data, 'to')].join(' '),
  )

describe('GET /health/events', () => {
  test('tells the state of everybody, then each transition, whoever caused it', async () => {
    await withStage(configOf(TWO), async ({ gateway }) => {
      const reader = await readEvents(gateway.url, AUTH)
      assert.equal(reader.response.status, 200)
      assert.equal(reader.response.headers.get('content-type'), 'text/event-stream')
      assert.equal(reader.response.headers.get('cache-control'), 'no-store')
      assert.ok(reader.response.headers.get('x-litellm-call-id'))
      await had(reader, 1)
      assert.ok(reader.text().startsWith('retry: 3000\n\nevent: snapshot\nid: '))
      const [first] = reader.events
      assert.deepEqual(
        [0, 1].map((index) => [
          at(first?.data, 'deployments', index, 'model_id'),
          at(first?.data, 'deployments', index, 'health_state'),
        ]),
        [
          ['id-a', 'UNKNOWN'],
          ['id-b', 'UNKNOWN'],
        ],
      )
      // Probes, and an operator.
      await ask(`${gateway.url}/health`, { headers: AUTH })
      await had(reader, 3)
      await order(gateway, 'id-a', 'isolate')
      await had(reader, 4)
      assert.deepEqual([...steps(reader)].sort().slice(0, 3), [
        'id-a HEALTHY ISOLATED',
        'id-a UNKNOWN HEALTHY',
        'id-b UNKNOWN SUSPECT',
      ])
      const refused = reader.events.find(({ data }) => data['to'] === 'SUSPECT')
      assert.equal(refused?.data['reason'], 'auth')
      assert.match(String(at(refused?.data, 'error')), /answered 401/)
      for (const secret of [KEY, UPSTREAM_KEY]) assert.ok(!reader.text().includes(secret))
      reader.close()
    })
  })

  test('whoever comes back with the last id gets what it has missed, in order and once', async () => {
    await withStage(configOf(TWO), async ({ gateway }) => {
      const before = await readEvents(gateway.url, AUTH)
      await had(before, 1)
      await order(gateway, 'id-a', 'isolate')
      await had(before, 2)
      before.close()
      await before.ended
      await order(gateway, 'id-a', 'restore')
      await order(gateway, 'id-b', 'isolate')
      const last = before.events.at(-1)?.id ?? ''
      const after = await readEvents(gateway.url, { ...AUTH, 'last-event-id': last })
      await had(after, 2)
      await order(gateway, 'id-b', 'restore')
      await had(after, 3)
      assert.deepEqual(steps(after), [
        'id-a ISOLATED UNKNOWN',
        'id-b UNKNOWN ISOLATED',
        'id-b ISOLATED UNKNOWN',
      ])
      after.close()
      const stranger = await readEvents(gateway.url, { ...AUTH, 'last-event-id': 'another-7' })
      await had(stranger, 1)
      assert.deepEqual(steps(stranger), ['snapshot'])
      stranger.close()
    })
  })

  test('asks for the key, and HEAD hangs nobody', async () => {
    await withStage(configOf(TWO), async ({ gateway }) => {
      const url = `${gateway.url}/health/events`
      assert.equal((await ask(url)).status, 401)
      const head = await ask(url, { method: 'HEAD', headers: AUTH })
      assert.equal(head.status, 200)
      assert.equal(head.headers.get('content-type'), 'text/event-stream')
    })
  })

  test('keeps no gateway from ending, and counts as no request in flight', async () => {
    const settings = `${SETTINGS}  global_max_parallel_requests: 1\n`
    await withStage(configOf(TWO, settings), async ({ gateway }) => {
      const readers = await Promise.all([1, 2, 3].map(() => readEvents(gateway.url, AUTH)))
      const chat = { model: 'a', messages: [{ role: 'user', content: 'ping' }] }
      const answer = await ask(`${gateway.url}/v1/chat/completions`, { headers: AUTH, body: chat })
      assert.equal(answer.status, 200, answer.text)
      const { code } = await gateway.stop(5000)
      assert.equal(code, 0)
      for (const { ended } of readers) await ended
    })
  })

  test('health_check_details: false shows states alone', async () => {
    await withStage(configOf(TWO, `${SETTINGS}  health_check_details: false\n`), async ({ gateway }) => {
      const reader = await readEvents(gateway.url, AUTH)
      await had(reader, 1)
      await order(gateway, 'id-a', 'isolate')
      await had(reader, 2)
      assert.deepEqual(Object.keys(Object(at(reader.events[0]?.data, 'deployments', 0))), [
        'model_id',
        'model',
        'health_state',
      ])
      assert.deepEqual(Object.keys(reader.events[1]?.data ?? {}), [
        'version',
        'at',
        'model_id',
        'model',
        'from',
        'to',
      ])
      reader.close()
    })
  })
})
