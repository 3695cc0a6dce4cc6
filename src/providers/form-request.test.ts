import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { ClientForm, FormField } from '../core/client-form.ts'
import { createFieldCollector } from '../core/client-form.ts'
import { createFormScan } from '../core/form-scan.ts'
import { scanObject } from '../core/json-spans.ts'
import type { RouteName } from '../core/mode.ts'
import type { Transport, WireRequest } from '../transport/wire.ts'
import { deploymentOf } from './adapter.contract.ts'
import { encode, openLine, relay } from './call.ts'
import { ADAPTERS } from './registry.ts'

type Sent = WireRequest | undefined

/** A line whose transport keeps what it is to send. */
function lineOf(
  provider: string,
  more: Parameters<typeof deploymentOf>[1] = {},
): { readonly line: Parameters<typeof relay>[0]; readonly sent: () => Sent } {
  let sent: Sent
  const transport: Transport = {
    stream: (request) => {
      sent = request
      return { resume: () => {}, cancel: () => {} }
    },
    send: () => assert.fail('nothing is sent whole'),
    dial: () => assert.fail('nothing is dialled'),
    openSocket: () => assert.fail('nothing is dialled'),
    close: () => Promise.resolve(),
  }
  const opened = openLine(deploymentOf(provider, more), { transport, env: {}, redact: (text) => text })
  assert.ok('line' in opened, JSON.stringify(opened))
  return { line: opened.line, sent: () => sent }
}

function fieldsOf(body: WireRequest['body'], contentType: string): readonly FormField[] {
  const bytes = Buffer.from(body ?? '')
  const collector = createFieldCollector()
  const scan = createFormScan(contentType.split('boundary=')[1] ?? '')
  for (const piece of scan.push(bytes)) collector.take(piece)
  scan.end()
  return collector.fields()
}

function relayForm(
  line: Parameters<typeof relay>[0],
  route: RouteName,
  texts: Readonly<Record<string, string>>,
  after: Readonly<Record<string, unknown>> = texts,
): void {
  const parts = Object.entries(texts).map(
    ([name, text]) => `--b\r\nContent-Disposition: form-data; name="${name}"\r\n\r\n${text}\r\n`,
  )
  const held = Buffer.from(`${parts.join('')}--b--`)
  const form: ClientForm = { contentType: 'multipart/form-data; boundary=b', boundary: 'b', held, fields: [] }
  const fields = Buffer.from(JSON.stringify(texts))
  const body = after === texts ? fields : Buffer.from(JSON.stringify(after))
  const relayed = { form, fields, removed: new Set(['tags']), refused: new Set(['api_base']) }
  const sink = { head: () => {}, data: () => true, end: () => {}, fail: assert.fail }
  relay(line, route, body, scanObject(body), { timeoutMs: 1, maxBytes: 1 }, sink, relayed)
}

const DEFAULTS = { language: 'de', temperature: 0, response_format: 'json', top_k: 4 }

for (const { id } of ADAPTERS.filter(({ codecs }) => codecs.audio_transcription !== 'unsupported')) {
  test(`${id}: a relayed transcription has the address and fields of the encoded one`, () => {
    const { line, sent } = lineOf(id, { bodyDefaults: DEFAULTS })
    const file = { name: 'a.wav', contentType: 'audio/wav', bytes: Buffer.from('x') }
    const encoded = encode(line, 'audio_transcription', { file, fields: {} })
    relayForm(line, 'audio_transcription', { model: 'the-group' })
    const { method, url, headers, body } = sent() ?? assert.fail('it is sent')
    assert.deepEqual([method, url.split('?')[0]], [encoded.method, encoded.url.split('?')[0]])
    assert.equal(headers['accept'], encoded.headers['accept'])
    const own = fieldsOf(encoded.body, encoded.headers['content-type'] ?? '')
    assert.deepEqual(
      fieldsOf(body, headers['content-type'] ?? ''),
      own.filter(({ name }) => name !== 'file'),
    )
  })
}

test('what was done to the fields is done to the parts', () => {
  const { line, sent } = lineOf('openai', {
    bodyDefaults: { language: 'de', prompt: null, temperature: 0.5, response_format: 'srt' },
  })
  const texts = { model: 'a', tags: 'x', fallbacks: '[]', language: 'fr', n: '1' }
  const { fallbacks: _, ...left } = texts
  // A fallback writes members of its own, of any type.
  relayForm(line, 'audio_transcription', texts, {
    ...left,
    n: 2,
    include: ['a', 'b'],
    chunking: { type: 'auto' },
  })
  assert.deepEqual(fieldsOf(sent()?.body, 'boundary=b'), [
    { name: 'model', text: line.target.model },
    { name: 'language', text: 'fr' },
    { name: 'n', text: '2' },
    { name: 'include[]', text: 'a' },
    { name: 'include[]', text: 'b' },
    { name: 'chunking', text: '{"type":"auto"}' },
    { name: 'temperature', text: '0.5' },
    { name: 'response_format', text: 'srt' },
  ])
})

const ADDRESSES: readonly (readonly [string, string, RouteName, string])[] = [
  ['openai', 'http://a.test/v1', 'audio_translation', 'http://a.test/v1/audio/translations'],
  ['openai', 'http://a.test/v1', 'image_edit', 'http://a.test/v1/images/edits'],
  ['openai', 'http://a.test/v1/images/generations', 'image_edit', 'http://a.test/v1/images/edits'],
  [
    'groq',
    'http://a.test/v1/audio/transcriptions',
    'audio_translation',
    'http://a.test/v1/audio/translations',
  ],
  [
    'azure',
    'http://a.test',
    'image_edit',
    'http://a.test/openai/deployments/m/images/edits?api-version=2024-10-21',
  ],
  [
    'azure',
    'http://a.test/openai/deployments/d/audio/transcriptions',
    'audio_translation',
    'http://a.test/openai/deployments/d/audio/translations?api-version=2024-10-21',
  ],
  ['azure', 'http://a.test/openai/v1', 'audio_translation', 'http://a.test/openai/v1/audio/translations'],
]

for (const [provider, apiBase, route, url] of ADDRESSES) {
  test(`${provider} at ${apiBase} serves ${route} at ${url}`, () => {
    const base = deploymentOf(provider)
    const connection = { ...base.connection, apiBase }
    const { line, sent } = lineOf(provider, { connection })
    relayForm({ ...line, target: { ...line.target, model: 'm' } }, route, { model: 'a' })
    assert.equal(sent()?.url, url)
  })
}
