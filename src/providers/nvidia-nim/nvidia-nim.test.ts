import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Secret } from '../../core/secret.ts'
import type { Mode } from '../../core/mode.ts'
import { deploymentOf } from '../adapter.contract.ts'
import type { Target } from '../adapter.ts'
import { nvidiaNim } from './adapter.ts'
import { nimRerank } from './rerank.ts'

function targetOf(mode: Mode, model: string): Target {
  const own = { apiKey: new Secret('nvapi-1'), headers: {}, settings: {}, secrets: {} }
  const deployment = deploymentOf('nvidia_nim', { mode, upstreamModel: model, connection: own })
  const connected = nvidiaNim.connect(deployment, {})
  assert.ok('target' in connected)
  return connected.target
}

const CATALOGUE = 'https://ai.api.nvidia.com/v1'

for (const [name, target, url, model] of [
  [
    "NVIDIA's own rerankers have a path each, with another spelling of the version",
    targetOf('rerank', 'nvidia/llama-3_2-nv-rerankqa-1b-v2'),
    `${CATALOGUE}/retrieval/nvidia/llama-3_2-nv-rerankqa-1b-v2/reranking`,
    'nvidia/llama-3.2-nv-rerankqa-1b-v2',
  ],
  [
    'however the version is spelt in the config',
    targetOf('rerank', 'nvidia/llama-3.2-nv-rerankqa-1b-v2'),
    `${CATALOGUE}/retrieval/nvidia/llama-3_2-nv-rerankqa-1b-v2/reranking`,
    'nvidia/llama-3.2-nv-rerankqa-1b-v2',
  ],
  [
    'one that is asked at /ranking is asked there',
    targetOf('rerank', 'ranking/nvidia/llama-3.2-nv-rerankqa-1b-v2'),
    `${CATALOGUE}/ranking`,
    'nvidia/llama-3.2-nv-rerankqa-1b-v2',
  ],
  [
    'a container has one path for all',
    { ...targetOf('rerank', 'nvidia/a_b'), base: 'http://nim.lan:8000/v1' },
    'http://nim.lan:8000/v1/ranking',
    'nvidia/a_b',
  ],
  [
    'a pasted route is meant',
    { ...targetOf('rerank', 'm'), base: 'http://nim.lan:8000/v1/ranking' },
    'http://nim.lan:8000/v1/ranking',
    'm',
  ],
] as const) {
  test(name, () => {
    const wire = nimRerank.encode({ query: 'q', documents: ['a'], top_n: 1, truncate: 'END' }, target)
    assert.equal(wire.url, url)
    assert.deepEqual(JSON.parse(String(wire.body)), {
      query: { text: 'q' },
      passages: [{ text: 'a' }],
      truncate: 'END',
      model,
    })
  })
}

test('chat and embeddings are at the other host, and only that one lists models', () => {
  const chat = targetOf('chat', 'meta/llama-3.1-8b-instruct')
  assert.equal(chat.base, 'https://integrate.api.nvidia.com/v1')
  assert.equal(nvidiaNim.freeUrl?.(chat), 'https://integrate.api.nvidia.com/v1/models')
  assert.equal(nvidiaNim.freeUrl?.(targetOf('rerank', 'nvidia/m')), undefined)
  assert.equal(nvidiaNim.freeUrl?.({ ...chat, base: 'http://nim/v1/ranking' }), 'http://nim/v1/models')
  assert.equal(nvidiaNim.isFreePublic, true)
})
