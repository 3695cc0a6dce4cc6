import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import * as z from 'zod'
import type { JsonObject } from '../../core/json.ts'
import type { GatewayError } from '../../core/failure.ts'
import { Secret } from '../../core/secret.ts'
import type { Target } from '../adapter.ts'
import { adapterContract, answerOf, deploymentOf } from '../adapter.contract.ts'
import { gemini } from './adapter.ts'

const PIXEL = 'iVBORw0KGgo='
const SAMPLES = Buffer.from([0, 0, 1, 0])
/** RIFF WAVE, one channel of 16-bit samples, 24,000 a second: written out by hand. */
const WAV = Buffer.concat([
  Buffer.from('RIFF\u0028\0\0\0WAVEfmt \u0010\0\0\0\u0001\0\u0001\0', 'latin1'),
  Buffer.from([0xc0, 0x5d, 0, 0, 0x80, 0xbb, 0, 0, 2, 0, 16, 0]),
  Buffer.from('data\u0004\0\0\0', 'latin1'),
  SAMPLES,
])

adapterContract(gemini, {
  chat: {
    source: 'https://ai.google.dev/api/generate-content, read 2026-11-27',
    body: {
      candidates: [{ content: { parts: [{ text: 'pong' }], role: 'model' }, finishReason: 'STOP', index: 0 }],
      usageMetadata: { promptTokenCount: 5, candidatesTokenCount: 1, totalTokenCount: 6 },
      modelVersion: 'gemini-2.5-flash',
      responseId: 'r1',
    },
    value: {
      id: 'r1',
      object: 'chat.completion',
      created: 0,
      model: 'gemini-2.5-flash',
      choices: [
        {
          index: 0,
          message: { role: 'assistant', content: 'pong', refusal: null },
          logprobs: null,
          finish_reason: 'stop',
        },
      ],
      usage: { prompt_tokens: 5, completion_tokens: 1, total_tokens: 6 },
    },
  },
  embedding: {
    source: 'https://ai.google.dev/api/embeddings, read 2026-11-27',
    body: { embeddings: [{ values: [0.1, -0.2, 0.3] }] },
    value: { dimensions: 3, model: 'the-model', vectors: [[0.1, -0.2, 0.3]] },
  },
  image_generation: {
    source: 'https://ai.google.dev/gemini-api/docs/image-generation, read 2026-11-27',
    body: {
      candidates: [
        {
          content: { parts: [{ text: 'Here.' }, { inlineData: { mimeType: 'image/png', data: PIXEL } }] },
          finishReason: 'STOP',
        },
      ],
      usageMetadata: { promptTokenCount: 4, candidatesTokenCount: 1290, totalTokenCount: 1294 },
    },
    value: {
      images: 1,
      whole: {
        created: 0,
        data: [{ b64_json: PIXEL }],
        usage: { input_tokens: 4, output_tokens: 1290, total_tokens: 1294 },
      },
    },
  },
  audio_speech: {
    source: 'https://ai.google.dev/gemini-api/docs/speech-generation, read 2026-11-27',
    body: {
      candidates: [
        {
          content: {
            parts: [
              {
                inlineData: { mimeType: 'audio/L16;codec=pcm;rate=24000', data: SAMPLES.toString('base64') },
              },
            ],
          },
          finishReason: 'STOP',
        },
      ],
    },
    value: { sizeBytes: 48, contentType: 'audio/wav', bytes: WAV },
  },
})

/** A codec that is there. */
function built<Codec>(codec: Codec | 'unsupported'): Codec {
  assert.ok(codec !== 'unsupported')
  return codec
}

const embedding = built(gemini.codecs.embedding)
const image = built(gemini.codecs.image_generation)
const speech = built(gemini.codecs.audio_speech)

function targetOf(model: string, bodyDefaults: JsonObject = {}): Target {
  return { provider: 'gemini', model, base: 'https://g.test/v1beta', bodyDefaults }
}

/** What LiteLLM's upstreams were sent. */
const GOLDEN = z.object({
  steps: z.array(
    z.object({
      upstream: z.array(z.object({ method: z.string(), url: z.string(), body: z.unknown() })),
    }),
  ),
})

const FLASH = targetOf('gemini-2.5-flash')
describe('the other modes', () => {
  test('embed many texts at once', () => {
    const wire = embedding.encode(
      { input: ['a', 'b'], dimensions: 2, encoding_format: 'base64' },
      targetOf('e'),
    )
    assert.equal(wire.url, 'https://g.test/v1beta/models/e:batchEmbedContents')
    assert.deepEqual(JSON.parse(String(wire.body)), {
      requests: ['a', 'b'].map((text) => ({
        model: 'models/e',
        content: { parts: [{ text }] },
        outputDimensionality: 2,
      })),
    })
  })

  test('embed as LiteLLM was recorded to', () => {
    const path = join(import.meta.dirname, '../../../test/goldens/litellm-1.100.5/12-providers.json')
    const golden = GOLDEN.parse(JSON.parse(readFileSync(path, 'utf8')))
    const recorded = golden.steps[0]?.upstream.find(({ url }) => url.includes('gemini'))
    assert.ok(recorded !== undefined)
    const connected = gemini.connect(
      deploymentOf('gemini', {
        upstreamModel: 'gemini-1.5-flash',
        connection: {
          apiKey: new Secret('gm-canary'),
          apiBase: 'http://127.0.0.1:9100/ok',
          headers: {},
        },
      }),
      {},
    )
    assert.ok('target' in connected)
    const wire = embedding.encode({ input: ['test from litellm'] }, connected.target)
    assert.equal(wire.method, recorded.method)
    assert.equal(new URL(wire.url).pathname, recorded.url)
    assert.deepEqual(JSON.parse(String(wire.body)), recorded.body)
  })

  test('paint by Imagen or by a model that also talks', () => {
    const imagen = image.encode(
      { prompt: 'a cat', n: 2, size: '1792x1024', response_format: 'b64_json' },
      targetOf('imagen-4.0-generate-001'),
    )
    assert.match(imagen.url, /imagen-4\.0-generate-001:predict$/)
    assert.deepEqual(JSON.parse(String(imagen.body)), {
      instances: [{ prompt: 'a cat' }],
      parameters: { sampleCount: 2, aspectRatio: '16:9' },
    })
    assert.equal(imagen.dropped, undefined)
    const native = image.encode(
      { prompt: 'a cat', n: 2, size: '1536x1024', quality: 'high', response_format: 'url' },
      targetOf('gemini-2.5-flash-image'),
    )
    assert.deepEqual(JSON.parse(String(native.body)), {
      contents: [{ role: 'user', parts: [{ text: 'a cat' }] }],
      generationConfig: { responseModalities: ['TEXT', 'IMAGE'], imageConfig: { aspectRatio: '3:2' } },
    })
    assert.deepEqual(native.dropped?.toSorted(), ['n', 'quality', 'response_format'])
  })

  test('an image that was filtered out is a matter of content', () => {
    const body = { predictions: [{ raiFilteredReason: 'no people' }] }
    assert.throws(() => image.decode(answerOf(body), targetOf('imagen-4')), { kind: 'content_policy' })
    const silent = { candidates: [{ finishReason: 'IMAGE_SAFETY' }] }
    assert.throws(() => image.decode(answerOf(silent), targetOf('gemini-2.5-flash-image')), {
      kind: 'content_policy',
    })
  })

  test('speak with a voice of Google’s, as WAV and nothing else', () => {
    const wire = speech.encode(
      { input: 'hi', voice: 'alloy', instructions: 'Gently', response_format: 'mp3' },
      FLASH,
    )
    assert.deepEqual(JSON.parse(String(wire.body)), {
      contents: [{ role: 'user', parts: [{ text: 'Gently: hi' }] }],
      generationConfig: {
        responseModalities: ['AUDIO'],
        speechConfig: { voiceConfig: { prebuiltVoiceConfig: { voiceName: 'Kore' } } },
      },
    })
    assert.deepEqual(wire.dropped, ['response_format'])
  })

  test('a Live session opens with a setup and is proven by its answer', () => {
    const { realtime } = gemini
    assert.ok(realtime !== 'unsupported')
    const target = targetOf('gemini-live-2.5-flash-preview')
    assert.equal(
      realtime.dial(target).url,
      'wss://g.test/ws/google.ai.generativelanguage.v1beta.GenerativeService.BidiGenerateContent',
    )
    assert.deepEqual(JSON.parse(realtime.opening?.(target) ?? ''), {
      setup: {
        model: 'models/gemini-live-2.5-flash-preview',
        generationConfig: { responseModalities: ['AUDIO'] },
      },
    })
    assert.equal(realtime.proves('{"setupComplete":{}}'), true)
    assert.equal(realtime.proves('{"usageMetadata":{}}'), false)
    assert.throws(() => realtime.proves('{"error":{"code":403,"message":"no"}}'), { kind: 'auth' })
  })
})

test('an address is taken however people write it', () => {
  const cases: readonly (readonly [string | undefined, string])[] = [
    [undefined, 'https://generativelanguage.googleapis.com/v1beta'],
    ['https://proxy.test', 'https://proxy.test/v1beta'],
    ['https://proxy.test/', 'https://proxy.test/v1beta'],
    ['https://proxy.test/v1', 'https://proxy.test/v1'],
    ['https://proxy.test/google', 'https://proxy.test/google'],
    ['https://proxy.test/v1beta/models', 'https://proxy.test/v1beta'],
    ['https://proxy.test/v1beta/models/gemini-2.5-flash:generateContent', 'https://proxy.test/v1beta'],
  ]
  for (const [apiBase, base] of cases) {
    const { connection } = deploymentOf('gemini')
    const { apiBase: _, ...rest } = connection
    const connected = gemini.connect(
      deploymentOf('gemini', { connection: apiBase === undefined ? rest : { ...rest, apiBase } }),
      {},
    )
    assert.ok('target' in connected)
    assert.equal(connected.target.base, base, apiBase)
  }
})

test('how long to stay away stands in the body of a refusal', () => {
  const refused = (details: readonly JsonObject[]): GatewayError =>
    gemini.classify({
      ...answerOf({
        error: {
          code: 429,
          message: 'You exceeded your current quota',
          status: 'RESOURCE_EXHAUSTED',
          details,
        },
      }),
      status: 429,
    })
  const daily = { violations: [{ quotaId: 'GenerateRequestsPerDayPerProjectPerModel-FreeTier' }] }
  const soon = refused([daily, { retryDelay: '36s' }])
  assert.equal(soon.kind, 'rate_limited')
  assert.equal(soon.retryAfterMs, 36_000)
  assert.equal(refused([daily]).kind, 'quota')
  assert.equal(refused([]).kind, 'rate_limited')
})
