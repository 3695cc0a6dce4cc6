import assert from 'node:assert/strict'
import { test } from 'node:test'
import { scanObject } from '../../core/json-spans.ts'
import { systemClock } from '../../core/clock.ts'
import type { JsonObject } from '../../core/json.ts'
import { Secret } from '../../core/secret.ts'
import type { CompatibleLaw } from '../../fake-provider/natives/compatible-law.ts'
import { speechWav } from '../../health/speech-wav.ts'
import type { FakeProvider } from '../../fake-provider/server.ts'
import type { Transport } from '../../transport/wire.ts'
import { CONTRACT_KEY, deploymentOf, REQUESTS } from '../adapter.contract.ts'
import { encode, exchange, relay, type Line } from '../call.ts'
import { freeRequest, look } from '../look.ts'
import { openAiCompatible } from './adapter.ts'
import type { CompatibleRow } from './row.ts'
import { groundOn } from '../auth/ground.fixture.ts'

/** Where the rows are tried. */
export interface Ground {
  readonly fake: FakeProvider
  readonly transport: Transport
}

const LIMITS = { timeoutMs: 5_000, maxBytes: 100_000 }
const MESSAGES = [{ role: 'user', content: 'ping' }]

/** Operations that are a mode's own, and that mode. */
const MODES_OF = [
  ['completion', 'completion'],
  ['embedding', 'embedding'],
  ['image', 'image_generation'],
  ['transcription', 'audio_transcription'],
  ['speech', 'audio_speech'],
  ['rerank', 'rerank'],
  ['batches', 'batch'],
] as const

/**
 * What a row and the law of the same provider, written down apart from it, must agree upon; asked of the double that
 * keeps the law, over a socket.
 */
export function rowContract(row: CompatibleRow, law: CompatibleLaw, ground: () => Ground): void {
  test(`${row.id}: has the address that its documentation gives`, () => {
    if (row.base !== undefined) assert.equal(law.base, row.base.replaceAll(/\{\w+\}/g, 'an-account'))
  })
  test(`${row.id}: has the modes that its documentation names, and each is answered`, async () => {
    const { serves } = law
    if (serves === undefined) return
    const line = lineOf(row, law, ground())
    const file = { name: 'hello.wav', contentType: 'audio/wav', bytes: speechWav() }
    const asked = { ...REQUESTS, audio_transcription: { file, fields: {} } }
    for (const [operation, mode] of MODES_OF) {
      const isServed = serves.includes(operation)
      assert.equal(line.adapter.codecs[mode] !== 'unsupported', isServed, mode)
      if (isServed) await exchange(line, mode, encode(line, mode, asked[mode]), LIMITS, asked[mode])
    }
  })
  if (law.chats === false) return
  test(`${row.id}: a probe is answered`, async () => {
    const line = lineOf(row, law, ground())
    for (const budget of ['max_tokens', 'max_completion_tokens']) {
      const request = { messages: MESSAGES, [budget]: 16 }
      const { value } = await exchange(line, 'chat', encode(line, 'chat', request), LIMITS, request)
      assert.equal(value.choices[0]?.message['content'], 'pong')
    }
  })
  test(`${row.id}: a chat and a stream are passed on`, async () => {
    const line = lineOf(row, law, ground())
    const whole = await relayed(line, { messages: MESSAGES, max_completion_tokens: 16 })
    assert.equal(JSON.parse(whole.text).choices[0].message.content, 'pong', whole.text)
    const { status, text } = await relayed(line, { messages: MESSAGES, stream: true })
    assert.equal(status, 200)
    assert.equal(said(text, 'content'), 'pong')
    assert.ok(text.endsWith('data: [DONE]\n\n'))
    if (law.comment !== undefined) assert.ok(text.includes(`: ${law.comment}\n`))
  })
  test(`${row.id}: what it thought is read, and passed on as it came`, async () => {
    const { thoughts } = law
    if (thoughts === undefined) return
    const line = lineOf(row, law, ground())
    const request = { messages: MESSAGES, reasoning_effort: 'low' }
    const { value } = await exchange(line, 'chat', encode(line, 'chat', request), LIMITS, request)
    assert.equal(value.choices[0]?.message['reasoning_content'], 'hm')
    const { text } = await relayed(line, { messages: MESSAGES, reasoning_effort: 'low', stream: true })
    assert.equal(said(text, thoughts), 'hm')
  })
  test(`${row.id}: the free look proves the key, or says that it does not`, async () => {
    const line = lineOf(row, law, ground())
    const wire = freeRequest(line)
    if (wire === undefined) {
      assert.equal(law.models, 'none')
      return
    }
    const wrong = lineOf(row, law, ground(), 'not-a-key')
    if (law.models === 'none') {
      await assert.rejects(look(line, wire, LIMITS), { kind: 'not_found' })
    } else if (law.models === 'public' && law.keyPage === undefined) {
      assert.equal(line.adapter.isFreePublic, true)
      await look(wrong, wire, LIMITS)
    } else {
      await look(line, wire, LIMITS)
      if (law.isKeyless !== true) await assert.rejects(look(wrong, wire, LIMITS), { kind: 'auth' })
    }
  })
  test(`${row.id}: what its models refuse is known`, () => {
    const known = row.refuses?.flatMap(({ fields }) => fields) ?? []
    const renamed = Object.keys(row.renames ?? {})
    const unknown = law.refuses?.flatMap(({ fields }) => fields.filter((name) => !known.includes(name))) ?? []
    assert.deepEqual(
      unknown.filter((name) => !renamed.includes(name)),
      [],
    )
  })
}

/** The row's provider at its double. */
export function lineOf(
  row: CompatibleRow,
  law: CompatibleLaw,
  { fake, transport }: Ground,
  key: string = CONTRACT_KEY,
): Line {
  const adapter = openAiCompatible(row)
  const path = new URL(law.base).pathname.replace(/\/$/, '')
  const { connection, ...rest } = deploymentOf(row.id)
  const apiBase = `${fake.url}/ok/as-${law.id}${path}`
  const deployment = { ...rest, connection: { ...connection, apiBase, apiKey: new Secret(key) } }
  const connected = adapter.connect(deployment, {})
  assert.ok('target' in connected)
  const ground = groundOn(transport)
  return {
    deployment,
    adapter,
    target: connected.target,
    authorize: (request) => connected.authorize(request, ground),
    transport,
    redact: (text) => text,
    secrets: connected.secrets,
    host: fake.url,
    fieldRules: { dropParams: false, drop: [], keep: [] },
    clock: systemClock,
  }
}

/** A client's body, passed on. */
function relayed(line: Line, body: JsonObject): Promise<{ readonly status: number; readonly text: string }> {
  const bytes = Buffer.from(JSON.stringify({ model: 'the-group', ...body }))
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = []
    let status = 0
    const stream = relay(line, 'chat', bytes, scanObject(bytes), LIMITS, {
      head: (code) => {
        status = code
      },
      data: (chunk) => {
        chunks.push(chunk)
        return true
      },
      end: () => resolve({ status, text: Buffer.concat(chunks).toString() }),
      fail: reject,
    })
    assert.ok(stream !== undefined)
  })
}

/** A member of a stream's deltas, put together. */
function said(text: string, member: string): string {
  const events = text.split('\n').filter((line) => line.startsWith('data: {'))
  return events
    .map((line) => JSON.parse(line.slice('data: '.length)).choices[0]?.delta[member] ?? '')
    .join('')
}
