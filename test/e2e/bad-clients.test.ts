import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect } from 'node:net'
import { describe, test } from 'node:test'
import { ask, at, AUTH, chat, eventually, KEY, listAt, SETTINGS, withStage, type Stage } from './asking.ts'
import type { Gateway } from './program.ts'

/** Two deployments a group: what fails at one may be tried at the other. `order` is how the provider behaves there. */
interface Trouble {
  readonly group: string
  readonly order: string
  readonly provider?: 'azure'
  /** Sends one bad request. */
  readonly send: (gateway: Gateway, number: number) => Promise<void>
}

const LEAVES_MS = 50

const said = (content: string): object => ({ messages: [{ role: 'user', content }] })

/** A request that its provider refuses as bad: each is another one, for what is the same may be told apart. */
const refused =
  (group: string, body: (number: number) => object) =>
  async (gateway: Gateway, number: number): Promise<void> => {
    const { status, headers, text } = await chat(gateway, { model: group, ...body(number) })
    assert.equal(status, 400, text)
    assert.equal(headers.get('x-pulsegate-error-source'), 'upstream', text)
  }

/** A client that goes away at the first byte of a stream, or while it waits for an answer that never comes. */
const aborted =
  (group: string, isStream: boolean) =>
  async (gateway: Gateway, number: number): Promise<void> => {
    const leave = new AbortController()
    const answer = fetch(`${gateway.url}/v1/chat/completions`, {
      method: 'POST',
      headers: { ...AUTH, 'content-type': 'application/json' },
      body: JSON.stringify({ model: group, stream: isStream, ...said(`hello ${number}`) }),
      signal: leave.signal,
    })
    if (isStream) {
      const { status, body } = await answer
      assert.equal(status, 200)
      const first = await body?.getReader().read()
      assert.ok(first !== undefined && !first.done)
      leave.abort()
      return
    }
    const gone = assert.rejects(answer, { name: 'AbortError' })
    setTimeout(() => leave.abort(), LEAVES_MS)
    await gone
  }

/** A client that goes away before it has sent all of its request. */
async function halfSent(gateway: Gateway, number: number): Promise<void> {
  const { hostname, port } = new URL(gateway.url)
  const socket = connect(Number(port), hostname)
  await once(socket, 'connect')
  const head = [
    'POST /v1/chat/completions HTTP/1.1',
    'host: gateway',
    `authorization: Bearer ${KEY}`,
    'content-type: application/json',
    'content-length: 1000',
  ]
  const begun = `{"model":"unfinished","messages":[{"role":"user","content":"${number}`
  socket.write(`${head.join('\r\n')}\r\n\r\n${begun}`)
  socket.on('error', () => {}) // It may be told off before it is gone.
  setTimeout(() => socket.destroy(), 10)
  await once(socket, 'close')
}

/** The provider is silent there while clients leave. */
const MUTE = 'at-mute'

const TROUBLES: readonly Trouble[] = [
  {
    group: 'bad',
    order: 'ok',
    send: refused('bad', (number) => ({ ...said(`bad ${number}`), temperature: 'hot' })),
  },
  {
    group: 'too-long',
    order: 'rule-context-window',
    send: refused('too-long', (number) => said(`${number}${'x'.repeat(4000)}`)),
  },
  {
    group: 'filtered',
    order: 'rule-screened-prompts',
    provider: 'azure',
    send: refused('filtered', (number) => said(`offence ${number}`)),
  },
  {
    group: 'banned',
    order: 'rule-banned-words',
    send: refused('banned', (number) => said(`offence ${number}`)),
  },
  { group: 'left', order: MUTE, send: aborted('left', false) },
  { group: 'cut-short', order: 'drip1', send: aborted('cut-short', true) },
  { group: 'unfinished', order: 'ok', send: halfSent },
]
const EACH = 150
const AT_ONCE = 10

const idsOf = ({ group }: Trouble): readonly string[] => [`${group}-1`, `${group}-2`]

const configAt = (url: string): string => {
  const entries = TROUBLES.flatMap((trouble) => {
    const { group, order, provider = 'openai' } = trouble
    const base = provider === 'azure' ? `${url}/${order}` : `${url}/${order}/v1`
    return idsOf(trouble).map(
      (id) =>
        `  - model_name: ${group}\n` +
        `    litellm_params: { model: ${provider}/gpt-4o, api_base: '${base}', api_key: sk-${id} }\n` +
        `    model_info: { id: ${id} }\n`,
    )
  })
  const background = '  background_health_checks: true\n  health_check_interval: 300\n'
  return `model_list:\n${entries.join('')}${SETTINGS}${background}`
}

async function stateOf({ gateway }: Pick<Stage, 'gateway'>, id: string): Promise<unknown> {
  const { json } = await ask(`${gateway.url}/health/deployments/${id}`, { headers: AUTH })
  return at(listAt(json, 'deployments')[0], 'health_state')
}

describe('a client that sends a thousand bad requests', () => {
  test('ejects nobody: refused ones, prompts too long, forbidden ones, and its own going away', async () => {
    assert.ok(EACH * TROUBLES.length >= 1000)
    const ids = TROUBLES.flatMap(idsOf)
    await withStage(
      ({ url }) => configAt(url),
      async (stage) => {
        const { gateway, fake } = stage
        fake.order(MUTE, 'ok')
        const states = () => Promise.all(ids.map((id) => stateOf(stage, id)))
        await eventually(states, (all) => all.every((state) => state === 'HEALTHY'))
        fake.clearJournal()
        fake.order(MUTE, 'hang')
        for (let sent = 0; sent < EACH; sent += AT_ONCE) {
          const round = Array.from({ length: AT_ONCE }, (_, number) => sent + number)
          await Promise.all(TROUBLES.flatMap(({ send }) => round.map((number) => send(gateway, number))))
          assert.deepEqual(new Set(await states()), new Set(['HEALTHY']))
        }
        // Not even between two readings.
        assert.doesNotMatch(gateway.stderr(), /"health_changed"/)
        assert.doesNotMatch(gateway.stderr(), /"poison_request"/)
        for (const { order, send } of TROUBLES)
          if (send !== halfSent) assert.ok(fake.traffic(order).total > 0, `${order} was never asked`)
        fake.order(MUTE, 'ok')
        // Both still serve: one request in two goes to each.
        for (const trouble of TROUBLES)
          await eventually(() => servedBy(gateway, trouble.group), seen(idsOf(trouble)))
      },
    )
  })
})

async function servedBy(gateway: Gateway, model: string): Promise<string | null> {
  const { status, headers, text } = await chat(gateway, { model })
  assert.equal(status, 200, text)
  return headers.get('x-litellm-model-id')
}

/** True once every one of these has come. */
function seen(ids: readonly string[]): (id: string | null) => boolean {
  const left = new Set<string | null>(ids)
  return (id) => {
    left.delete(id)
    return left.size === 0
  }
}
