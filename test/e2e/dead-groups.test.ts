import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ask, at, AUTH, chat, configOf, eventually, SETTINGS, withStage, type Answer } from './asking.ts'
import { openBlackHole, type BlackHole } from './black-hole.ts'
import { refused } from './sessions.ts'

const BACK = {
  id: 'chatcmpl-back',
  object: 'chat.completion',
  created: 1,
  model: 'gpt-4o',
  choices: [{ index: 0, message: { role: 'assistant', content: 'back' }, finish_reason: 'stop' }],
}
/** Less than two connect timeouts: who waited for one connection did not wait for another. */
const FIRST_MS = 2 * 3_000 - 100
/** Less than one: nobody waited for a connection. */
const AT_ONCE_MS = 3_000 - 100

const settings = (router: string): string => `${SETTINGS}router_settings: { ${router} }\n`

async function withBlackHoles(
  count: number,
  use: (holes: readonly BlackHole[]) => Promise<void>,
): Promise<void> {
  const answer = JSON.stringify(BACK)
  const holes = await Promise.all(Array.from({ length: count }, () => openBlackHole(answer)))
  try {
    await use(holes)
  } finally {
    for (const hole of holes) hole.stop()
  }
}

const entriesOf = (holes: readonly BlackHole[]): { group: string; base: string; info: string }[] =>
  holes.map(({ url }, number) => ({ group: 'g', base: `${url}/v1`, info: `-${number}` }))

async function timed(send: () => Promise<Answer>): Promise<Answer & { readonly tookMs: number }> {
  const startedMs = performance.now()
  const answer = await send()
  return { ...answer, tookMs: performance.now() - startedMs }
}

test('a group that swallows connections holds up one request, and serves again once it accepts them', async () => {
  await withBlackHoles(2, async (holes) => {
    const config = configOf(entriesOf(holes), settings('num_retries: 2, cooldown_time: 1'))
    await withStage(config, async ({ gateway }) => {
      const first = await timed(() => chat(gateway, { model: 'g' }))
      assert.deepEqual([first.status, at(first.json, 'error', 'type')], [502, 'unreachable'])
      assert.ok(first.tookMs < FIRST_MS, `${first.tookMs} ms`)

      // For longer than the rest, and so while it is looked at.
      for (const endMs = performance.now() + 5_000; performance.now() < endMs;) {
        const later = await timed(() => chat(gateway, { model: 'g' }))
        assert.deepEqual([later.status, at(later.json, 'error', 'type')], [503, 'none_available'])
        assert.ok(later.tookMs < AT_ONCE_MS, `${later.tookMs} ms`)
        assert.match(later.headers.get('retry-after') ?? '', /^[12]$/)
        const message = String(at(later.json, 'error', 'message'))
        assert.equal(
          message.match(/no connection comes about, (?:tried again in \d s|being tried again now)/g)?.length,
          2,
        )
        const models = await timed(() => ask(`${gateway.url}/v1/models`, { headers: AUTH }))
        assert.ok(models.status === 200 && models.tookMs < AT_ONCE_MS, `${models.tookMs} ms`)
      }

      for (const hole of holes) hole.revive()
      const back = await eventually(
        () => chat(gateway, { model: 'g' }),
        ({ status }) => status !== 503,
      )
      assert.equal(back.status, 200, back.text)
      assert.equal(at(back.json, 'choices', 0, 'message', 'content'), 'back')
    })
  })
})

test('beside a deployment that swallows connections one that lives answers every request', async () => {
  await withBlackHoles(1, async (holes) => {
    const entries = [...entriesOf(holes), { group: 'g', base: 'ok/v1', info: '-live' }]
    await withStage(configOf(entries, settings('cooldown_time: 0.5')), async ({ gateway }) => {
      const all: (Answer & { readonly tookMs: number })[] = []
      for (let round = 0; round < 30; round += 1) {
        const answers = Array.from({ length: 4 }, () => timed(() => chat(gateway, { model: 'g' })))
        all.push(...(await Promise.all(answers)))
      }
      assert.deepEqual([...new Set(all.map(({ status }) => status))], [200])
      const late = all.filter(({ tookMs }) => tookMs > 1_400)
      assert.ok(late.length <= 4, `${late.length} were held up`)
      assert.ok(all.every(({ tookMs }) => tookMs < FIRST_MS))
    })
  })
})

test('a realtime session waits for connections once, however many deployments swallow them', async () => {
  await withBlackHoles(3, async (holes) => {
    const entries = holes.map(({ url }, number) => ({
      group: 'g',
      base: `${url}/v1`,
      model: 'openai/gpt-realtime',
      info: `-${number}, mode: realtime`,
    }))
    await withStage(configOf(entries, SETTINGS), async ({ gateway }) => {
      const startedMs = performance.now()
      const answer = await refused(gateway, '/v1/realtime?model=g', { headers: AUTH })
      const tookMs = performance.now() - startedMs
      assert.equal(answer.status, 502, answer.text)
      assert.match(answer.text, /no connection within 1125 ms/)
      assert.ok(tookMs < FIRST_MS, `${tookMs} ms`)
    })
  })
})
