import assert from 'node:assert/strict'
import { createServer, type IncomingHttpHeaders } from 'node:http'
import type { AddressInfo } from 'node:net'
import { test } from 'node:test'
import { scanObject } from '../core/json-spans.ts'
import type { JsonObject } from '../core/json.ts'
import type { Deployment } from '../core/deployment.ts'
import { GatewayError, type FailureKind } from '../core/failure.ts'
import type { HttpMode, Operations } from '../core/mode.ts'
import { Secret } from '../core/secret.ts'
import { createTransport } from '../transport/transport.ts'
import type { StreamSink, WireRequest, WireResponse } from '../transport/wire.ts'
import type { Codec, Connected, ProviderAdapter } from './adapter.ts'
import { encode, openLine, relay, type Line } from './call.ts'
import { groundOn } from './auth/ground.fixture.ts'

/** A secret that would show if it leaked. */
export const CONTRACT_KEY = 'sk-contract-0123456789'

/** Nobody needs a token here. */
const GROUND = groundOn({ send: () => assert.fail('a token was fetched') })

/** What each mode is asked in the contract. */
export const REQUESTS: { readonly [M in HttpMode]: Operations[M]['request'] } = {
  chat: { messages: [{ role: 'user', content: 'ping' }], max_tokens: 16 },
  completion: { prompt: 'ping', max_tokens: 16 },
  embedding: { input: ['ping'] },
  image_generation: { prompt: 'ping' },
  audio_transcription: {
    file: { name: 'ping.wav', contentType: 'audio/wav', bytes: Buffer.from('RIFFfake') },
    fields: { response_format: 'json' },
  },
  audio_speech: { input: 'ping', voice: 'alloy' },
  rerank: { query: 'ping', documents: ['a'] },
  batch: { limit: 1 },
  moderation: { input: 'ping' },
}

/** A good answer of a mode, and what it must be read as. */
export interface GoodAnswer {
  /** Where its shape is written down. */
  readonly source: string
  readonly contentType?: string
  readonly body: JsonObject | Buffer
  readonly value: unknown
}

/** A deployment as the config would make it. */
export function deploymentOf(provider: string, more: Partial<Deployment> = {}): Deployment {
  return {
    index: 0,
    id: '65f20bd97dac2f3781710403bc09fc562201cc42',
    group: 'gpt-4o',
    model: `${provider}/the-model`,
    provider,
    upstreamModel: 'the-model',
    mode: 'chat',
    modeSource: 'default',
    connection: { apiKey: new Secret(CONTRACT_KEY), apiBase: 'http://127.0.0.1:9/v1', headers: {} },
    bodyDefaults: {},
    timeouts: {},
    probe: { params: {}, backgroundDisabled: false },
    shown: {},
    clientConnectionFields: [],
    shownParams: {},
    info: {},
    ...more,
  }
}

/** A whole 200 answer. */
export function answerOf(body: string | Buffer | JsonObject, contentType = 'application/json'): WireResponse {
  const bytes =
    typeof body === 'string' || Buffer.isBuffer(body) ? Buffer.from(body) : Buffer.from(JSON.stringify(body))
  return { status: 200, headers: { 'content-type': contentType }, body: bytes }
}

const BAD_ANSWERS: readonly {
  readonly name: string
  readonly answer: WireResponse
  readonly kind: FailureKind
}[] = [
  { name: 'an empty object', answer: answerOf({}), kind: 'wrong_shape' },
  { name: 'JSON that is no object', answer: answerOf('"ok"'), kind: 'wrong_shape' },
  { name: 'another shape', answer: answerOf({ ok: true }), kind: 'wrong_shape' },
  { name: 'nothing', answer: answerOf(''), kind: 'empty' },
  {
    name: 'a web page',
    answer: answerOf('<html><title>Login</title></html>', 'text/html'),
    kind: 'wrong_shape',
  },
  { name: 'truncated JSON', answer: answerOf('{"choices":[{"mess'), kind: 'wrong_shape' },
  {
    name: 'an error inside',
    answer: answerOf({ error: { message: 'boom', type: 'server_error', code: null } }),
    kind: 'server_error',
  },
  { name: 'an error as text', answer: answerOf({ error: 'model is loading' }), kind: 'server_error' },
  { name: 'a detail', answer: answerOf({ detail: 'Internal failure' }), kind: 'server_error' },
]

/** What every adapter must do in every mode that it has. */
export function adapterContract(
  adapter: ProviderAdapter,
  good: { readonly [M in HttpMode]?: GoodAnswer },
  more: Partial<Deployment> = {},
): void {
  const modes = modesOf(adapter)
  test(`${adapter.id}: encoding changes nothing it was given and says the same twice`, () => {
    for (const mode of modes) {
      const { target } = connected(adapter, mode, more)
      const request = deepFreeze(structuredClone(REQUESTS[mode]))
      const once = encoded(adapter, mode, request, deepFreeze(target))
      assert.deepEqual(encoded(adapter, mode, request, target), once, mode)
    }
  })
  test(`${adapter.id}: the key is only in the authorized request`, async () => {
    for (const mode of modes) {
      const { target, authorize } = connected(adapter, mode, more)
      const wire = encoded(adapter, mode, REQUESTS[mode], target)
      assert.ok(!printed(wire).includes(CONTRACT_KEY), mode)
      assert.ok(printed(await authorize(wire, GROUND)).includes(CONTRACT_KEY), mode)
    }
  })
  test(`${adapter.id}: a good answer is read for what it says`, () => {
    for (const mode of modes) {
      const fixture = good[mode]
      assert.ok(fixture !== undefined, `no fixture for ${mode}`)
      assert.deepEqual(
        decoded(adapter, mode, answerOf(fixture.body, fixture.contentType), more),
        fixture.value,
        fixture.source,
      )
    }
  })
  test(`${adapter.id}: a 200 that is no answer is never called one`, () => {
    for (const mode of modes) {
      for (const { name, answer, kind } of BAD_ANSWERS) {
        const label = `${mode}: ${name}`
        assert.throws(
          () => decoded(adapter, mode, answer, more),
          (error) => kindIs(error, kind, label),
          label,
        )
      }
    }
  })
}

/** The modes that a client asks for by JSON. */
type JsonMode = Exclude<HttpMode, 'audio_transcription' | 'batch'>

/** Relay and encode must put the same request on the wire; asked over a real socket. */
export function relayContract<M extends JsonMode>(
  name: string,
  deployment: Deployment,
  mode: M,
  bodies: readonly Operations[M]['request'][],
): void {
  test(`${name}: a relayed ${mode} request is the encoded one`, async () => {
    const seen = await withServer(async (origin, requests) => {
      const transport = createTransport()
      const path = new URL(deployment.connection.apiBase ?? '').pathname
      const moved = { ...deployment, connection: { ...deployment.connection, apiBase: origin + path } }
      const opened = openLine(moved, { transport, env: {}, redact: (text) => text })
      assert.ok('line' in opened)
      for (const body of bodies) await sendBoth(opened.line, mode, body)
      await transport.close()
      return requests
    })
    assert.equal(seen.length, bodies.length * 2)
    for (let at = 0; at < seen.length; at += 2) assert.deepEqual(seen[at], seen[at + 1])
  })
}

async function sendBoth<M extends JsonMode>(
  line: Line,
  mode: M,
  body: Operations[M]['request'],
): Promise<void> {
  const limits = { timeoutMs: 5_000, maxBytes: 10_000 }
  const bytes = Buffer.from(JSON.stringify({ model: 'the-group', ...body }))
  await finished((sink) => relay(line, mode, bytes, scanObject(bytes), limits, sink))
  await line.transport.send(await line.authorize(encode(line, mode, body)), limits)
}

function finished(start: (sink: StreamSink) => unknown): Promise<void> {
  return new Promise((resolve, reject) => {
    const started = start({ head: () => {}, data: () => true, end: resolve, fail: reject })
    assert.ok(started !== undefined, 'this provider has a relay face')
  })
}

interface Seen {
  readonly method: string | undefined
  readonly url: string | undefined
  readonly headers: IncomingHttpHeaders
  readonly body: unknown
}

async function withServer<T>(run: (origin: string, seen: readonly Seen[]) => Promise<T>): Promise<T> {
  const seen: Seen[] = []
  const server = createServer((request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => {
      const { 'content-length': _, ...headers } = request.headers
      seen.push({
        method: request.method,
        url: request.url,
        headers,
        body: JSON.parse(Buffer.concat(chunks).toString()),
      })
      response.end('{}')
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  try {
    return await run(`http://127.0.0.1:${portOf(server.address())}`, seen)
  } finally {
    server.closeAllConnections()
    await new Promise((resolve) => server.close(resolve))
  }
}

function portOf(address: AddressInfo | string | null): number {
  assert.ok(address !== null && typeof address === 'object')
  return address.port
}

function modesOf(adapter: ProviderAdapter): readonly HttpMode[] {
  const modes: readonly HttpMode[] = [
    'chat',
    'completion',
    'embedding',
    'image_generation',
    'audio_transcription',
    'audio_speech',
    'rerank',
    'batch',
    'moderation',
  ]
  return modes.filter((mode) => adapter.codecs[mode] !== 'unsupported')
}

/** A deployment is of one mode: moderation is a side of a chat's. */
function connected(adapter: ProviderAdapter, mode: HttpMode, more: Partial<Deployment>): Connected {
  const of = { mode: mode === 'moderation' ? ('chat' as const) : mode, ...more }
  const result = adapter.connect(deploymentOf(adapter.id, of), {})
  assert.ok('authorize' in result)
  return result
}

function codecOf<M extends HttpMode>(adapter: ProviderAdapter, mode: M): Codec<M> {
  const codec = adapter.codecs[mode]
  assert.ok(codec !== 'unsupported')
  return codec
}

function encoded<M extends HttpMode>(
  adapter: ProviderAdapter,
  mode: M,
  request: Operations[M]['request'],
  target: Connected['target'],
): WireRequest {
  return codecOf(adapter, mode).encode(request, target)
}

function decoded(
  adapter: ProviderAdapter,
  mode: HttpMode,
  answer: WireResponse,
  more: Partial<Deployment>,
): unknown {
  return codecOf(adapter, mode).decode(answer, connected(adapter, mode, more).target)
}

function printed(wire: WireRequest): string {
  return JSON.stringify({
    ...wire,
    body: wire.body === undefined ? '' : Buffer.from(wire.body).toString('latin1'),
  })
}

function kindIs(error: unknown, kind: FailureKind, name: string): true {
  assert.ok(error instanceof GatewayError, `${name}: ${String(error)}`)
  assert.equal(error.kind, kind, `${name}: ${error.message}`)
  return true
}

function deepFreeze<T>(value: T): T {
  if (typeof value === 'object' && value !== null && !ArrayBuffer.isView(value)) {
    Object.freeze(value)
    for (const part of Object.values(value)) deepFreeze(part)
  }
  return value
}
