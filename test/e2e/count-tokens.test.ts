import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Anthropic, BadRequestError } from '@anthropic-ai/sdk'
import type { FakeProvider } from '../../src/fake-provider/server.ts'
import { serviceAccount } from './all-providers.ts'
import { ask, AUTH, KEY, withStage } from './asking.ts'

type Content = string | Anthropic.ContentBlockParam[]

const PNG = 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAAAAAA6fptVAAAACklEQVR42mNgAAAAAgABSK+kcQAAAABJRU5ErkJggg=='
/** 20,000 words, all alike to a tokenizer. */
const STORY = 'The gateway asked the model, and the model said nothing. '.repeat(20_000)

function config({ url }: FakeProvider): string {
  const bedrock = (order: string): object => ({
    aws_bedrock_runtime_endpoint: `${url}/${order}/as-bedrock`,
    aws_region_name: 'us-east-1',
    aws_access_key_id: 'AKIAUPSTREAM',
    aws_secret_access_key: 'secret-of-AKIAUPSTREAM',
  })
  const vertex = (location: string): object => ({
    api_base: `${url}/ok/as-vertex_ai`,
    vertex_location: location,
    vertex_credentials: serviceAccount(`${url}/ok`),
  })
  const openai = (order: string, more: object = {}): object => ({
    api_base: `${url}/${order}/v1`,
    api_key: 'sk-upstream-openai',
    ...more,
  })
  const anthropic = { api_base: `${url}/ok/as-anthropic`, api_key: 'upstream-anthropic-key' }
  const gemini = { api_base: `${url}/ok/as-gemini/v1beta`, api_key: 'upstream-gemini-key' }
  const models: readonly (readonly [name: string, model: string, params: object])[] = [
    ['anthropic', 'anthropic/claude-haiku-4-5', anthropic],
    ['flash', 'gemini/gemini-2.5-flash', gemini],
    ['dutch', 'vertex_ai/gemini-2.5-flash', vertex('europe-west4')],
    ['v-claude', 'vertex_ai/claude-sonnet-4-5@20250929', vertex('europe-west4')],
    ['v-global', 'vertex_ai/claude-sonnet-4-5@20250929', vertex('global')],
    ['v-mistral', 'vertex_ai/mistral-large-2411@001', vertex('europe-west4')],
    ['v-llama', 'vertex_ai/meta/llama-3.3-70b-instruct-maas', vertex('europe-west4')],
    ['v-own', 'vertex_ai/openai/1234567890', vertex('europe-west4')],
    ['sonnet', 'bedrock/us.anthropic.claude-3-7-sonnet-20250219-v1:0', bedrock('ok')],
    ['invoked', 'bedrock/invoke/us.anthropic.claude-sonnet-4-20250514-v1:0', bedrock('ok')],
    ['forbidden', 'bedrock/anthropic.claude-3-sonnet-20240229-v1:0', bedrock('e403')],
    ['cut', 'bedrock/anthropic.claude-3-haiku-20240307-v1:0', bedrock('cut')],
    ['nova', 'bedrock/amazon.nova-pro-v1:0', bedrock('ok')],
    ['gpt', 'openai/gpt-4o', openai('ok')],
    ['command', 'cohere_chat/command-r-plus', { api_base: `${url}/ok`, api_key: 'sk-upstream-openai' }],
    ['mocked', 'gemini/gemini-2.5-flash', { ...gemini, mock_response: 'made up' }],
  ]
  return JSON.stringify({
    model_list: models.map(([name, model, params]) => ({
      model_name: name,
      litellm_params: { model, ...params },
      model_info: { id: `id-${name}` },
    })),
    general_settings: { master_key: KEY, drain_delay: 0 },
  })
}

test('tokens are counted before every deployment that chats', async (t) => {
  await withStage(config, async ({ gateway, fake }) => {
    const client = new Anthropic({ apiKey: KEY, baseURL: gateway.url, maxRetries: 0 })
    const count = async (
      model: string,
      content: Content = 'ping',
      more: Partial<Anthropic.MessageCountTokensParams> = {},
    ) => {
      const asked = { model, messages: [{ role: 'user' as const, content }], ...more }
      const { data, response } = await client.messages.countTokens(asked).withResponse()
      return {
        tokens: data.input_tokens,
        isEstimate: response.headers.get('x-pulsegate-estimated') === 'true',
      }
    }
    const asked = (): readonly string[] =>
      fake
        .journal()
        .filter(({ url }) => !url.endsWith('/token'))
        .map(({ url }) => url.replace(/^\/\w+\/as-/, ''))

    await t.test('by the provider, where it counts', async () => {
      const tools: Anthropic.Tool[] = [
        { name: 'weather', description: 'of a city', input_schema: { type: 'object', properties: {} } },
      ]
      const place = 'vertex_ai/v1/projects/a-project/locations/europe-west4/publishers'
      const cases: readonly (readonly [model: string, tokens: number, path: string])[] = [
        ['flash', 31, 'gemini/v1beta/models/gemini-2.5-flash:countTokens'],
        ['dutch', 31, `${place}/google/models/gemini-2.5-flash:countTokens`],
        ['v-claude', 41, `${place}/anthropic/models/count-tokens:rawPredict`],
        ['sonnet', 37, 'bedrock/model/anthropic.claude-3-7-sonnet-20250219-v1%3A0/count-tokens'],
        ['invoked', 37, 'bedrock/model/anthropic.claude-sonnet-4-20250514-v1%3A0/count-tokens'],
      ]
      for (const [model, tokens, path] of cases) {
        fake.clearJournal()
        const said = await count(model, 'ping', { system: 'Be brief.', tools, tool_choice: { type: 'any' } })
        assert.deepEqual(said, { tokens, isEstimate: false }, model)
        assert.deepEqual(asked(), [path])
      }
      assert.equal((await count('anthropic')).isEstimate, false)
    })

    await t.test('here, where it does not or will not, and it is said so', async () => {
      for (const model of ['gpt', 'command', 'nova', 'mocked', 'v-mistral', 'v-llama', 'v-own']) {
        fake.clearJournal()
        const { tokens, isEstimate } = await count(model)
        assert.ok(isEstimate && tokens >= 4 && tokens <= 12, `${model}: ${tokens}`)
        assert.deepEqual(asked(), [], model)
      }
      for (const model of ['forbidden', 'cut', 'v-global'])
        assert.equal((await count(model)).isEstimate, true, model)
    })

    await t.test('and what a provider says of counting takes nobody out', async () => {
      for (let round = 0; round < 5; round += 1) await count('v-global')
      const message = await client.messages.create({
        model: 'v-global',
        max_tokens: 5,
        messages: [{ role: 'user', content: 'ping' }],
      })
      assert.deepEqual(message.content, [{ type: 'text', text: 'pong' }])
      assert.doesNotMatch(gateway.stderr(), /MISCONFIGURED|DOWN|SUSPECT|attempt_failed/)
      const { text } = await ask(`${gateway.url}/metrics`, { headers: AUTH })
      assert.match(text, /operation="count_tokens",outcome="ok"/)
    })

    await t.test('with tools, thoughts and results of tools', async () => {
      const { tokens: bare } = await count('gpt')
      const tools: Anthropic.Tool[] = [
        {
          name: 'weather',
          description: 'The weather of a city',
          input_schema: { type: 'object', properties: {} },
        },
      ]
      assert.ok((await count('gpt', 'ping', { tools })).tokens >= bare + 10)
      const { tokens } = await count('command', 'ping', {
        messages: [
          { role: 'user', content: 'ping' },
          {
            role: 'assistant',
            content: [{ type: 'tool_use', id: 't1', name: 'weather', input: { city: 'Oslo' } }],
          },
          {
            role: 'user',
            content: [{ type: 'tool_result', tool_use_id: 't1', content: 'rain '.repeat(100) }],
          },
        ],
      })
      assert.ok(tokens > bare + 100 && tokens < bare + 150, String(tokens))
      assert.ok((await count('gpt', '<|endoftext|>')).tokens > bare + 2, 'a control token is only text')
    })

    await t.test('with pictures and documents by a rule, or not at all', async () => {
      const { tokens: bare } = await count('gpt', [{ type: 'text', text: 'look' }])
      const source = { type: 'base64', media_type: 'image/png', data: PNG } as const
      const shown = await count('gpt', [
        { type: 'text', text: 'look' },
        { type: 'image', source },
      ])
      assert.equal(shown.tokens, bare + 1600)
      const data = Buffer.alloc(120_000).toString('base64')
      const read = await count('gpt', [
        { type: 'text', text: 'look' },
        { type: 'document', source: { type: 'base64', media_type: 'application/pdf', data } },
      ])
      assert.equal(read.tokens, bare + 3 * 2000)
      const url = 'https://files.test/a.pdf'
      await assert.rejects(
        count('gpt', [{ type: 'document', source: { type: 'url', url } }]),
        (error) =>
          error instanceof BadRequestError && /named by its URL cannot be counted/.test(error.message),
      )
    })

    await t.test('a large body by samples, all over it', async () => {
      const [some, all] = [await count('gpt', STORY.slice(0, 60_000)), await count('gpt', STORY)]
      const expected = (some.tokens * STORY.length) / 60_000
      assert.ok(Math.abs(all.tokens - expected) < expected / 50, `${all.tokens}, not ${expected}`)
      const mixed = await count('gpt', STORY.slice(0, 500_000) + '健康检查很重要'.repeat(70_000))
      const parts = [
        await count('gpt', STORY.slice(0, 500_000)),
        await count('gpt', '健康检查很重要'.repeat(70_000)),
      ]
      const sum = parts.reduce((tokens, part) => tokens + part.tokens, 0)
      assert.ok(Math.abs(mixed.tokens - sum) < sum / 20, `${mixed.tokens}, not ${sum}`)
    })

    await t.test('and what is no request is refused', async () => {
      const wrong = await ask(`${gateway.url}/v1/messages/count_tokens`, {
        headers: AUTH,
        body: { model: 'gpt', messages: [{ role: 'robot', content: 'ping' }] },
      })
      assert.equal(wrong.status, 400)
      assert.match(wrong.text, /messages\[0\]\.role/)
    })
  })
})
