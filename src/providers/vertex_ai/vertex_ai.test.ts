import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { Connection } from '../../core/deployment.ts'
import type { JsonObject } from '../../core/json.ts'
import { Secret } from '../../core/secret.ts'
import {
  adapterContract,
  answerOf,
  deploymentOf,
  relayContract,
  REQUESTS,
  type GoodAnswer,
} from '../adapter.contract.ts'
import type { Encoded, Target } from '../adapter.ts'
import { allAdapters } from '../registry.ts'
import { FILL_IN_THE_MIDDLE } from '../mistral/completion.fixture.ts'
import { vertexAi, vertexAiBeta } from './adapter.ts'
import { groundOn } from '../auth/ground.fixture.ts'

const CHAT: GoodAnswer = {
  source: 'https://cloud.google.com/vertex-ai/generative-ai/docs/model-reference/inference, read 2026-11-27',
  body: {
    candidates: [{ content: { role: 'model', parts: [{ text: 'pong' }] }, finishReason: 'STOP' }],
    usageMetadata: {
      promptTokenCount: 5,
      candidatesTokenCount: 1,
      totalTokenCount: 6,
      trafficType: 'ON_DEMAND',
    },
    modelVersion: 'gemini-2.5-flash',
    createTime: '2026-11-27T00:00:00.5Z',
    responseId: 'r1',
  },
  value: {
    id: 'r1',
    object: 'chat.completion',
    created: 1_795_737_600,
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
}

const ANSWERS = {
  chat: CHAT,
  embedding: {
    source:
      'https://cloud.google.com/vertex-ai/generative-ai/docs/model-reference/text-embeddings-api, read 2026-11-27',
    body: {
      predictions: [
        { embeddings: { statistics: { truncated: false, token_count: 4 }, values: [0.1, -0.2, 0.3] } },
      ],
    },
    value: {
      dimensions: 3,
      model: 'the-model',
      vectors: [[0.1, -0.2, 0.3]],
      usage: { prompt_tokens: 4, total_tokens: 4 },
    },
  },
  image_generation: {
    source: 'https://cloud.google.com/vertex-ai/generative-ai/docs/image/overview, read 2026-11-27',
    body: {
      candidates: [
        {
          content: { parts: [{ inlineData: { mimeType: 'image/png', data: 'AA==' } }] },
          finishReason: 'STOP',
        },
      ],
    },
    value: { images: 1, whole: { created: 0, data: [{ b64_json: 'AA==' }] } },
  },
  audio_speech: {
    source: 'https://cloud.google.com/text-to-speech/docs/gemini-tts, read 2026-11-27',
    body: {
      candidates: [
        {
          content: { parts: [{ inlineData: { mimeType: 'audio/mpeg', data: 'SUQz' } }] },
          finishReason: 'STOP',
        },
      ],
    },
    value: { sizeBytes: 3, contentType: 'audio/mpeg', bytes: Buffer.from('ID3') },
  },
  completion: FILL_IN_THE_MIDDLE,
} as const satisfies Readonly<Record<string, GoodAnswer>>

adapterContract(vertexAi, ANSWERS)
adapterContract(vertexAiBeta, ANSWERS)

const KEY = new Secret('a-google-api-key')
await allAdapters()

for (const upstreamModel of ['meta/llama-3.3-70b-instruct-maas', 'openai/1234567890']) {
  const deployment = deploymentOf('vertex_ai', {
    upstreamModel,
    connection: {
      apiKey: KEY,
      apiBase: 'http://127.0.0.1:9',
      settings: { vertex_project: 'p' },
      headers: {},
    },
    bodyDefaults: { temperature: 0.5, max_tokens: 99, top_k: 3 },
  })
  const { chat } = REQUESTS
  relayContract(`vertex_ai/${upstreamModel}`, deployment, 'chat', [
    chat,
    { messages: chat.messages, max_completion_tokens: 7, unknown: { deep: [1, 'ü', null] } },
  ])
  if (upstreamModel.startsWith('meta/'))
    relayContract(`vertex_ai/${upstreamModel}`, deployment, 'embedding', [REQUESTS.embedding])
}

function targetFor(
  model: string,
  connection: Omit<Connection, 'headers'>,
  env: Readonly<Record<string, string>> = {},
  provider = 'vertex_ai',
): Target {
  const made = vertexAi.connect(
    deploymentOf(provider, {
      upstreamModel: model,
      connection: { apiKey: KEY, settings: { vertex_project: 'p' }, ...connection, headers: {} },
    }),
    env,
  )
  assert.ok('target' in made, 'message' in made ? made.message : '')
  return made.target
}

/** Of a model that another publisher's name stands for. */
const OPEN = 'endpoints/openapi/chat/completions'

function encoded(target: Target, more: object = {}): Encoded {
  const { chat } = vertexAi.codecs
  assert.ok(chat !== 'unsupported')
  return chat.encode({ messages: [{ role: 'user', content: 'a' }], ...more }, target)
}

function chatUrl(target: Target): string {
  return encoded(target).url
}

describe('an address', () => {
  test('is that of the location, regional, of several regions or of all', () => {
    const cases: readonly (readonly [string, string, string])[] = [
      ['gemini-2.5-flash', 'europe-west4', 'https://europe-west4-aiplatform.googleapis.com/v1'],
      ['gemini-2.5-flash', 'global', 'https://aiplatform.googleapis.com/v1'],
      ['gemini-2.5-flash', 'us', 'https://aiplatform.us.rep.googleapis.com/v1'],
      ['gemini-2.5-flash', 'eu', 'https://aiplatform.eu.rep.googleapis.com/v1'],
    ]
    for (const [model, location, root] of cases) {
      const target = targetFor(model, { settings: { vertex_project: 'p', vertex_location: location } })
      assert.equal(
        chatUrl(target),
        `${root}/projects/p/locations/${location}/publishers/google/models/${model}:generateContent`,
      )
    }
  })

  test('takes project and location from the environment, and a location that serves the model', () => {
    const env = { VERTEXAI_PROJECT: 'from-env', VERTEXAI_LOCATION: 'asia-east1' }
    const own = targetFor('gemini-2.5-flash', { settings: {}, apiBase: 'http://x.test' }, env)
    assert.equal(own.base, 'http://x.test/v1/projects/from-env/locations/asia-east1')
    assert.match(targetFor('gemini-2.5-flash', {}).base, /locations\/us-central1$/)
    assert.match(targetFor('gemini-3-pro-preview', {}).base, /locations\/global$/)
    const beta = targetFor('gemini-2.5-flash', {}, {}, 'vertex_ai_beta')
    assert.match(beta.base, /\/v1beta1\/projects\//)
  })

  test('may be written up to any point', () => {
    const path = '/v1/projects/p/locations/us-central1/publishers/google/models/gemini-2.5-flash'
    const cases = [
      'http://x.test',
      'http://x.test/v1',
      'http://x.test/v1/projects/p/locations/us-central1',
      `http://x.test${path}`,
      `http://x.test${path}:generateContent`,
    ]
    for (const apiBase of cases)
      assert.equal(
        chatUrl(targetFor('gemini-2.5-flash', { apiBase })),
        `http://x.test${path}:generateContent`,
        apiBase,
      )
  })

  test('names an endpoint where the model is a number: OpenAI’s words, unless it is a tuned Gemini', () => {
    const here = 'https://us-central1-aiplatform.googleapis.com/v1/projects/p/locations/us-central1'
    for (const model of ['123456', 'openai/123456', 'endpoints/123456'])
      assert.equal(chatUrl(targetFor(model, {})), `${here}/endpoints/123456/chat/completions`)
    assert.equal(chatUrl(targetFor('gemini/123456', {})), `${here}/endpoints/123456:generateContent`)
    const tuned = vertexAi.connect(
      deploymentOf('vertex_ai', {
        upstreamModel: '123456',
        connection: { apiKey: KEY, settings: { vertex_project: 'p' }, headers: {} },
        facts: { baseModel: 'vertex_ai/gemini-2.5-flash' },
      }),
      {},
    )
    assert.ok('target' in tuned)
    assert.equal(chatUrl(tuned.target), `${here}/endpoints/123456:generateContent`)
    assert.match(
      chatUrl(targetFor('123456', {}, {}, 'vertex_ai_beta')),
      /v1beta1.*\/endpoints\/123456:generateContent$/,
    )
  })

  test('of a model of another publisher is the shared endpoint, or the partner’s own', () => {
    const place = 'projects/p/locations/europe-west4'
    const root = `https://europe-west4-aiplatform.googleapis.com/v1/${place}`
    const settings = { vertex_project: 'p', vertex_location: 'europe-west4' }
    const cases: readonly (readonly [model: string, path: string, name: string])[] = [
      ['meta/llama-4-maverick-17b-128e-instruct-maas', OPEN, 'meta/llama-4-maverick-17b-128e-instruct-maas'],
      ['llama-3.3-70b-instruct-maas', OPEN, 'meta/llama-3.3-70b-instruct-maas'],
      ['publishers/qwen/models/qwen3-coder-maas', OPEN, 'qwen/qwen3-coder-maas'],
      ['deepseek-ai/deepseek-v3.2-maas', OPEN, 'deepseek-ai/deepseek-v3.2-maas'],
      ['openai/gpt-oss-120b-maas', OPEN, 'openai/gpt-oss-120b-maas'],
      ['google/gemma-4-26b-a4b-it-maas', OPEN, 'google/gemma-4-26b-a4b-it-maas'],
      ['openai/42', 'endpoints/42/chat/completions', ''],
      [
        'mistral-large-2411@001',
        'publishers/mistralai/models/mistral-large-2411@001:rawPredict',
        'mistral-large-2411',
      ],
      ['mistralai/codestral-2', 'publishers/mistralai/models/codestral-2:rawPredict', 'codestral-2'],
      ['jamba-1.5-mini@001', 'publishers/ai21/models/jamba-1.5-mini@001:rawPredict', 'jamba-1.5-mini@001'],
    ]
    for (const [model, path, name] of cases) {
      const { url, body } = encoded(targetFor(model, { settings }))
      assert.equal(url, `${root}/${path}`, model)
      assert.equal(JSON.parse(String(body)).model, name, model)
    }
    for (const apiBase of [
      `http://x.test/v1/${place}`,
      `http://x.test/v1/${place}/endpoints/openapi`,
      `http://x.test/v1/${place}/endpoints/openapi/chat/completions`,
    ])
      assert.equal(chatUrl(targetFor('meta/llama-maas', { apiBase })), `http://x.test/v1/${place}/${OPEN}`)
    const own = `http://42.europe-west4-7.prediction.vertexai.test/v1/${place}/endpoints/42`
    assert.equal(chatUrl(targetFor('openai/42', { apiBase: own })), `${own}/chat/completions`)
  })

  test('leads nowhere else, whatever a client names', () => {
    for (const model of [
      'google/../../x',
      'mistralai/..',
      '..',
      'gemini/a//b',
      'publishers/google/models/./x',
    ])
      assert.throws(() => chatUrl(targetFor(model, {})), { kind: 'bad_request', param: 'model' }, model)
    const { url, body } = encoded(targetFor('meta/../x', {}))
    assert.match(url, /\/endpoints\/openapi\/chat\/completions$/)
    assert.equal(JSON.parse(String(body)).model, 'meta/../x')
    for (const model of ['constructor/x', '__proto__/x'])
      assert.equal(JSON.parse(String(encoded(targetFor(model, {})).body)).model, model)
  })

  test('needs no project with a key alone', () => {
    assert.equal(
      chatUrl(targetFor('gemini-2.5-flash', { settings: {} })),
      'https://aiplatform.googleapis.com/v1/publishers/google/models/gemini-2.5-flash:generateContent',
    )
  })

  test('is not guessed: what is missing is said', () => {
    const connect = (upstreamModel: string, connection: Omit<Connection, 'headers'>): string => {
      const made = vertexAi.connect(
        deploymentOf('vertex_ai', { upstreamModel, connection: { ...connection, headers: {} } }),
        { HOME: '/nobody' },
      )
      return 'message' in made ? made.message : 'connected'
    }
    assert.match(connect('gemini-2.5-flash', {}), /no project: set vertex_project/)
    assert.match(
      connect('gemini-2.5-flash', { settings: { vertex_project: 'p', vertex_location: 'a/b' } }),
      /"a\/b" is no location/,
    )
    const key = { apiKey: KEY, settings: {} }
    assert.equal(connect('gemini-2.5-flash', key), 'connected')
    assert.match(connect('meta/llama-3.3-70b-instruct-maas', key), /no project: set vertex_project/)
    assert.match(connect('gemma/gemma-3-12b-it-1', key), /written as vertex_ai\/openai\/<endpoint id>/)
  })
})

test('an access token that is written as a key is sent as one', async () => {
  const ground = groundOn({ send: () => assert.fail('a token was fetched') })
  const headersFor = async (key: string): Promise<Readonly<Record<string, string>>> => {
    const made = vertexAi.connect(
      deploymentOf('vertex_ai', { connection: { apiKey: new Secret(key), headers: {} } }),
      {},
    )
    assert.ok('authorize' in made)
    const signed = await made.authorize({ method: 'POST', url: 'http://x.test/', headers: {} }, ground)
    return signed.headers
  }
  assert.deepEqual(await headersFor('ya29.token'), { authorization: 'Bearer ya29.token' })
  assert.deepEqual(await headersFor('AIzaKey'), { 'x-goog-api-key': 'AIzaKey' })
})

test('texts are embedded by prediction, or one by one where the model wants that', () => {
  const { embedding } = vertexAi.codecs
  assert.ok(embedding !== 'unsupported')
  const sent = (model: string, request: { readonly input: readonly string[] } & JsonObject): unknown => {
    const { url, body } = embedding.encode(request, targetFor(model, {}))
    return [url.slice(url.lastIndexOf('/')), JSON.parse(String(body))]
  }
  assert.deepEqual(
    sent('text-embedding-005', { input: ['a', 'b'], dimensions: 2, input_type: 'search_query' }),
    [
      '/text-embedding-005:predict',
      {
        instances: [
          { content: 'a', task_type: 'RETRIEVAL_QUERY' },
          { content: 'b', task_type: 'RETRIEVAL_QUERY' },
        ],
        parameters: { outputDimensionality: 2 },
      },
    ],
  )
  assert.deepEqual(sent('gemini-embedding-2', { input: ['a'] }), [
    '/gemini-embedding-2:embedContent',
    { content: { parts: [{ text: 'a' }] } },
  ])
  assert.throws(() => sent('gemini-embedding-2', { input: ['a', 'b'] }), {
    kind: 'bad_request',
    param: 'input',
  })
  assert.deepEqual(
    embedding.decode(
      answerOf({ embedding: { values: [0.5] }, usageMetadata: { promptTokenCount: 2 } }),
      targetFor('gemini-embedding-2', {}),
    ),
    {
      dimensions: 1,
      model: 'gemini-embedding-2',
      vectors: [[0.5]],
      usage: { prompt_tokens: 2, total_tokens: 2 },
    },
  )
})

test('Claude is asked in Anthropic’s words, its model in the path', () => {
  const { chat } = vertexAi.codecs
  assert.ok(chat !== 'unsupported')
  const target = targetFor('claude-sonnet-4-5@20250929', {})
  const request = { messages: [{ role: 'user', content: 'a' }], max_tokens: 5, service_tier: 'auto' }
  const wire = chat.encode(request, target)
  assert.equal(
    wire.url,
    'https://aiplatform.googleapis.com/v1/projects/p/locations/global/publishers/anthropic/models/claude-sonnet-4-5@20250929:rawPredict',
  )
  assert.deepEqual(JSON.parse(String(wire.body)), {
    anthropic_version: 'vertex-2023-10-16',
    messages: [{ role: 'user', content: [{ type: 'text', text: 'a' }] }],
    max_tokens: 5,
  })
  const streamed = chat.encode({ ...request, stream: true }, target)
  assert.match(streamed.url, /:streamRawPredict$/)
  assert.match(String(streamed.body), /"stream":true/)
  assert.equal(chat.inlines?.('https://images.test/a.png', target), true)
  const message = {
    type: 'message',
    id: 'm',
    content: [{ type: 'text', text: 'pong' }],
    stop_reason: 'end_turn',
  }
  assert.equal(chat.decode(answerOf(message), target).choices[0]?.message['content'], 'pong')
})

test('Mistral and AI21 are asked in their own words, streams at an address of their own', () => {
  const { chat } = vertexAi.codecs
  assert.ok(chat !== 'unsupported')
  const mistral = targetFor('mistral-medium-3', {})
  const asked = encoded(mistral, { stream: true, seed: 3, max_completion_tokens: 5, user: 'u' })
  assert.match(asked.url, /\/publishers\/mistralai\/models\/mistral-medium-3:streamRawPredict$/)
  assert.deepEqual(JSON.parse(String(asked.body)), {
    model: 'mistral-medium-3',
    messages: [{ role: 'user', content: 'a' }],
    stream: true,
    random_seed: 3,
    max_tokens: 5,
  })
  assert.deepEqual(encoded(mistral, { logit_bias: { 1: 2 } }).dropped, ['logit_bias'])
  const jamba = targetFor('jamba-1.5-large', {})
  const streamed = encoded(jamba, { stream: true, max_completion_tokens: 5 })
  assert.match(streamed.url, /\/publishers\/ai21\/models\/jamba-1.5-large:streamRawPredict$/)
  assert.equal(JSON.parse(String(streamed.body)).max_tokens, 5)
  const isRelayed = (model: string): boolean | undefined => chat.isRelayed?.(targetFor(model, {}))
  for (const model of ['gemini-2.5-flash', 'claude-haiku-4-5', 'mistral-medium-3', 'jamba-1.5-large'])
    assert.equal(isRelayed(model), false, model)
  for (const model of ['meta/llama-maas', '1234567890']) assert.equal(isRelayed(model), true, model)
})

test('Gemini’s own API stands before its models and open ones, not before partners and endpoints', () => {
  const face = vertexAi.surfaces?.generateContent
  const serves = (model: string): boolean | undefined => face?.serves?.(targetFor(model, {}))
  for (const model of ['gemini-2.5-flash', 'gemini/42', 'meta/llama-maas']) assert.equal(serves(model), true)
  for (const model of ['claude-haiku-4-5', 'mistral-medium-3', 'jamba-1.5-mini', '42'])
    assert.equal(serves(model), false, model)
  assert.match(
    face?.url(targetFor('meta/llama-maas', {})) ?? '',
    /\/publishers\/meta\/models\/llama-maas:generateContent$/,
  )
})

test('a Live session stands beside the version and names the whole model', () => {
  const { realtime } = vertexAi
  assert.ok(realtime !== 'unsupported')
  const target = targetFor('gemini-live-2.5-flash', {})
  assert.equal(
    realtime.dial(target).url,
    'wss://us-central1-aiplatform.googleapis.com/ws/google.cloud.aiplatform.v1.LlmBidiService/BidiGenerateContent',
  )
  assert.match(
    realtime.opening?.(target) ?? '',
    /"model":"projects\/p\/locations\/us-central1\/publishers\/google\/models\/gemini-live-2\.5-flash"/,
  )
})
