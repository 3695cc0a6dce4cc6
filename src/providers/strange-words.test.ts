import assert from 'node:assert/strict'
import { test } from 'node:test'
import { GatewayError } from '../core/failure.ts'
import type { JsonObject } from '../core/json.ts'
import type { HttpMode } from '../core/mode.ts'
import { deploymentOf, REQUESTS } from './adapter.contract.ts'
import type { Codec, Encoded, ProviderAdapter } from './adapter.ts'
import { allAdapters } from './registry.ts'
import { strangers } from './strangers.fixture.ts'

/** What every object answers to, and a word that none does. */
const INHERITED = ['constructor', 'toString', 'valueOf', '__proto__'] as const
const UNKNOWN = 'nosuchword'

type Asked = readonly [what: string, members: JsonObject]

const content = (part: JsonObject): JsonObject => ({ messages: [{ role: 'user', content: [part] }] })

/** Wherever a chat has a word that a table may know. */
const chats = (word: string): readonly Asked[] => [
  ['reasoning_effort', { reasoning_effort: word }],
  ['thinking', { thinking: { type: word } }],
  ['thinking beside an effort', { thinking: { type: 'adaptive' }, reasoning_effort: word }],
  ['tool_choice', { tool_choice: word, tools: [{ type: 'function', function: { name: 'f' } }] }],
  ['tools[].type', { tools: [{ type: word, [word]: {} }] }],
  ['response_format.type', { response_format: { type: word } }],
  ['service_tier', { service_tier: word }],
  ['modalities', { modalities: [word] }],
  ['verbosity', { verbosity: word }],
  ['messages[].role', { messages: [{ role: word, content: 'ping' }, ...REQUESTS.chat.messages] }],
  ['content[].type', content({ type: word })],
  [
    'image_url.detail',
    content({ type: 'image_url', image_url: { url: 'data:image/png;base64,AA==', detail: word } }),
  ],
  ['image_url.url', content({ type: 'image_url', image_url: { url: `data:${word};base64,AA==` } })],
  ['input_audio.format', content({ type: 'input_audio', input_audio: { data: 'AA==', format: word } })],
  [
    'file.file_data',
    content({ type: 'file', file: { file_data: `data:${word};base64,AA==`, filename: 'f' } }),
  ],
  ['file.filename', content({ type: 'file', file: { file_data: 'AA==', filename: `f.${word}` } })],
  ['a member', { [word]: 1 }],
]

/** And the other modes. */
const others = (word: string): Readonly<Partial<Record<HttpMode, readonly Asked[]>>> => ({
  completion: [
    ['reasoning_effort', { reasoning_effort: word }],
    ['a member', { [word]: 1 }],
  ],
  embedding: [
    ['input_type', { input_type: word }],
    ['encoding_format', { encoding_format: word }],
    ['a member', { [word]: 1 }],
  ],
  image_generation: [
    ['size', { size: word }],
    ['quality', { quality: word }],
    ['style', { style: word }],
    ['output_format', { output_format: word }],
    ['response_format', { response_format: word }],
    ['background', { background: word }],
    ['a member', { [word]: 1 }],
  ],
  audio_speech: [
    ['voice', { voice: word }],
    ['response_format', { response_format: word }],
    ['stream_format', { stream_format: word }],
    ['a member', { [word]: 1 }],
  ],
  audio_transcription: [
    ['language', { fields: { language: word } }],
    ['response_format', { fields: { response_format: word } }],
    ['a field', { fields: { [word]: '1' } }],
  ],
  rerank: [['a member', { [word]: 1 }]],
})

/** Of models that are told apart by their names, one. */
const MODELS: Readonly<Record<string, Partial<Record<HttpMode, string>>>> = {
  bedrock: { image_generation: 'stability.sd3-large-v1:0', embedding: 'amazon.titan-embed-text-v2:0' },
}

/** What goes out, or why nothing does, without the word itself: of any word unknown to all, it is the same. */
function outcome(word: string, encode: () => Encoded): string {
  const neutral = (text: string): string =>
    text
      .replaceAll(word.toLowerCase(), '')
      .replaceAll(word, '')
      .replaceAll(/boundary=\S+|^--\S+/gm, '')
  try {
    const { body, url, dropped } = encode()
    const bytes = body === undefined ? '' : Buffer.from(body).toString('latin1')
    return neutral(JSON.stringify([url, bytes.replaceAll(/(?<=--)pulsegate\S+/g, ''), dropped ?? []]))
  } catch (error) {
    assert.ok(error instanceof GatewayError && error.kind === 'bad_request', String(error))
    return neutral(`${error.message} (${error.param ?? ''})`)
  }
}

test('a word that every object answers to is to every model as any word it does not know', async () => {
  for (const { name, encode } of await strangers()) {
    const known = chats(UNKNOWN)
    for (const word of INHERITED) {
      for (const [at, [what, members]] of chats(word).entries()) {
        const request = (own: JsonObject | undefined) => () => encode({ ...REQUESTS.chat, ...own })
        assert.equal(
          outcome(word, request(members)),
          outcome(UNKNOWN, request(known[at]?.[1])),
          `${name} is asked for ${what} ${word}`,
        )
      }
    }
  }
})

for (const mode of [
  'completion',
  'embedding',
  'image_generation',
  'audio_speech',
  'audio_transcription',
] as const) {
  test(`and so it is in the mode ${mode}`, async () => {
    for (const adapter of await allAdapters()) compare(adapter, mode)
  })
}

function compare(adapter: ProviderAdapter, mode: HttpMode): void {
  const codec: Codec<HttpMode> | 'unsupported' = adapter.codecs[mode]
  const connected = adapter.connect(
    deploymentOf(adapter.id, {
      mode: mode === 'moderation' ? 'chat' : mode,
      upstreamModel: MODELS[adapter.id]?.[mode] ?? 'the-model',
    }),
    {},
  )
  if (codec === 'unsupported' || !('target' in connected)) return
  const encode = (members: JsonObject) => () =>
    codec.encode({ ...REQUESTS[mode], ...members }, connected.target)
  for (const word of INHERITED) {
    for (const [at, [what, members]] of (others(word)[mode] ?? []).entries()) {
      assert.equal(
        outcome(word, encode(members)),
        outcome(UNKNOWN, encode(others(UNKNOWN)[mode]?.[at]?.[1] ?? {})),
        `${adapter.id} is asked for ${what} ${word}`,
      )
    }
  }
}
