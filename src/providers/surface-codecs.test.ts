import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Deployment } from '../core/deployment.ts'
import { GatewayError } from '../core/failure.ts'
import { Secret } from '../core/secret.ts'
import { openLine } from './call.ts'
import type { Line } from './call.ts'
import { asSurface } from './surface-codecs.ts'
import { allAdapters } from './registry.ts'

await allAdapters()

function lineOf(provider: string, more: Partial<Deployment> = {}): Line {
  const never = (): never => assert.fail('nothing goes out here')
  const transport = { send: never, stream: never, dial: never, openSocket: never, reach: never, close: never }
  const deployment: Deployment = {
    index: 0,
    id: 'd',
    group: 'g',
    model: `${provider}/m`,
    provider,
    upstreamModel: 'm',
    mode: 'chat',
    modeSource: 'explicit',
    connection: { apiKey: new Secret('sk-key-of-the-test'), headers: {} },
    bodyDefaults: {},
    timeouts: {},
    probe: { params: {}, backgroundDisabled: false },
    shown: {},
    clientConnectionFields: [],
    shownParams: {},
    info: {},
    ...more,
  }
  const opened = openLine(deployment, { transport, env: {}, redact: (text) => text })
  assert.ok('line' in opened, JSON.stringify(opened))
  return opened.line
}

function judged(line: Line, body: object): string {
  const { chat } = line.adapter.codecs
  assert.ok(chat !== 'unsupported')
  try {
    const { choices } = chat.decode(
      { status: 200, headers: {}, body: Buffer.from(JSON.stringify(body)) },
      line.target,
    )
    const [first] = choices
    return `${JSON.stringify(first?.message['content'])} ${first?.finish_reason ?? 'on'}`
  } catch (error) {
    assert.ok(error instanceof GatewayError)
    return error.kind
  }
}

test('a probe of a surface is sent and read in its words', () => {
  const request = { messages: [{ role: 'user', content: 'hi' }], max_tokens: 16 }
  const responses = asSurface(lineOf('openai'), 'responses')
  const messages = asSurface(lineOf('anthropic'), 'anthropic_messages')
  const sent = [responses, messages].map((line) => {
    const { chat } = line.adapter.codecs
    assert.ok(chat !== 'unsupported')
    const { url, body = '' } = chat.encode(request, line.target)
    return [url, JSON.parse(Buffer.from(body).toString())]
  })
  assert.deepEqual(sent, [
    [
      'https://api.openai.com/v1/responses',
      { model: 'm', input: request.messages, max_output_tokens: 16, store: false },
    ],
    ['https://api.anthropic.com/v1/messages', { model: 'm', messages: request.messages, max_tokens: 16 }],
  ])
})

test('what is no answer of a surface is none', () => {
  const responses = asSurface(lineOf('openai'), 'responses')
  const text = { type: 'message', content: [{ type: 'output_text', text: 'hello' }] }
  const cases: readonly (readonly [object, string])[] = [
    [{ object: 'response', status: 'completed', output: [text], error: null }, '"hello" stop'],
    [{ object: 'response', status: 'incomplete', output: [] }, '"" length'],
    [{ object: 'response', status: 'completed', output: [] }, 'empty'],
    [
      { object: 'response', status: 'failed', output: [], error: { code: 'rate_limit_exceeded' } },
      'rate_limited',
    ],
    [{ object: 'chat.completion', choices: [] }, 'wrong_shape'],
  ]
  for (const [body, expected] of cases) assert.equal(judged(responses, body), expected)
  const messages = asSurface(lineOf('anthropic'), 'anthropic_messages')
  const block = { type: 'text', text: 'hello' }
  const others: readonly (readonly [object, string])[] = [
    [{ type: 'message', content: [block], stop_reason: 'end_turn' }, '"hello" stop'],
    [{ type: 'message', content: [], stop_reason: 'max_tokens' }, '"" length'],
    [{ type: 'message', content: [], stop_reason: 'end_turn' }, 'empty'],
    [{ type: 'error', error: { type: 'overloaded_error', message: 'busy' } }, 'overloaded'],
    [{ content: 'x' }, 'wrong_shape'],
  ]
  for (const [body, expected] of others) assert.equal(judged(messages, body), expected)
})

test('a provider that does not speak a surface is probed by a chat', () => {
  const line = lineOf('cohere')
  assert.equal(asSurface(line, 'responses'), line)
})
