import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { describe, test } from 'node:test'
import * as z from 'zod'
import { modelId } from './model-id.ts'
import { createSource, entriesOf } from './node.ts'
import { parseYaml } from './yaml.ts'

const vectorSchema = z.array(
  z.object({ name: z.string(), litellm_params_yaml: z.string(), model_name: z.string(), id: z.string() }),
)
const text = readFileSync(new URL('../../test/goldens/model-ids.json', import.meta.url), 'utf8')
const vectors = vectorSchema.parse(JSON.parse(text))

function idOf(group: string, yaml: string): string {
  const { root } = parseYaml(createSource('c.yaml', yaml))
  return modelId(group, entriesOf(root).values())
}

describe('an id is the one that LiteLLM derives', () => {
  test('there are 40 recorded vectors', () => assert.equal(vectors.length, 40))
  for (const { name, litellm_params_yaml, model_name, id } of vectors) {
    test(`${name}: ${litellm_params_yaml.split('\n').at(-1)}`, () =>
      assert.equal(idOf(model_name, litellm_params_yaml), id))
  }
})

describe('published ids are reproduced', () => {
  const table: readonly (readonly [string, string, string])[] = [
    ['gpt-4', 'model: gpt-4', 'e889baacd17f591cce4c63639275ba5e8dc60765d6c553e6ee5a504b19e50ddc'],
    [
      'fake-openai-endpoint',
      'model: openai/fake\napi_key: fake-key\napi_base: https://exampleopenaiendpoint-production.up.railway.app/',
      '112f74fab24a7a5245d2ced3536dd8f5f9192c57ee6e332af0f0512e08bed5af',
    ],
    [
      'llama3',
      'model: groq/llama3-8b-8192',
      '247d689a7186b50b732495edb4bb4b367e10d88a1e02867f1e26b26496e56aec',
    ],
    [
      'Qwen2.5-32B',
      'model: hosted_vllm/Qwen/Qwen2.5-32B-Instruct-GPTQ-Int8\napi_base: http://192.168.0.208:5000/v1',
      '6452bb1f48709eed9967f5cb9a3ceeb94a4ecb4b02337f986f4684cdfa65e343',
    ],
  ]
  for (const [group, yaml, id] of table) test(group, () => assert.equal(idOf(group, yaml), id))
})
