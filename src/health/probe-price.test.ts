import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { Deployment } from '../core/deployment.ts'
import { createModelBook } from '../providers/model-facts.ts'
import { createProbePrices } from './probe-price.ts'
import type { ProbePrices } from './probe-price.ts'
import { allAdapters } from '../providers/registry.ts'

await allAdapters()

let made = 0
function deployment(provider: string, upstreamModel: string, more: Partial<Deployment> = {}): Deployment {
  return {
    index: made++,
    id: 'i',
    group: 'g',
    model: `${provider}/${upstreamModel}`,
    provider,
    upstreamModel,
    mode: 'chat',
    modeSource: 'default',
    connection: { headers: {} },
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

function prices(env: Readonly<Record<string, string>> = {}): ProbePrices {
  return createProbePrices({ book: createModelBook(), env, settings: { prompt: 'test from litellm' } })
}

async function loaded(env: Readonly<Record<string, string>> = {}): Promise<ProbePrices> {
  const made = prices(env)
  await made.load()
  return made
}

const at = (apiBase: string): Partial<Deployment> => ({ connection: { headers: {}, apiBase } })

describe('one whole check costs, with the catalogue loaded', () => {
  const table: readonly (readonly [string, Deployment, number])[] = [
    ['a small chat model', deployment('openai', 'gpt-4o-mini'), 1.185e-5],
    ['a large one', deployment('openai', 'gpt-5-pro'), 2.145e-3],
    [
      'what stands behind an Azure name',
      deployment('azure', 'mine', { facts: { baseModel: 'azure/gpt-4o' } }),
      1.975e-4,
    ],
    ['a completion', deployment('openai', 'gpt-3.5-turbo-instruct', { mode: 'completion' }), 5.45e-5],
    [
      'an embedding: nothing comes out',
      deployment('openai', 'text-embedding-3-small', { mode: 'embedding' }),
      3e-7,
    ],
    ['a chat that nobody knows', deployment('openai', 'nobody-knows'), 2.9e-4],
    ['a reasoning model that nobody knows', deployment('openai', 'o9-mega'), 2e-3],
    ['an image', deployment('openai', 'dall-e-3', { mode: 'image_generation' }), 0.04],
    ['a second of sound', deployment('openai', 'whisper-1', { mode: 'audio_transcription' }), 1e-4],
    ['a spoken sentence', deployment('openai', 'tts-1', { mode: 'audio_speech' }), 3e-4],
    ['a ranked document', deployment('cohere', 'rerank-v3.5', { mode: 'rerank' }), 2e-3],
    ['a list of batches', deployment('openai', 'gpt-4o', { mode: 'batch' }), 0],
    ['an opened session', deployment('openai', 'gpt-4o-realtime', { mode: 'realtime' }), 0],
    ['a wildcard: its cheap model', deployment('openrouter', '*'), 1.185e-5],
    [
      'another model that is asked in its place',
      deployment('openai', 'gpt-5-pro', {
        facts: { inputCost: 1, outputCost: 1 },
        probe: {
          params: {},
          backgroundDisabled: false,
          model: { model: 'openai/gpt-4o-mini', provider: 'openai', upstreamModel: 'gpt-4o-mini' },
        },
      }),
      1.185e-5,
    ],
    [
      'a longer answer where more tokens are asked for',
      deployment('openai', 'gpt-4o-mini', {
        probe: { params: {}, backgroundDisabled: false, maxTokens: 100 },
      }),
      15 * 1.5e-7 + 100 * 6e-7,
    ],
    [
      'written prices',
      deployment('openai', 'gpt-4o-mini', { facts: { inputCost: 1e-3, outputCost: 2e-3 } }),
      0.047,
    ],
    ['half of them written', deployment('openai', 'gpt-4o-mini', { facts: { inputCost: 1e-3 } }), 0.0150096],
    [
      'written prices of zero, in any mode',
      deployment('openai', 'x', { mode: 'rerank', facts: { inputCost: 0, outputCost: 0 } }),
      0,
    ],
    [
      'a written image',
      deployment('openai', 'x', { mode: 'image_generation', facts: { imageCost: 0.2 } }),
      0.2,
    ],
    ['a written query', deployment('cohere', 'x', { mode: 'rerank', facts: { queryCost: 0.001 } }), 0.001],
    [
      'a written second',
      deployment('openai', 'x', { mode: 'audio_transcription', facts: { secondCost: 0.5 } }),
      0.5,
    ],
    [
      'written characters',
      deployment('openai', 'x', { mode: 'audio_speech', facts: { characterCost: 1e-3 } }),
      0.017,
    ],
    ['vLLM, wherever it is', deployment('hosted_vllm', 'llama', at('https://llm.example.com/v1')), 0],
    ['this machine', deployment('openai', 'gpt-4o', at('http://localhost:11434/v1')), 0],
    ['this house', deployment('openai', 'gpt-4o', at('http://10.1.2.3:8000/v1')), 0],
    ['a container', deployment('openai', 'gpt-4o', at('http://engine:8000/v1')), 0],
    ['this machine, in IPv6', deployment('openai', 'gpt-4o', at('http://[::1]:8000/v1')), 0],
    ['another house', deployment('openai', 'gpt-4o', at('http://172.32.0.1/v1')), 1.975e-4],
    [
      'a paid model behind a proxy at home',
      deployment('litellm_proxy', 'gpt-4o', at('http://localhost:4000')),
      1.975e-4,
    ],
    [
      'written prices of a model at home',
      deployment('openai', 'x', { ...at('http://localhost/v1'), facts: { inputCost: 1e-3, outputCost: 0 } }),
      0.015,
    ],
  ]
  for (const [name, given, expected] of table)
    test(name, async () => {
      assert.equal(Number((await loaded()).of(given).toPrecision(9)), Number(expected.toPrecision(9)))
    })
})

test('an address from the environment tells as well as a written one', async () => {
  const env = { OPENAI_API_KEY: 'sk-x', OPENAI_API_BASE: 'http://127.0.0.1:1/v1' }
  assert.equal((await loaded(env)).of(deployment('openai', 'gpt-4o')), 0)
})

test('before the catalogue is loaded a mode has its usual price, but what is written counts', async () => {
  const book = prices()
  const known = deployment('openai', 'gpt-4o-mini')
  assert.equal(book.of(known), 2.9e-4)
  assert.equal(book.of(deployment('openai', 'x', { facts: { inputCost: 0, outputCost: 1e-3 } })), 0.016)
  await book.load()
  assert.equal(Number(book.of(known).toPrecision(6)), 1.185e-5)
})
