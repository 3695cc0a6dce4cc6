import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { LLMock } from '@copilotkit/aimock'
import { OpenAI } from 'openai'
import { askHealth, assertVerdicts, withModels, type Listed } from './health-answer.ts'

const KEY = 'sk-master-of-the-gateway'
const UPSTREAM_KEY = 'key-of-the-stranger'

/** Ollama and Cohere as somebody else understands them. */
const mock = new LLMock({ port: 0, auth: { apiKeys: [UPSTREAM_KEY] } })
mock.on(
  { endpoint: 'chat', userMessage: /weather/ },
  {
    toolCalls: [
      { name: 'weather', arguments: '{"city":"Oslo"}' },
      { name: 'time', arguments: '{"city":"Bergen"}' },
    ],
  },
)
mock.on({ endpoint: 'chat' }, { content: 'pong' })
await mock.start()
after(() => mock.stop())

const listed = (name: string, model: string, mode = 'chat'): Listed => ({
  model_name: name,
  litellm_params: { model, api_base: mock.url, api_key: UPSTREAM_KEY },
  model_info: { mode, health_check_timeout: 5 },
})
const MODELS = [
  listed('ollama', 'ollama_chat/llama3.2'),
  listed('cohere', 'cohere_chat/command-a-03-2025'),
  listed('ollama-text', 'ollama/llama3.2', 'completion'),
]
const SETTINGS = {
  general_settings: { master_key: KEY, drain_delay: 0 },
  router_settings: { num_retries: 0 },
}
const TOOLS: OpenAI.ChatCompletionTool[] = ['weather', 'time'].map((name) => ({
  type: 'function',
  function: { name, parameters: { type: 'object', properties: { city: { type: 'string' } } } },
}))
const CALLED = [
  ['weather', '{"city":"Oslo"}'],
  ['time', '{"city":"Bergen"}'],
]

test("another's Ollama and Cohere are healthy", () =>
  withModels(
    MODELS,
    async (gateway) => {
      const healthy = Object.fromEntries(MODELS.map(({ model_name }) => [model_name, 'healthy']))
      assertVerdicts(await askHealth(gateway), healthy)
    },
    { general_settings: { drain_delay: 0 } },
  ))

test("OpenAI's client speaks with another's Ollama and Cohere", () =>
  withModels(
    MODELS,
    async (gateway) => {
      const client = new OpenAI({ apiKey: KEY, baseURL: `${gateway.url}/v1`, maxRetries: 0 })
      for (const model of ['ollama', 'cohere']) {
        const messages = [{ role: 'user', content: 'the weather?' }] as const
        const asked = { model, messages: [...messages], tools: TOOLS }
        const { choices } = await client.chat.completions.create(asked)
        assert.deepEqual(calledIn(choices[0]?.message.tool_calls), CALLED, model)
        const streamed = await client.chat.completions.stream(asked).finalChatCompletion()
        assert.deepEqual(calledIn(streamed.choices[0]?.message.tool_calls), CALLED, `${model}, streamed`)
        assert.equal(streamed.choices[0]?.finish_reason, 'tool_calls', model)
        const plain = { model, messages: [{ role: 'user' as const, content: 'ping' }] }
        const said = await client.chat.completions.create(plain)
        assert.equal(said.choices[0]?.message.content, 'pong', model)
        assert.equal(await client.chat.completions.stream(plain).finalContent(), 'pong', model)
      }
      const completed = await client.completions.create({ model: 'ollama-text', prompt: 'ping' })
      assert.equal(completed.choices[0]?.text, 'pong')
    },
    SETTINGS,
  ))

function calledIn(
  calls: readonly OpenAI.ChatCompletionMessageToolCall[] = [],
): readonly (readonly string[])[] {
  return calls.map((call) => (call.type === 'function' ? [call.function.name, call.function.arguments] : []))
}
