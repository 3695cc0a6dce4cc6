import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { JsonObject } from '../../core/json.ts'
import { Secret } from '../../core/secret.ts'
import { answerOf, deploymentOf } from '../adapter.contract.ts'
import type { Target } from '../adapter.ts'
import { bedrock } from './adapter.ts'
import { bedrockEmbedding } from './embedding.ts'
import { bedrockImage } from './image.ts'
import { bedrockRerank } from './rerank.ts'
import { groundOn } from '../auth/ground.fixture.ts'

const OLD = 'anthropic.claude-3-sonnet-20240229-v1:0'
const BASE = 'https://bedrock-runtime.us-east-1.amazonaws.com'

function target(model: string): Target {
  return { provider: 'bedrock', model, base: BASE, region: 'us-east-1', bodyDefaults: {} }
}

test('texts are embedded in the words of each family', () => {
  const bodies = [
    ['amazon.titan-embed-text-v1', { inputText: 'a' }],
    ['amazon.titan-embed-text-v2:0', { dimensions: 256, inputText: 'a' }],
    ['amazon.titan-embed-image-v1', { embeddingConfig: { outputEmbeddingLength: 256 }, inputText: 'a' }],
    ['cohere.embed-v4:0', { input_type: 'search_document', output_dimension: 256, texts: ['a'] }],
    [
      'us.amazon.nova-2-multimodal-embeddings-v1:0',
      {
        taskType: 'SINGLE_EMBEDDING',
        singleEmbeddingParams: {
          embeddingPurpose: 'GENERIC_INDEX',
          embeddingDimension: 256,
          text: { truncationMode: 'END', value: 'a' },
        },
      },
    ],
  ] as const
  for (const [model, expected] of bodies) {
    const wire = bedrockEmbedding.encode(
      { input: ['a'], dimensions: 256, encoding_format: 'base64', user: 'u' },
      target(model),
    )
    assert.deepEqual(JSON.parse(String(wire.body)), expected, model)
    assert.deepEqual(wire.dropped, model.endsWith('v1') && !model.includes('image') ? ['dimensions'] : [])
  }
})

test('vectors are read in every form, and counted', () => {
  const forms: readonly JsonObject[] = [
    { embedding: [0.1, 0.2], inputTextTokenCount: 3 },
    { embeddings: [[0.1, 0.2]], response_type: 'embeddings_floats' },
    { embeddings: { int8: [[1, 2]], float: [[0.1, 0.2]] } },
    { embeddings: [{ embeddingType: 'TEXT', embedding: [0.1, 0.2] }] },
  ]
  for (const body of forms) {
    const response = answerOf(body)
    const headers = { ...response.headers, 'x-amzn-bedrock-input-token-count': '3' }
    assert.deepEqual(bedrockEmbedding.decode({ ...response, headers }, target('m')), {
      dimensions: 2,
      model: 'm',
      vectors: [[0.1, 0.2]],
      usage: { prompt_tokens: 3, total_tokens: 3 },
    })
  }
})

test('pictures are asked for in the words of each family', () => {
  const nova = bedrockImage.encode(
    { prompt: 'p', n: 2, size: '1024x768', quality: 'high', seed: 5 },
    target('amazon.nova-canvas-v1:0'),
  )
  assert.deepEqual(JSON.parse(String(nova.body)), {
    taskType: 'TEXT_IMAGE',
    textToImageParams: { text: 'p' },
    imageGenerationConfig: { numberOfImages: 2, width: 1024, height: 768, quality: 'premium', seed: 5 },
  })
  const stability = bedrockImage.encode(
    { prompt: 'p', size: '1792x1024', quality: 'hd', style: 'vivid', response_format: 'url', seed: 5 },
    target('us.stability.stable-image-core-v1:1'),
  )
  assert.deepEqual(JSON.parse(String(stability.body)), {
    mode: 'text-to-image',
    aspect_ratio: '16:9',
    seed: 5,
    prompt: 'p',
  })
  assert.deepEqual(stability.dropped, ['style', 'quality', 'response_format'])
  assert.throws(() => bedrockImage.encode({ prompt: 'p', n: 2 }, target('stability.sd3-5-large-v1:0')), {
    param: 'n',
  })
  assert.throws(() => bedrockImage.encode({ prompt: 'p', size: 'big' }, target('amazon.nova-canvas-v1:0')), {
    param: 'size',
  })
})

test('pictures that a filter kept are no failure of the model', () => {
  const kept: readonly JsonObject[] = [
    { images: [''], seeds: [1], finish_reasons: ['Filter reason: prompt'] },
    { images: [], error: 'This request has been blocked by our content filters.' },
  ]
  for (const body of kept)
    assert.throws(() => bedrockImage.decode(answerOf(body), target('m')), { kind: 'content_policy' })
})

test('a reranker is named by its ARN, in the cloud of its region', () => {
  const arns = [
    ['cohere.rerank-v3-5:0', 'us-east-1', 'arn:aws:bedrock:us-east-1::foundation-model/cohere.rerank-v3-5:0'],
    [
      'cohere.rerank-v3-5:0',
      'us-gov-west-1',
      'arn:aws-us-gov:bedrock:us-gov-west-1::foundation-model/cohere.rerank-v3-5:0',
    ],
    ['arn:aws:bedrock:r::foundation-model/x', 'us-east-1', 'arn:aws:bedrock:r::foundation-model/x'],
  ] as const
  for (const [model, region, modelArn] of arns) {
    const wire = bedrockRerank.encode(
      { query: 'q', documents: ['a', 'b'], rank_fields: ['x'] },
      { ...target(model), region },
    )
    assert.deepEqual(JSON.parse(String(wire.body)).rerankingConfiguration.bedrockRerankingConfiguration, {
      numberOfResults: 2,
      modelConfiguration: { modelArn },
    })
    assert.deepEqual(wire.dropped, ['rank_fields'])
  }
})

const GROUND = groundOn({ send: () => assert.fail('nothing is fetched') })
const WIRE = {
  method: 'POST',
  url: `${BASE}/x`,
  headers: { 'content-type': 'application/json' },
  body: '{}',
} as const

/** What a deployment is connected to, and how it is authorized. */
function connected(
  model: string,
  more: Readonly<Record<string, string>> = {},
  env: Readonly<Record<string, string>> = {},
  mode: 'chat' | 'rerank' = 'chat',
): { readonly base: string; readonly model: string; readonly by: string } | { readonly message: string } {
  const { api_key: key, ...settings } = more
  const deployment = deploymentOf('bedrock', {
    upstreamModel: model,
    mode,
    connection: { headers: {}, settings, ...(key !== undefined && { apiKey: new Secret(key) }) },
  })
  const opened = bedrock.connect(deployment, env)
  if ('message' in opened) return opened
  const wire = opened.authorize(WIRE, GROUND)
  assert.ok(!(wire instanceof Promise))
  const [by = ''] = /^Bearer .*|Credential=.*\/aws4_request/.exec(wire.headers['authorization'] ?? '') ?? []
  return { base: opened.target.base, model: opened.target.model, by }
}

const KEYS = { aws_access_key_id: 'AKIA', aws_secret_access_key: 's' }
const by = (region: string): string => `Credential=AKIA/19700101/${region}/bedrock/aws4_request`

test('a region comes from the setting, the name, the environment, or is the default; and is in the address', () => {
  const cases: readonly (readonly [
    string,
    Readonly<Record<string, string>>,
    Readonly<Record<string, string>>,
    string,
  ])[] = [
    [`us-west-1/${OLD}`, { aws_region_name: 'eu-north-1' }, { AWS_REGION: 'ca-central-1' }, 'eu-north-1'],
    [`us-west-1/${OLD}`, {}, { AWS_REGION: 'ca-central-1' }, 'us-west-1'],
    ['arn:aws:bedrock:ap-south-1:1:x/y', {}, { AWS_REGION: 'ca-central-1' }, 'ap-south-1'],
    [OLD, {}, { AWS_DEFAULT_REGION: 'ca-central-1' }, 'ca-central-1'],
    [OLD, {}, {}, 'us-west-2'],
  ]
  for (const [model, settings, env, region] of cases) {
    const expected = { base: `https://bedrock-runtime.${region}.amazonaws.com`, by: by(region) }
    const found = connected(model, { ...KEYS, ...settings }, env)
    assert.ok('base' in found)
    assert.deepEqual({ base: found.base, by: found.by }, expected)
  }
  assert.deepEqual(connected(OLD, { ...KEYS, aws_region_name: 'evil.test/' }), {
    message: '"evil.test/" is no region of AWS',
  })
})

test("an endpoint of one's own is used; China's is under another domain; agents have a host of their own", () => {
  assert.deepEqual(connected(OLD, { ...KEYS, aws_bedrock_runtime_endpoint: 'https://vpce.test/x/' }), {
    base: 'https://vpce.test/x',
    model: OLD,
    by: by('us-west-2'),
  })
  const china = connected(OLD, { ...KEYS, aws_region_name: 'cn-north-1' })
  assert.ok('base' in china)
  assert.equal(china.base, 'https://bedrock-runtime.cn-north-1.amazonaws.com.cn')
  const rerank = connected('cohere.rerank-v3-5:0', KEYS, {}, 'rerank')
  assert.ok('base' in rerank)
  assert.equal(rerank.base, 'https://bedrock-agent-runtime.us-west-2.amazonaws.com')
})

test("a key of Bedrock's wins over AWS's keys, but for reranking", () => {
  const env = { AWS_BEARER_TOKEN_BEDROCK: 'bedrock-key' }
  const cases = [
    [connected(OLD, { ...KEYS, api_key: 'own-key' }, env), 'Bearer own-key'],
    [connected(OLD, KEYS, env), 'Bearer bedrock-key'],
    [connected('cohere.rerank-v3-5:0', KEYS, env, 'rerank'), by('us-west-2')],
  ] as const
  for (const [found, expected] of cases) {
    assert.ok('by' in found)
    assert.equal(found.by, expected)
  }
})

test('a key with a line break is a mistake in the config', () => {
  assert.deepEqual(connected(OLD, { ...KEYS, aws_secret_access_key: 'a\nb' }), {
    message: 'aws_secret_access_key holds a space, a line break or a character that no key of AWS holds',
  })
})
