import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Deployment } from '../../core/deployment.ts'
import { scanObject } from '../../core/json-spans.ts'
import type { JsonObject } from '../../core/json.ts'
import { Secret } from '../../core/secret.ts'
import type { WireRequest } from '../../transport/wire.ts'
import { deploymentOf } from '../adapter.contract.ts'
import { openLine, type Line } from '../call.ts'
import { allAdapters } from '../registry.ts'
import { fittedBody, relaySurface, surfaceFace } from '../surfaces.ts'

await allAdapters()

const SONNET = 'anthropic.claude-sonnet-4-5-20250929-v1:0'
const PROFILE = 'arn:aws:bedrock:us-east-1:1:application-inference-profile/abc'

/** A deployment's line, and what it sends. */
function lineOf(
  provider: string,
  upstreamModel: string,
  more: Partial<Deployment> & { readonly headers?: Readonly<Record<string, string>> } = {},
): { readonly line: Line; readonly sent: WireRequest[] } {
  const { headers = {}, ...rest } = more
  const sent: WireRequest[] = []
  const never = (): never => assert.fail('something else was sent')
  const transport = {
    send: never,
    stream: (wire: WireRequest) => {
      sent.push(wire)
      return { resume: () => {}, cancel: () => {} }
    },
    dial: never,
    openSocket: never,
    reach: never,
    close: never,
  }
  const secrets = Object.entries(headers).map(([name, value]) => [name, new Secret(value)])
  const deployment = deploymentOf(provider, {
    upstreamModel,
    ...rest,
    connection: {
      apiKey: new Secret('bedrock-key-of-the-test'),
      settings: { aws_region_name: 'us-east-1' },
      headers: Object.fromEntries(secrets),
    },
  })
  const opened = openLine(deployment, { transport, env: {}, redact: (text) => text })
  assert.ok('line' in opened, JSON.stringify(opened))
  return { line: opened.line, sent }
}

const SINK = { head: () => {}, data: () => true, end: () => {}, fail: (error: Error) => assert.fail(error) }
const ASKED = { model: 'm', max_tokens: 9, messages: [{ role: 'user', content: 'ping' }] }

/** What a client's request becomes; undefined where it is translated. */
function asked(
  { line, sent }: ReturnType<typeof lineOf>,
  words: JsonObject,
  headers: Readonly<Record<string, string>> = {},
): { readonly url: string; readonly body: unknown; readonly headers: WireRequest['headers'] } | undefined {
  const raw = Buffer.from(JSON.stringify({ ...ASKED, ...words }))
  const face = surfaceFace(line, 'messages', words['stream'] === true)
  if (face === undefined || face.takes?.(line.target, raw, scanObject(raw)) === false) return undefined
  const { body, spans } = fittedBody(face, line.target, raw, scanObject(raw), {})
  relaySurface(line, face, body, spans, { timeoutMs: 1, maxBytes: 1 }, SINK, headers)
  const wire = sent.pop()
  assert.ok(wire !== undefined)
  return { url: wire.url, body: JSON.parse(String(wire.body)), headers: wire.headers }
}

test('claudes are asked in Anthropic’s words by whatever name they have, unless Converse is asked for', () => {
  const base = { facts: { baseModel: SONNET } }
  const cases: readonly (readonly [
    provider: string,
    model: string,
    id?: string | undefined,
    more?: Partial<Deployment>,
  ])[] = [
    ['bedrock', SONNET, SONNET],
    ['bedrock', `us-west-2/${SONNET}`, SONNET],
    ['bedrock', `global.${SONNET}`, `global.${SONNET}`],
    ['bedrock', `invoke/eu.${SONNET}`, `eu.${SONNET}`],
    ['bedrock', 'anthropic.claude-mythos-preview', 'anthropic.claude-mythos-preview'],
    [
      'bedrock',
      `arn:aws:bedrock:us-east-1:1:inference-profile/us.${SONNET}`,
      `arn:aws:bedrock:us-east-1:1:inference-profile/us.${SONNET}`,
    ],
    ['bedrock', `anthropic/${PROFILE}`, PROFILE],
    ['bedrock', PROFILE, PROFILE, base],
    ['bedrock', SONNET, PROFILE, { bodyDefaults: { model_id: PROFILE } }],
    ['bedrock', `converse/${SONNET}`, undefined, { bodyDefaults: { model_id: PROFILE } }],
    ['bedrock', PROFILE],
    ['bedrock', `llama/${PROFILE}`],
    ['bedrock', `converse/${SONNET}`],
    ['bedrock', `converse/${PROFILE}`, undefined, base],
    ['bedrock_converse', SONNET],
    ['bedrock', 'amazon.nova-pro-v1:0'],
    // What is not said in Anthropic's words must not be lost.
    ['bedrock', SONNET, undefined, { bodyDefaults: { guardrailConfig: { guardrailIdentifier: 'g' } } }],
    ['bedrock', SONNET, SONNET, { bodyDefaults: { reasoning_effort: 'low' } }],
    [
      'bedrock',
      SONNET,
      SONNET,
      { bodyDefaults: { temperature: 0, user: 'u', stream: true, max_completion_tokens: 9 } },
    ],
  ]
  for (const [provider, model, id, more] of cases) {
    const url = asked(lineOf(provider, model, more), {})?.url
    const place = id === undefined ? undefined : `/model/${encodeURIComponent(id)}/invoke`
    assert.equal(
      url?.replace(/^https:\/\/bedrock-runtime\.[\w-]+\.amazonaws\.com/, ''),
      place,
      `${provider}/${model}`,
    )
  }
})

test('a body goes out with the model in the path, and says no more of a stream than the path does', () => {
  const words = { of_tomorrow: { a: 1 }, service_tier: 'auto', metadata: { user_id: 'u' } }
  const { model: _, ...rest } = ASKED
  const whole = asked(lineOf('bedrock', SONNET), words)
  const expected = {
    ...rest,
    of_tomorrow: { a: 1 },
    metadata: words.metadata,
    anthropic_version: 'bedrock-2023-05-31',
  }
  assert.deepEqual(whole?.body, expected)
  assert.equal(whole.headers['accept'], 'application/json')
  const streamed = asked(lineOf('bedrock', SONNET), { ...words, stream: true })
  assert.deepEqual(streamed?.body, expected)
  assert.equal(streamed.headers['accept'], 'application/vnd.amazon.eventstream')
  assert.match(streamed.url, /\/invoke-with-response-stream$/)
})

test('what a client asks for in beta stands in the body, once, after what the config asks for', () => {
  const betas = { 'anthropic-version': '2023-06-01', 'anthropic-beta': 'a-1, b-2,,a-1' }
  const bodyOf = (
    more: Parameters<typeof lineOf>[2],
    words: JsonObject = {},
    headers: object = betas,
  ): unknown => {
    const wire = asked(lineOf('bedrock', SONNET, more), words, Object.fromEntries(Object.entries(headers)))
    assert.equal(wire?.headers['anthropic-version'], undefined)
    return [Object(wire?.body).anthropic_beta, wire?.headers['anthropic-beta']]
  }
  assert.deepEqual(bodyOf({}), [['a-1', 'b-2'], undefined])
  assert.deepEqual(bodyOf({}, { anthropic_beta: ['c-3', 'a-1'] }), [['c-3', 'a-1', 'b-2'], undefined])
  assert.deepEqual(bodyOf({ bodyDefaults: { anthropic_beta: ['d-4'] } }), [['d-4', 'a-1', 'b-2'], undefined])
  assert.deepEqual(bodyOf({ bodyDefaults: { anthropic_beta: ['d-4'] } }, {}, {}), [['d-4'], undefined])
  assert.deepEqual(bodyOf({ headers: { 'anthropic-beta': 'e-5' } }), [['e-5', 'a-1', 'b-2'], undefined])
  assert.deepEqual(bodyOf({}, {}, {}), [undefined, undefined])
})

test('a deployment’s defaults are said where the client says nothing, and where the model takes them', () => {
  const defaults = {
    bodyDefaults: { temperature: 0.5, max_tokens: 100, thinking: { type: 'enabled', budget_tokens: 2_000 } },
  }
  const told = (model: string, words: JsonObject): unknown => {
    const {
      anthropic_version: _,
      messages: __,
      ...rest
    } = Object(asked(lineOf('bedrock', model, defaults), words)?.body)
    return rest
  }
  assert.deepEqual(told(SONNET, { thinking: { type: 'disabled' } }), {
    max_tokens: 9,
    thinking: { type: 'disabled' },
    temperature: 0.5,
  })
  assert.deepEqual(told(SONNET, { max_tokens: 4_000 }), {
    max_tokens: 4_000,
    thinking: { type: 'enabled', budget_tokens: 2_000 },
  })
  assert.deepEqual(told('anthropic.claude-opus-4-8', { max_tokens: 4_000 }), {
    max_tokens: 4_000,
    thinking: { type: 'adaptive', display: 'summarized' },
    output_config: { effort: 'low' },
  })
})

test('who says words of Converse is asked by it', () => {
  const deployment = lineOf('bedrock', SONNET)
  assert.equal(asked(deployment, { guardrailConfig: { guardrailIdentifier: 'g' } }), undefined)
  assert.equal(asked(deployment, { inferenceConfig: { maxTokens: 9 } }), undefined)
})

test('the end of what is to be cached is marked on the last block', () => {
  const mark = { type: 'ephemeral' }
  const blocks = [
    { type: 'text', text: 'a' },
    { type: 'text', text: 'b' },
  ]
  const marked = (content: string | readonly JsonObject[]): unknown => {
    const messages = [{ role: 'user', content }]
    const { body } = asked(lineOf('bedrock', SONNET), { cache_control: mark, messages }) ?? {}
    assert.equal(Object(body).cache_control, undefined)
    return Object(body).messages[0].content
  }
  assert.deepEqual(marked('ping'), [{ cache_control: mark, type: 'text', text: 'ping' }])
  assert.deepEqual(marked(blocks), [blocks[0], { cache_control: mark, ...blocks[1] }])
})
