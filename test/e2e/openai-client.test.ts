import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { setTimeout as wait } from 'node:timers/promises'
import {
  OpenAI,
  AzureOpenAI,
  APIConnectionError,
  APIError,
  APIUserAbortError,
  AuthenticationError,
  BadRequestError,
  ConflictError,
  InternalServerError,
  NotFoundError,
  PermissionDeniedError,
  RateLimitError,
  UnprocessableEntityError,
} from 'openai'
import { startFakeProvider } from '../../src/fake-provider/server.ts'
import { withModels, type Listed } from './health-answer.ts'
import type { Gateway } from './program.ts'

const KEY = 'sk-master-of-the-gateway'
const fake = await startFakeProvider()
after(() => fake.stop())

/** A deployment of the fake under the order `order`. */
function ordered(name: string, order = 'ok', more: Readonly<Record<string, unknown>> = {}): Listed {
  const base = `${fake.url}/${order}/v1`
  return {
    model_name: name,
    litellm_params: { model: 'openai/gpt-4o', api_base: base, api_key: 'sk-of-upstream', ...more },
  }
}

/** A client of the gateway; it does not try again, so that each error is the gateway's first. */
const clientOf = (gateway: Gateway, apiKey = KEY): OpenAI =>
  new OpenAI({ apiKey, baseURL: `${gateway.url}/v1`, maxRetries: 0 })

const MESSAGES: OpenAI.ChatCompletionMessageParam[] = [{ role: 'user', content: 'ping' }]

interface Raised {
  readonly order: string
  readonly as: new (...args: never[]) => Error
  readonly status: number
  readonly type: string
  readonly retryAfter?: string
}

/** What each ailment of the upstream is raised as: class, status, and our kind as the type. */
const RAISED: readonly Raised[] = [
  { order: 'e400', as: BadRequestError, status: 400, type: 'bad_request' },
  { order: 'e401', as: AuthenticationError, status: 401, type: 'auth' },
  { order: 'e403', as: PermissionDeniedError, status: 403, type: 'auth' },
  { order: 'e404', as: NotFoundError, status: 404, type: 'not_found' },
  { order: 'e409', as: ConflictError, status: 409, type: 'bad_request' },
  { order: 'e422', as: UnprocessableEntityError, status: 422, type: 'bad_request' },
  { order: 'e429r30', as: RateLimitError, status: 429, type: 'rate_limited', retryAfter: '30' },
  { order: 'quota', as: RateLimitError, status: 429, type: 'quota' },
  { order: 'e500', as: InternalServerError, status: 500, type: 'server_error' },
  { order: 'e503r5', as: InternalServerError, status: 503, type: 'overloaded', retryAfter: '5' },
  { order: 'reset', as: InternalServerError, status: 502, type: 'unreachable' },
  { order: 'garbage', as: InternalServerError, status: 502, type: 'wrong_shape' },
  { order: 'html', as: InternalServerError, status: 502, type: 'wrong_shape' },
  { order: 'empty', as: InternalServerError, status: 502, type: 'empty' },
  { order: 'hang', as: InternalServerError, status: 504, type: 'timeout' },
]

const MODELS: readonly Listed[] = [
  { ...ordered('gpt-4o'), model_info: { id: 'the-one' } },
  ordered('team/gpt-4o'),
  {
    model_name: 'command',
    litellm_params: { model: 'cohere_chat/command-r-plus', api_base: fake.url, api_key: 'co-key' },
  },
  ...RAISED.map(({ order }) =>
    ordered(order, order, order === 'hang' ? { timeout: 0.3, stream_timeout: 0.3 } : {}),
  ),
  ordered('cut', 'cut'),
  ordered('dripping', 'drip5'),
  // A name of its own at the fake, so that its traffic is told from the other's.
  ordered('waiting', 'slow600000'),
]

test("OpenAI's own client", async (t) => {
  // Each failure is told at once: second tries have a test of their own.
  const settings = { general_settings: { master_key: KEY }, router_settings: { num_retries: 0 } }
  let client: OpenAI | undefined
  await withModels(
    MODELS,
    async (gateway) => {
      client = clientOf(gateway)
      await t.test('gets a chat and a streamed chat of every provider', () => chats(gateway))
      await t.test('gets the list of models, and one by its name', () => models(gateway))
      await t.test("reaches a group through Azure's paths", () => azurePaths(gateway))
      await t.test('is told which deployment answered', () => deploymentHeader(gateway))
      await t.test('raises the right class for what ails an upstream', () => ailments(gateway))
      await t.test('raises an error in the middle of a stream that breaks', () => brokenStream(gateway))
      await t.test('raises the right class for what is wrong with a request', () => mistakes(gateway))
      await t.test('ends the upstream request when it leaves a stream', () => leavesStream(gateway))
      await t.test('ends the upstream request when it leaves early', () => leavesEarly(gateway))
    },
    settings,
  )
  await t.test('raises a connection error when the gateway is gone', async () => {
    const error = await raised(async () => client?.models.list())
    assert.ok(error instanceof APIConnectionError, String(error))
  })
})

async function chats(gateway: Gateway): Promise<void> {
  const client = clientOf(gateway)
  for (const model of ['gpt-4o', 'team/gpt-4o', 'command']) {
    const answer = await client.chat.completions.create({ model, messages: MESSAGES })
    assert.equal(answer.choices[0]?.message.content, 'pong', model)
    assert.equal(answer.choices[0]?.finish_reason, 'stop', model)
    assert.equal(answer.usage?.total_tokens, 6, model)
    await assertStreamed(client, model)
  }
}

/** The pieces make `pong`; usage comes in a last chunk of its own when it is asked for, and only then. */
async function assertStreamed(client: OpenAI, model: string): Promise<void> {
  for (const include_usage of [true, false]) {
    const stream = await client.chat.completions.create({
      model,
      messages: MESSAGES,
      stream: true,
      ...(include_usage && { stream_options: { include_usage } }),
    })
    let text = ''
    let finish: string | null | undefined
    const usages: number[] = []
    let chunksWithoutChoice = 0
    for await (const chunk of stream) {
      const [choice] = chunk.choices
      if (choice === undefined) chunksWithoutChoice += 1
      text += choice?.delta.content ?? ''
      finish = choice?.finish_reason ?? finish
      if (chunk.usage) usages.push(chunk.usage.total_tokens)
    }
    assert.deepEqual([text, finish, usages], ['pong', 'stop', include_usage ? [6] : []], model)
    assert.equal(chunksWithoutChoice, include_usage ? 1 : 0, model)
  }
}

async function models(gateway: Gateway): Promise<void> {
  const client = clientOf(gateway)
  const listed: string[] = []
  for await (const { id, object } of client.models.list()) {
    assert.equal(object, 'model')
    listed.push(id)
  }
  assert.deepEqual(listed.toSorted(), MODELS.map(({ model_name }) => model_name).toSorted())
  assert.equal((await client.models.retrieve('team/gpt-4o')).id, 'team/gpt-4o')
}

async function azurePaths(gateway: Gateway): Promise<void> {
  for (const deployment of ['gpt-4o', 'team/gpt-4o']) {
    const settings = { apiKey: KEY, apiVersion: '2024-10-21', endpoint: gateway.url, maxRetries: 0 }
    const client = new AzureOpenAI({ ...settings, deployment })
    fake.clearJournal()
    const answer = await client.chat.completions.create({ model: '', messages: MESSAGES })
    assert.equal(answer.choices[0]?.message.content, 'pong')
    await assertStreamed(client, '')
    const [first] = fake.journal()
    assert.equal(first?.url, '/ok/v1/chat/completions')
    assert.equal(first.headers.authorization, 'Bearer sk-of-upstream')
    assert.equal(first.headers['api-key'], undefined)
    const listed = (list: readonly { readonly id: string }[]): readonly string[] => list.map(({ id }) => id)
    fake.clearJournal()
    assert.deepEqual(
      listed((await client.models.list()).data),
      listed((await clientOf(gateway).models.list()).data),
    )
    assert.equal((await client.models.retrieve(deployment)).id, deployment)
    assert.deepEqual(fake.journal(), [], 'the models are those of the gateway')
  }
}

async function deploymentHeader(gateway: Gateway): Promise<void> {
  const { data, response } = await clientOf(gateway)
    .chat.completions.create({ model: 'the-one', messages: MESSAGES })
    .withResponse()
  assert.equal(data.choices[0]?.message.content, 'pong')
  assert.equal(response.headers.get('x-litellm-model-id'), 'the-one')
}

async function ailments(gateway: Gateway): Promise<void> {
  const client = clientOf(gateway)
  const asks = RAISED.flatMap((row) => [true, false].map((stream) => ({ row, stream })))
  await Promise.all(
    asks.map(async ({ row, stream }) => {
      const what = `${row.order}${stream ? ', streamed' : ''}`
      const error = await raised(() =>
        client.chat.completions.create({ model: row.order, messages: MESSAGES, stream }),
      )
      assert.ok(error instanceof row.as, `${what}: ${String(error)}`)
      assert.ok(error instanceof APIError, what)
      const { status, type, code, headers } = error
      assert.deepEqual(
        [status, type, code, headers?.get('retry-after') ?? undefined],
        [row.status, row.type, String(row.status), row.retryAfter],
        what,
      )
      assert.ok(error.message.includes(`deployment "${row.order}"`), `${what}: ${error.message}`)
    }),
  )
}

async function brokenStream(gateway: Gateway): Promise<void> {
  const stream = await clientOf(gateway).chat.completions.create({
    model: 'cut',
    messages: MESSAGES,
    stream: true,
    stream_options: { include_usage: true },
  })
  let text = ''
  const error = await raised(async () => {
    for await (const chunk of stream) text += chunk.choices[0]?.delta.content ?? ''
  })
  assert.ok(error instanceof APIError, String(error))
  assert.equal(error.type, 'cut')
  // The fake cuts in the middle of `pong`: what came before is not lost.
  assert.equal(text, 'po')
}

async function mistakes(gateway: Gateway): Promise<void> {
  const client = clientOf(gateway)
  const stranger = await raised(() => clientOf(gateway, 'sk-of-a-stranger').models.list())
  assert.ok(stranger instanceof AuthenticationError, String(stranger))
  assert.equal(stranger.code, '401')
  const unknown = await raised(() => client.chat.completions.create({ model: 'gpt-9', messages: MESSAGES }))
  assert.ok(unknown instanceof BadRequestError, String(unknown))
  assert.match(unknown.message, /gpt-9/)
  const nowhere = await raised(() => client.models.retrieve('team/gpt-9'))
  assert.ok(nowhere instanceof NotFoundError, String(nowhere))
  const unbuilt = await raised(() => client.post('/nowhere', { body: {} }))
  assert.ok(unbuilt instanceof NotFoundError, String(unbuilt))
}

/** How soon the upstream must be left alone, milliseconds. */
const LEFT_ALONE_MS = 3000

async function leavesStream(gateway: Gateway): Promise<void> {
  const stream = await clientOf(gateway).chat.completions.create({
    model: 'dripping',
    messages: MESSAGES,
    stream: true,
  })
  for await (const chunk of stream) {
    assert.equal(chunk.choices[0]?.delta.content, '')
    break // Leaving the loop aborts the request.
  }
  assert.ok((await untilIdle('drip5')) < LEFT_ALONE_MS)
}

async function leavesEarly(gateway: Gateway): Promise<void> {
  const controller = new AbortController()
  const { signal } = controller
  const asked = raised(() =>
    clientOf(gateway).chat.completions.create({ model: 'waiting', messages: MESSAGES }, { signal }),
  )
  while (fake.traffic('slow600000').inFlight === 0) await wait(5)
  controller.abort()
  assert.ok((await asked) instanceof APIUserAbortError)
  assert.ok((await untilIdle('slow600000')) < LEFT_ALONE_MS)
}

/** Milliseconds until nothing runs at the upstream under this order any more. */
async function untilIdle(order: string): Promise<number> {
  assert.ok(fake.traffic(order).total > 0)
  const startedAt = performance.now()
  while (fake.traffic(order).inFlight > 0) {
    assert.ok(performance.now() - startedAt < 5_000, 'the upstream still works for nobody')
    await wait(5)
  }
  return performance.now() - startedAt
}

/** What a call raises; undefined where it does not. */
async function raised(run: () => Promise<unknown>): Promise<unknown> {
  try {
    await run()
  } catch (error) {
    return error
  }
  return undefined
}
