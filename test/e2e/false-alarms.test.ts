import assert from 'node:assert/strict'
import { after, describe, test } from 'node:test'
import type { Mode } from '../../src/core/mode.ts'
import { RULES } from '../../src/fake-provider/rules.ts'
import type { Rule } from '../../src/fake-provider/rule.ts'
import { startFakeProvider } from '../../src/fake-provider/server.ts'
import { askHealth, assertVerdicts, untilStale, withModels, type Listed } from './health-answer.ts'

const fake = await startFakeProvider()
after(() => fake.stop())

/** A deployment whose requests all arrive under one order of the fake provider. */
function ordered(name: string, order: string, model: string, mode: Mode, info: object = {}): Listed {
  const [provider = ''] = model.split('/')
  const root = `${fake.url}/${order}`
  const isRootBase = ['azure', 'cohere', 'cohere_chat'].includes(provider)
  return {
    model_name: name,
    litellm_params: { model, api_base: isRootBase ? root : `${root}/v1`, api_key: 'test-key-of-upstream' },
    model_info: { mode, ...info },
  }
}

/** Requests (WebSocket messages are none) under each first path segment, and the journal is empty again. */
function requestsBySegment(): ReadonlyMap<string, number> {
  const counts = new Map<string, number>()
  for (const { method, url } of fake.journal()) {
    if (method === 'WSMSG') continue
    const segment = url.split('/')[1] ?? ''
    counts.set(segment, (counts.get(segment) ?? 0) + 1)
  }
  fake.clearJournal()
  return counts
}

/** Habits that cost a first check its second request; all others take one. */
const LEARNED = new Set(['minimum-64', 'renamed-budget', 'old-budget-name'])

const segmentOf = (rule: Rule): string => `rule-${rule.name}`

describe('habits of providers that look like faults', () => {
  test('raise no alarm, take two requests at most at first, and one ever after', async () => {
    const models = RULES.map((rule) => ordered(rule.name, segmentOf(rule), rule.model, rule.mode))
    assert.ok(models.length >= 25)
    const healthy = Object.fromEntries(RULES.map((rule) => [rule.name, 'healthy']))
    const expected = (count: (rule: Rule) => number): Readonly<Record<string, number>> =>
      Object.fromEntries(RULES.map((rule) => [segmentOf(rule), count(rule)]))
    await withModels(models, async (gateway) => {
      const first = await askHealth(gateway)
      assertVerdicts(first, healthy)
      const atFirst = Object.fromEntries(requestsBySegment())
      assert.deepEqual(
        atFirst,
        expected((rule) => (LEARNED.has(rule.name) ? 2 : 1)),
      )
      await untilStale(first)
      const second = await askHealth(gateway)
      assertVerdicts(second, healthy)
      assert.deepEqual(
        Object.fromEntries(requestsBySegment()),
        expected(() => 1),
      )
    })
  })
})

describe("a deployment's defaults for its traffic", () => {
  test('stay out of its probe where they would make it fail or cost more', async () => {
    const plain = ordered('shaped', 'ok', 'openai/gpt-4o', 'chat')
    const shaped: Listed = {
      ...plain,
      litellm_params: {
        ...plain.litellm_params,
        seed: 7,
        temperature: 0.2,
        max_tokens: 4096,
        stream: true,
        n: 4,
        response_format: { type: 'json_object' },
        extra_body: { tools: [{ type: 'function', function: { name: 'f' } }], tool_choice: 'required' },
      },
    }
    await withModels([shaped], async (gateway) => {
      fake.clearJournal()
      assertVerdicts(await askHealth(gateway), { shaped: 'healthy' })
      const [probe] = fake.journal()
      assert.deepEqual(probe?.body, {
        model: 'gpt-4o',
        messages: [{ role: 'user', content: 'Say hello.' }],
        max_tokens: 16,
        seed: 7,
        temperature: 0.2,
      })
    })
  })
})

interface Face {
  readonly name: string
  readonly mode: Mode
  readonly model: string
}

const HTTP_FACES: readonly Face[] = [
  { name: 'chat', mode: 'chat', model: 'openai/gpt-4o' },
  { name: 'reasoning', mode: 'chat', model: 'openai/gpt-5-nano' },
  { name: 'completion', mode: 'completion', model: 'text-completion-openai/gpt-3.5-turbo-instruct' },
  { name: 'embedding', mode: 'embedding', model: 'openai/text-embedding-3-small' },
  { name: 'image', mode: 'image_generation', model: 'openai/gpt-image-1' },
  { name: 'transcription', mode: 'audio_transcription', model: 'openai/whisper-1' },
  { name: 'speech', mode: 'audio_speech', model: 'openai/tts-1' },
  { name: 'batch', mode: 'batch', model: 'openai/gpt-4o-mini' },
  { name: 'rerank', mode: 'rerank', model: 'cohere/rerank-v3.5' },
  { name: 'azure', mode: 'chat', model: 'azure/my-gpt-4o' },
  { name: 'azure-batch', mode: 'batch', model: 'azure/my-batch' },
  { name: 'cohere', mode: 'chat', model: 'cohere_chat/command-r-plus' },
  { name: 'cohere-embed', mode: 'embedding', model: 'cohere/embed-v4.0' },
]

const REALTIME_FACES: readonly Face[] = [
  { name: 'realtime', mode: 'realtime', model: 'openai/gpt-realtime' },
  { name: 'azure-realtime', mode: 'realtime', model: 'azure/my-realtime' },
]

/** What each order must be called: `reason exception_status`. */
const SICK: Readonly<Record<string, string>> = {
  e400: 'bad_request 400',
  e401: 'auth 401',
  e402: 'quota 402',
  e403: 'auth 403',
  e404: 'not_found 404',
  e405: 'bad_request 405',
  e408: 'timeout 408',
  e409: 'bad_request 409',
  e410: 'not_found 410',
  e413: 'bad_request 413',
  e422: 'bad_request 422',
  e429: 'rate_limited 429',
  e500: 'server_error 500',
  e501: 'server_error 501',
  e502: 'server_error 502',
  e503: 'overloaded 503',
  e504: 'timeout 504',
  e529: 'overloaded 529',
  quota: 'quota 429',
  echo: 'auth 401',
  redirect: 'wrong_shape 500',
  html: 'wrong_shape 500',
  garbage: 'wrong_shape 500',
  shape: 'wrong_shape 500',
  err200: 'server_error 500',
  hang: 'timeout 408',
  stall: 'timeout 408',
  cut: 'cut 500',
  reset: 'unreachable 500',
}

const SICK_HTTP: Readonly<Record<string, string>> = { ...SICK, empty: 'empty 500' }

/** Hundreds of megabytes, packed or not: once per shape of reader, for the machine's sake. */
const SICK_FLOODS: Readonly<Record<string, string>> = {
  big: 'wrong_shape 500',
  gzipbomb: 'wrong_shape 500',
}

const SICK_REALTIME: Readonly<Record<string, string>> = {
  ...SICK,
  empty: 'wrong_shape 500',
  wserror: 'server_error 500',
  wssilent: 'timeout 408',
  wsping: 'timeout 408',
  wsclose1011: 'cut 500',
  wsbinary: 'wrong_shape 500',
}

/** Alive, only strange to look at: no order of these may raise an alarm. */
const WELL: Readonly<Record<string, string>> = { ok: 'healthy', slow100: 'healthy', ttft100: 'healthy' }

/** One deployment a face and order, named `face-order`, and what each must be called. */
function crossed(
  faces: readonly Face[],
  table: Readonly<Record<string, string>>,
  deadlineSeconds: number,
): { readonly models: readonly Listed[]; readonly expected: Readonly<Record<string, string>> } {
  const cells = faces.flatMap((face) =>
    Object.entries(table).map(([order, verdict]) => ({
      face,
      order,
      verdict,
      name: `${face.name}-${order}`,
    })),
  )
  const info = { health_check_timeout: deadlineSeconds }
  return {
    models: cells.map(({ face, order, name }) => ordered(name, order, face.model, face.mode, info)),
    expected: Object.fromEntries(cells.map(({ name, verdict }) => [name, verdict])),
  }
}

/** The deadline is short where something hangs, and long where a busy machine must not pass for a slow upstream. */
async function assertCrossed(
  faces: readonly Face[],
  table: Readonly<Record<string, string>>,
  deadlineSeconds: number,
): Promise<void> {
  const { models, expected } = crossed(faces, table, deadlineSeconds)
  await withModels(models, async (gateway) => {
    fake.clearJournal()
    const answer = await askHealth(gateway)
    assertVerdicts(answer, expected)
    // One probe each, sick or well: nothing is tried again behind the scenes. Only what a reused connection swallowed
    // is sent once more.
    const sent = fake.journal().filter(({ method, url }) => method !== 'WSMSG' && !url.includes('/reset'))
    assert.equal(sent.length, models.filter((each) => !JSON.stringify(each).includes('/reset')).length)
  })
}

describe('sick upstreams', () => {
  test('are unhealthy for the right reason, each order in each HTTP mode', () =>
    assertCrossed(HTTP_FACES, SICK_HTTP, 2))
  test('are unhealthy for the right reason, each order of a realtime session', () =>
    assertCrossed(REALTIME_FACES, SICK_REALTIME, 2))
  test('that pour hundreds of megabytes are unhealthy, and read no further', () =>
    assertCrossed(
      HTTP_FACES.filter(({ name }) => ['chat', 'speech', 'batch'].includes(name)),
      SICK_FLOODS,
      30,
    ))
  test('are told from slow ones, which are healthy', () =>
    assertCrossed([...HTTP_FACES, ...REALTIME_FACES], WELL, 30))
})
