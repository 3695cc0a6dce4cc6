import assert from 'node:assert/strict'
import { test } from 'node:test'
import { MODES, type Mode } from '../../src/core/mode.ts'
import { COMPATIBLE_LAWS } from '../../src/fake-provider/natives/compatible-laws.ts'
import { startFakeProvider } from '../../src/fake-provider/server.ts'
import type { ProviderAdapter } from '../../src/providers/adapter.ts'
import { allAdapters } from '../../src/providers/registry.ts'
import { ask } from './asking.ts'
import { nativeDeployments, rowDeployments, tokenHosts } from './all-providers.ts'
import { askHealth, assertVerdicts, withModels, type Listed } from './health-answer.ts'
import type { Gateway } from './program.ts'

const KEY = 'key-of-the-upstream'

const providerOf = ({ litellm_params: { model } }: Listed): string => String(model).split('/')[0] ?? ''

/** Does it serve this mode, as the pages about it say? */
function has({ codecs, realtime, onlyMode }: ProviderAdapter, mode: Mode): boolean {
  if (onlyMode !== undefined && onlyMode !== mode) return false
  return (mode === 'realtime' ? realtime : codecs[mode]) !== 'unsupported'
}

/** What is asked besides the probe: a token, and the steps of a call that takes several. */
const BESIDES = /\/as-vertex_ai\/token|\/as-watsonx\/identity\/token|\/as-assemblyai\/v2\//

test('every provider is healthy in each of its modes, for one request each, and takes all of OpenAI’s chat', async () => {
  const fake = await startFakeProvider()
  try {
    const natives = nativeDeployments(`${fake.url}/ok`, KEY)
    const models = [...natives, ...rowDeployments(`${fake.url}/ok`, KEY)]
    const providers = new Set(models.map(providerOf))
    const adapters = await allAdapters()
    const left = adapters.map(({ id }) => id).filter((id) => !providers.has(id))
    assert.deepEqual(left, [], 'every provider is here')
    const isRow = (id: string): boolean => COMPATIBLE_LAWS.some((law) => law.id === id)
    const unasked = adapters
      .filter(({ id }) => !isRow(id))
      .flatMap((adapter) => {
        const asked = natives.filter((listed) => providerOf(listed) === adapter.id)
        const modes = new Set(asked.map(({ model_info: info }) => info?.['mode']))
        return MODES.filter((mode) => has(adapter, mode) && !modes.has(mode)).map(
          (mode) => `${mode} of ${adapter.id}`,
        )
      })
    assert.deepEqual(unasked, [], 'every mode of every provider with words of its own is here')
    for (const mode of MODES) {
      const of = new Set(natives.filter(({ model_info: info }) => info?.['mode'] === mode).map(providerOf))
      assert.ok(of.size >= 2, `${mode} is asked of ${[...of].join(', ')} alone`)
    }
    await withModels(
      models,
      async (gateway) => {
        fake.clearJournal()
        const verdicts = Object.fromEntries(models.map(({ model_name }) => [model_name, 'healthy']))
        assertVerdicts(await askHealth(gateway), verdicts)
        const asked = fake.journal().filter(({ method, url }) => method !== 'WSMSG' && !BESIDES.test(url))
        // AssemblyAI's transcription is one call of several requests.
        assert.equal(asked.length, models.length - 1)
        await takesAll(gateway, models)
      },
      { general_settings: { drain_delay: 0 } },
      { env: tokenHosts(`${fake.url}/ok`) },
    )
  } finally {
    await fake.stop()
  }
})

/** Where a cache may end: Anthropic's clients say so everywhere. */
const MARK = { cache_control: { type: 'ephemeral' } } as const
const TOOL = {
  type: 'function',
  function: { name: 'weather', parameters: { type: 'object' }, strict: true },
  ...MARK,
} as const

/** What OpenAI's chat takes, but for what excludes something else here. */
const EVERYTHING = {
  messages: [{ role: 'user', name: 'ann', content: [{ type: 'text', text: 'ping', ...MARK }], ...MARK }],
  max_completion_tokens: 2_000,
  temperature: 0.5,
  top_p: 0.5,
  stop: ['x'],
  seed: 5,
  n: 2,
  logprobs: true,
  top_logprobs: 2,
  logit_bias: { 5: 1 },
  presence_penalty: 0.5,
  frequency_penalty: 0.5,
  user: 'u',
  metadata: { a: 'b' },
  store: true,
  service_tier: 'auto',
  reasoning_effort: 'low',
  verbosity: 'low',
  modalities: ['text'],
  prediction: { type: 'content', content: 'x' },
  web_search_options: {},
  prompt_cache_key: 'k',
  prompt_cache_options: { mode: 'explicit' },
  moderation: { model: 'omni-moderation-latest' },
  prompt_cache_retention: '24h',
  safety_identifier: 'k',
  tools: [TOOL],
  tool_choice: 'auto',
  parallel_tool_calls: false,
} as const

/** Foundry's Model Inference API passes on what it does not know itself: there the model decides. */
const DECIDES_ITSELF = 'chat of azure_ai/Llama-3.3-70B-Instruct'

/** With `drop_params` nobody is sent what its documentation does not allow. */
async function takesAll(gateway: Gateway, models: readonly Listed[]): Promise<void> {
  const chatting = models.filter(({ model_info: info }) => info?.['mode'] === 'chat')
  for (const { model_name: model } of chatting) {
    const body = { model, ...EVERYTHING, drop_params: true }
    const { status, text } = await ask(`${gateway.url}/v1/chat/completions`, { body })
    assert.equal(status, model === DECIDES_ITSELF ? 400 : 200, `${model}: ${text}`)
  }
}
