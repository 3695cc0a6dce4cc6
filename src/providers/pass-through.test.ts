import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { JsonObject } from '../core/json.ts'
import type { Line } from './call.ts'
import { lineOf } from './line.fixture.ts'
import { foreignRequest, isSameModel, modelInPath, suitsPath, type ForeignRequest } from './pass-through.ts'
import { allAdapters } from './registry.ts'

await allAdapters()

function urlOf(line: Line, path: string, more: Partial<ForeignRequest> = {}, model?: string): string {
  return foreignRequest(line, { method: 'POST', path, query: '', headers: {}, ...more }, model).url
}

test('a version in a passed path stands in the place of the base’s', () => {
  const cases = [
    ['https://a.test/v1', '/v1/models', 'https://a.test/v1/models?a=1'],
    ['https://a.test/v1', '/models', 'https://a.test/v1/models?a=1'],
    ['https://a.test/proxy', '/v1/models', 'https://a.test/proxy/v1/models?a=1'],
    ['https://a.test/v2', '/v1/embed', 'https://a.test/v1/embed?a=1'],
    ['https://a.test/v1beta', '/v1alpha/x', 'https://a.test/v1alpha/x?a=1'],
  ] as const
  for (const [apiBase, path, expected] of cases)
    assert.equal(urlOf(lineOf('openai', 'gpt-4o', { apiBase }), path, { query: '?a=1' }), expected)
})

test('a group’s name in a body gives way to its model, and nothing else is touched', () => {
  const line = lineOf('anthropic', 'claude-real')
  const body = Buffer.from('{ "max_tokens":5, "model":"claude","messages":[{"model":"claude"}] }')
  const asked = { method: 'POST', path: '/v1/messages', query: '', headers: {}, body } as const
  assert.equal(
    String(foreignRequest(line, asked, 'claude-real').body),
    '{ "max_tokens":5, "model":"claude-real","messages":[{"model":"claude"}] }',
  )
  assert.equal(foreignRequest(line, asked, undefined).body, body)
})

describe('a path of Vertex AI', () => {
  const settings = { vertex_project: 'own', vertex_location: 'europe-west4' }
  const line = lineOf('vertex_ai', 'gemini-2.5-flash', { settings })
  const here = 'https://europe-west4-aiplatform.googleapis.com'
  const model = 'publishers/google/models/gemini-2.5-flash'

  test('leads to the place that it names, at that place’s host', () => {
    const cases: readonly (readonly [string, string])[] = [
      [
        `/v1/projects/p/locations/us-central1/${model}:generateContent`,
        'https://us-central1-aiplatform.googleapis.com',
      ],
      [`/v1beta1/projects/p/locations/global/${model}:countTokens`, 'https://aiplatform.googleapis.com'],
      [`/v1/projects/p/locations/eu/${model}:predict`, 'https://aiplatform.eu.rep.googleapis.com'],
      ['/v1/projects/p/locations/europe-west4/endpoints/123:predict', here],
      ['/v1/projects/p/locations/europe-west4/batchPredictionJobs', here],
      ['/v1/projects/p/locations', here],
    ]
    for (const [path, host] of cases) assert.equal(urlOf(line, path), host + path)
  })

  test('leads to the deployment’s where it names none, or leaves it to the deployment', () => {
    const place = 'projects/own/locations/europe-west4'
    const cases: readonly (readonly [string, string])[] = [
      [`/${model}:generateContent`, `${here}/v1/${place}/${model}:generateContent`],
      [`/v1/${model}:generateContent`, `${here}/v1/${place}/${model}:generateContent`],
      [`/v1beta1/${model}:generateContent`, `${here}/v1beta1/${place}/${model}:generateContent`],
      ['/cachedContents', `${here}/v1beta1/${place}/cachedContents`],
      ['/v1/tuningJobs/7', `${here}/v1/${place}/tuningJobs/7`],
      [
        `/v1/projects/default/locations/default/${model}:streamGenerateContent`,
        `${here}/v1/${place}/${model}:streamGenerateContent`,
      ],
      [
        `/v1/projects/default/locations/global/${model}:generateContent`,
        `https://aiplatform.googleapis.com/v1/projects/own/locations/global/${model}:generateContent`,
      ],
      [`/v1/locations/europe-west4/${model}:predict`, `${here}/v1/${place}/${model}:predict`],
    ]
    for (const [path, url] of cases) assert.equal(urlOf(line, path), url)
    assert.equal(
      urlOf(line, '/v1beta1/publishers/google/models', { method: 'GET' }),
      `${here}/v1beta1/publishers/google/models`,
    )
  })

  test('keeps to an address that somebody wrote', () => {
    const own = lineOf('vertex_ai', 'gemini-2.5-flash', { settings, apiBase: 'https://proxy.test/x' })
    const path = `/v1/projects/p/locations/global/${model}:generateContent`
    assert.equal(urlOf(own, path), `https://proxy.test/x${path}`)
    const whole = lineOf('vertex_ai', 'gemini-2.5-flash', {
      apiBase: `https://proxy.test/v1/projects/own/locations/us-central1/${model}`,
    })
    assert.equal(
      urlOf(whole, '/publishers/google/models/other:generateContent'),
      'https://proxy.test/v1/projects/own/locations/us-central1/publishers/google/models/other:generateContent',
    )
  })

  test('needs no project where a key alone is the credential', () => {
    const express = lineOf('vertex_ai', 'gemini-2.5-flash')
    assert.equal(
      urlOf(express, `/v1beta1/${model}:generateContent`),
      `https://aiplatform.googleapis.com/v1beta1/${model}:generateContent`,
    )
  })

  test('with a group’s name in it is asked of the group’s model, where that is', () => {
    const place = `${here}/v1/projects/own/locations/europe-west4`
    for (const path of [
      '/v1/projects/p/locations/us-central1/publishers/google/models/my/flash:generateContent',
      '/v1/publishers/google/models/my%2Fflash:generateContent',
      '/v1/models/my%2Fflash:generateContent',
    ]) {
      assert.equal(modelInPath('vertex_ai', path), 'my/flash')
      assert.equal(urlOf(line, path, {}, 'gemini-2.5-flash'), `${place}/${model}:generateContent`)
    }
    const path = '/v1/publishers/google/models/sonnet:rawPredict'
    assert.equal(
      urlOf(line, path, {}, 'claude-sonnet-4-5@20250929'),
      `${place}/publishers/anthropic/models/claude-sonnet-4-5@20250929:rawPredict`,
    )
    assert.equal(
      urlOf(line, '/v1/publishers/google/models/tuned:generateContent', {}, '1234567890'),
      `${place}/endpoints/1234567890:generateContent`,
    )
  })

  test('with a group’s name in it and a partner’s model behind it names that in the body too', () => {
    const sent = (path: string, body: JsonObject, model: string): readonly unknown[] => {
      const bytes = Buffer.from(JSON.stringify(body))
      const { url, body: wire } = foreignRequest(
        line,
        { method: 'POST', path, query: '', headers: {}, body: bytes },
        model,
      )
      const place = `${here}/v1/projects/own/locations/europe-west4/`
      assert.ok(url.startsWith(place), url)
      return [url.slice(place.length), JSON.parse(String(wire))]
    }
    const raw = '/publishers/x/models/mine:rawPredict'
    const open = '/endpoints/openapi/chat/completions'
    const counter = 'publishers/anthropic/models/count-tokens:rawPredict'
    const mistral = 'mistral-large-2411@001'
    const claude = 'claude-haiku-4-5@20251001'
    const mine = { model: 'mine', n: 1 }
    const cases: readonly (readonly [string, JsonObject, string, string, JsonObject])[] = [
      [
        raw,
        mine,
        mistral,
        `publishers/mistralai/models/${mistral}:rawPredict`,
        { ...mine, model: 'mistral-large-2411' },
      ],
      [
        raw,
        mine,
        'ai21/jamba-1.5-mini@001',
        'publishers/ai21/models/jamba-1.5-mini@001:rawPredict',
        { ...mine, model: 'jamba-1.5-mini@001' },
      ],
      [raw, { n: 1 }, mistral, `publishers/mistralai/models/${mistral}:rawPredict`, { n: 1 }],
      [raw, mine, claude, `publishers/anthropic/models/${claude}:rawPredict`, mine],
      [
        '/publishers/x/models/mine:generateContent',
        mine,
        'meta/llama-maas',
        'publishers/meta/models/llama-maas:generateContent',
        mine,
      ],
      [open, mine, 'llama-4-maas', open.slice(1), { ...mine, model: 'meta/llama-4-maas' }],
      [open, mine, 'gemini-2.5-flash', open.slice(1), { ...mine, model: 'google/gemini-2.5-flash' }],
      [`/${counter}`, mine, claude, counter, { ...mine, model: claude }],
    ]
    for (const [path, body, model, expected, written] of cases)
      assert.deepEqual(sent(path, body, model), [expected, written], `${path} ${model}`)
    assert.equal(modelInPath('vertex_ai', `/v1/${counter}`), undefined)
  })

  test('names a model that its deployments write in several ways', () => {
    for (const [written, asked, isSame] of [
      ['mistralai/codestral-2', 'codestral-2', true],
      ['publishers/mistralai/models/codestral-2', 'codestral-2', true],
      ['llama-4-maas', 'meta/llama-4-maas', true],
      ['gemini-2.5-flash', 'google/gemini-2.5-flash', true],
      ['claude-haiku-4-5', 'claude-sonnet-4-5', false],
      ['meta/llama-4-maas', 'qwen/llama-4-maas', false],
    ] as const)
      assert.equal(isSameModel('vertex_ai', written, asked), isSame, `${written} ${asked}`)
    assert.equal(isSameModel('bedrock', 'llama-4-maas', 'meta/llama-4-maas'), false)
  })

  test('takes credentials to no host but Google’s', () => {
    for (const location of ['evil.test%2f', 'evil.test#', 'x@evil.test', 'evil.test:443', 'A'])
      assert.throws(() => urlOf(line, `/v1/projects/p/locations/${location}/${model}:generateContent`), {
        kind: 'bad_request',
        param: 'path',
      })
  })

  test('suits those who are there', () => {
    for (const [path, isThere] of [
      [`/v1/projects/own/locations/europe-west4/${model}:generateContent`, true],
      [`/v1/projects/own/locations/global/${model}:generateContent`, false],
      [`/v1/projects/p/locations/europe-west4/${model}:generateContent`, false],
      [`/v1/projects/default/locations/europe-west4/${model}:generateContent`, true],
      [`/${model}:generateContent`, true],
    ] as const)
      assert.equal(suitsPath(line, path), isThere, path)
  })
})

describe('a path of Bedrock', () => {
  const line = lineOf('bedrock', 'us-east-1/amazon.nova-pro-v1:0')
  const runtime = 'https://bedrock-runtime.us-east-1.amazonaws.com'
  const arn = 'arn:aws:bedrock:eu-west-1:123456789012:application-inference-profile/a1b2c3'

  test('holds one id, however it is escaped', () => {
    const cases: readonly (readonly [string, string])[] = [
      ['amazon.nova-pro-v1:0', 'amazon.nova-pro-v1%3A0'],
      ['amazon.nova-pro-v1%3A0', 'amazon.nova-pro-v1%3A0'],
      [arn, encodeURIComponent(arn)],
      [encodeURIComponent(arn), encodeURIComponent(arn)],
    ]
    for (const action of [
      'converse',
      'converse-stream',
      'invoke',
      'invoke-with-response-stream',
      'count-tokens',
    ])
      for (const [id, segment] of cases) {
        assert.equal(urlOf(line, `/model/${id}/${action}`), `${runtime}/model/${segment}/${action}`)
        assert.equal(modelInPath('bedrock', `/model/${id}/${action}`), decodeURIComponent(id))
      }
  })

  test('with a group’s name in it is asked of the group’s model', () => {
    const cases = [
      ['amazon.nova-pro-v1:0', 'amazon.nova-pro-v1%3A0'],
      ['invoke/anthropic.claude-x-v1:0', 'anthropic.claude-x-v1%3A0'],
      [arn, encodeURIComponent(arn)],
    ] as const
    for (const [model, segment] of cases)
      assert.equal(
        urlOf(line, '/model/my%20nova/converse', {}, model),
        `${runtime}/model/${segment}/converse`,
      )
  })

  test('goes to the runtime, that of agents where those are asked, or to an address that somebody wrote', () => {
    const agents = 'https://bedrock-agent-runtime.us-east-1.amazonaws.com'
    assert.equal(urlOf(line, '/guardrail/g/version/1/apply'), `${runtime}/guardrail/g/version/1/apply`)
    for (const path of [
      '/knowledgebases/K/retrieve',
      '/retrieveAndGenerate',
      '/agents/A/agentAliases/B/sessions/C/text',
    ])
      assert.equal(urlOf(line, path), agents + path)
    const own = lineOf('bedrock', 'us-east-1/amazon.nova-pro-v1:0', { apiBase: 'https://proxy.test/aws' })
    assert.equal(urlOf(own, '/rerank'), 'https://proxy.test/aws/rerank')
    assert.equal(urlOf(own, '/model/x.y/invoke'), 'https://proxy.test/aws/model/x.y/invoke')
  })

  test('suits those in the region of an ARN', () => {
    assert.equal(suitsPath(line, `/model/${encodeURIComponent(arn)}/converse`), false)
    assert.equal(suitsPath(line, `/model/${arn.replace('eu-west-1', 'us-east-1')}/converse`), true)
    assert.equal(suitsPath(line, '/model/amazon.nova-pro-v1%3A0/converse'), true)
  })
})

test('a group’s name in a path of AI Studio gives way to its model', () => {
  const line = lineOf('gemini', 'gemini-2.5-flash')
  const base = 'https://generativelanguage.googleapis.com'
  for (const [path, model, expected] of [
    [
      '/v1beta/models/flash:generateContent',
      'gemini-2.5-flash',
      '/v1beta/models/gemini-2.5-flash:generateContent',
    ],
    ['/v1alpha/models/gemini-x:embedContent', undefined, '/v1alpha/models/gemini-x:embedContent'],
    ['/models/flash', 'tunedModels/mine', '/v1beta/tunedModels/mine'],
    ['/v1beta/cachedContents', undefined, '/v1beta/cachedContents'],
  ] as const)
    assert.equal(urlOf(line, path, {}, model), base + expected)
})
