import assert from 'node:assert/strict'
import { test } from 'node:test'
import { MODES } from '../../src/core/mode.ts'
import { startFakeProvider } from '../../src/fake-provider/server.ts'
import { allAdapters } from '../../src/providers/registry.ts'
import { nativeDeployments, rowDeployments, tokenHosts } from './all-providers.ts'
import { askHealth, assertVerdicts, withModels, type Listed } from './health-answer.ts'

const KEY = 'key-of-the-upstream'

const providerOf = ({ litellm_params: { model } }: Listed): string => String(model).split('/')[0] ?? ''

/** What is asked besides the probe: a token, and the steps of a call that takes several. */
const BESIDES = /\/as-vertex_ai\/token|\/as-watsonx\/identity\/token|\/as-assemblyai\//

test('every provider is healthy in each of its modes, for one request each', async () => {
  const fake = await startFakeProvider()
  try {
    const natives = nativeDeployments(`${fake.url}/ok`, KEY)
    const models = [...natives, ...rowDeployments(`${fake.url}/ok`, KEY)]
    const providers = new Set(models.map(providerOf))
    const adapters = await allAdapters()
    const left = adapters.map(({ id }) => id).filter((id) => !providers.has(id))
    assert.deepEqual(left, [], 'every provider is here')
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
        assert.equal(asked.length, models.length - 1)
      },
      { general_settings: { drain_delay: 0 } },
      { env: tokenHosts(`${fake.url}/ok`) },
    )
  } finally {
    await fake.stop()
  }
})
