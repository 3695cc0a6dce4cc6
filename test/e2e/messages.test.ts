import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Anthropic, APIError, AuthenticationError, BadRequestError, RateLimitError } from '@anthropic-ai/sdk'
import { ask, at, AUTH, configOf, eventually, KEY, withStage } from './asking.ts'
import { raised } from './raised.ts'
import type { Gateway } from './program.ts'

const clientOf = (gateway: Gateway): Anthropic =>
  new Anthropic({ apiKey: KEY, baseURL: gateway.url, maxRetries: 0 })

const MESSAGES: Anthropic.MessageParam[] = [{ role: 'user', content: 'ping' }]
const PICTURE = { type: 'base64', media_type: 'image/png', data: 'iVBORw0KGgo=' } as const
const TOOLS: Anthropic.Tool[] = ['weather', 'time'].map((name) => ({
  name,
  description: `The ${name} of a city`,
  input_schema: { type: 'object', properties: { city: { type: 'string' } } },
}))

const config = configOf([
  { group: 'gpt', base: 'ok/v1' },
  { group: 'reasoner', base: 'ok/v1', model: 'openai/gpt-5-nano' },
  { group: 'lenient', base: 'ok/v1', params: ', drop_params: true' },
  { group: 'command', base: 'ok', model: 'cohere_chat/command-r-plus' },
  { group: 'limited', base: 'e429r7/v1', params: ', num_retries: 0' },
  { group: 'cut', base: 'cut/v1' },
  { group: 'sick', base: 'errevent/v1' },
  { group: 'waiting', base: 'slow600000/v1' },
  { group: 'mocked', base: 'hang/v1', params: ", mock_response: 'made up'" },
])

test("Anthropic's own client before deployments that speak OpenAI's words", async (t) => {
  await withStage(config, async ({ gateway, fake }) => {
    const client = clientOf(gateway)
    const last = (): unknown => fake.journal().at(-1)?.body

    await t.test('gets an answer', async () => {
      const { data: message, response } = await client.messages
        .create({
          model: 'gpt',
          max_tokens: 50,
          system: [{ type: 'text', text: 'be short', cache_control: { type: 'ephemeral' } }],
          messages: MESSAGES,
          stop_sequences: ['END'],
          metadata: { user_id: 'u' },
        })
        .withResponse()
      assert.equal(response.headers.get('x-pulsegate-dropped-params'), 'system[].cache_control')
      assert.deepEqual(message.content, [{ type: 'text', text: 'pong' }])
      assert.equal(message.stop_reason, 'end_turn')
      assert.equal(message.role, 'assistant')
      assert.match(message.id, /^msg_/)
      assert.deepEqual([message.usage.input_tokens, message.usage.output_tokens], [5, 1])
      assert.deepEqual(last(), {
        model: 'gpt-4o',
        messages: [
          { role: 'system', content: [{ type: 'text', text: 'be short' }] },
          { role: 'user', content: 'ping' },
        ],
        max_tokens: 50,
        stop: ['END'],
      })
    })

    await t.test('streams a text, event by event', async () => {
      for (const model of ['gpt', 'command']) {
        const stream = client.messages.stream({ model, max_tokens: 50, messages: MESSAGES })
        const types: string[] = []
        stream.on('streamEvent', ({ type }) => types.push(type))
        const message = await stream.finalMessage()
        assert.equal(await stream.finalText(), 'pong', model)
        assert.equal(message.stop_reason, 'end_turn')
        assert.deepEqual([message.usage.input_tokens, message.usage.output_tokens], [5, 1], model)
        assert.deepEqual(
          types,
          [
            'message_start',
            'content_block_start',
            'content_block_delta',
            'content_block_delta',
            'content_block_stop',
            'message_delta',
            'message_stop',
          ],
          model,
        )
      }
    })

    await t.test('gets parallel calls of tools, whole and streamed', async () => {
      const asked = {
        model: 'gpt',
        max_tokens: 50,
        messages: [{ role: 'user', content: [{ type: 'image', source: PICTURE }] }],
        tools: TOOLS,
        tool_choice: { type: 'any' },
      } satisfies Anthropic.MessageCreateParams
      const whole = await client.messages.create(asked)
      const streamed = await client.messages.stream(asked).finalMessage()
      for (const message of [whole, streamed]) {
        assert.equal(message.stop_reason, 'tool_use')
        assert.deepEqual(
          message.content.map((block) => block.type === 'tool_use' && [block.id, block.name, block.input]),
          [
            ['call_0', 'weather', { city: 'Paris' }],
            ['call_1', 'time', { city: 'Paris' }],
          ],
        )
      }
      assert.equal(at(last(), 'tool_choice'), 'required')
      assert.deepEqual(at(last(), 'messages', 0, 'content', 0), {
        type: 'image_url',
        image_url: { url: 'data:image/png;base64,iVBORw0KGgo=' },
      })
      const one = await client.messages.create({
        ...asked,
        tool_choice: { type: 'any', disable_parallel_tool_use: true },
      })
      assert.equal(one.content.length, 1)
    })

    await t.test('tells a conversation with tools and pictures', async () => {
      await client.messages.create({
        model: 'gpt',
        max_tokens: 50,
        messages: [
          {
            role: 'user',
            content: [
              { type: 'image', source: { type: 'base64', media_type: 'image/png', data: 'AAAA' } },
              { type: 'image', source: { type: 'url', url: 'https://example.com/a.png' } },
              { type: 'document', source: { type: 'base64', media_type: 'application/pdf', data: 'JVBE' } },
              { type: 'text', text: 'what is this?' },
            ],
          },
          {
            role: 'assistant',
            content: [
              { type: 'thinking', thinking: 'hm', signature: 's' },
              { type: 'text', text: 'let me see' },
              { type: 'tool_use', id: 't1', name: 'weather', input: { city: 'Paris' } },
              { type: 'tool_use', id: 't2', name: 'time', input: {} },
            ],
          },
          {
            role: 'user',
            content: [
              { type: 'tool_result', tool_use_id: 't1', content: 'sunny' },
              {
                type: 'tool_result',
                tool_use_id: 't2',
                content: [{ type: 'text', text: 'no' }],
                is_error: true,
              },
              { type: 'text', text: 'go on' },
            ],
          },
        ],
      })
      assert.deepEqual(at(last(), 'messages'), [
        {
          role: 'user',
          content: [
            { type: 'image_url', image_url: { url: 'data:image/png;base64,AAAA' } },
            { type: 'image_url', image_url: { url: 'https://example.com/a.png' } },
            {
              type: 'file',
              file: { filename: 'document.pdf', file_data: 'data:application/pdf;base64,JVBE' },
            },
            { type: 'text', text: 'what is this?' },
          ],
        },
        {
          role: 'assistant',
          content: 'let me see',
          tool_calls: [
            { id: 't1', type: 'function', function: { name: 'weather', arguments: '{"city":"Paris"}' } },
            { id: 't2', type: 'function', function: { name: 'time', arguments: '{}' } },
          ],
        },
        { role: 'tool', tool_call_id: 't1', content: 'sunny' },
        { role: 'tool', tool_call_id: 't2', content: 'Error: no' },
        { role: 'user', content: [{ type: 'text', text: 'go on' }] },
      ])
    })

    await t.test('has models think that can, and is told where they cannot', async () => {
      const thinking = { type: 'enabled', budget_tokens: 12_000 } as const
      const asked = { max_tokens: 20_000, messages: MESSAGES, thinking }
      await client.messages.create({ ...asked, model: 'reasoner', max_tokens: 16_000 })
      assert.deepEqual(
        [at(last(), 'reasoning_effort'), at(last(), 'max_completion_tokens'), at(last(), 'max_tokens')],
        ['high', 16_000, undefined],
      )
      const refused = await raised(APIError, () =>
        client.messages.create({ ...asked, model: 'gpt', max_tokens: 16_000 }),
      )
      assert.equal(refused.status, 400)
      assert.match(refused.message, /'thinking'.*drop_params/)
      const { response } = await client.messages
        .create({ ...asked, model: 'lenient', max_tokens: 16_000 })
        .withResponse()
      assert.equal(response.headers.get('x-pulsegate-dropped-params'), 'thinking')
    })

    await t.test('is told by its own names what the provider cannot be told', async () => {
      const single = { type: 'auto', disable_parallel_tool_use: true } as const
      const asked = {
        model: 'command',
        max_tokens: 50,
        messages: MESSAGES,
        tools: TOOLS,
        tool_choice: single,
      }
      const refused = await raised(APIError, () => client.messages.create(asked))
      assert.equal(refused.status, 400)
      assert.match(refused.message, /cannot be told 'tool_choice\.disable_parallel_tool_use'/)
      const { headers } = await ask(`${gateway.url}/v1/messages`, {
        headers: AUTH,
        body: { ...asked, drop_params: true },
      })
      assert.equal(headers.get('x-pulsegate-dropped-params'), 'tool_choice.disable_parallel_tool_use')
    })

    await t.test('is answered in its own words where something is wrong', async () => {
      const unknown = await raised(APIError, () =>
        client.messages.create({ model: 'none', max_tokens: 5, messages: MESSAGES }),
      )
      assert.ok(unknown instanceof BadRequestError, String(unknown))
      assert.equal(at(unknown.error, 'error', 'type'), 'invalid_request_error')
      assert.equal(at(unknown.error, 'type'), 'error')
      const limited = await raised(APIError, () =>
        client.messages.create({ model: 'limited', max_tokens: 5, messages: MESSAGES }),
      )
      assert.ok(limited instanceof RateLimitError, String(limited))
      assert.equal(at(limited.error, 'error', 'type'), 'rate_limit_error')
      assert.equal(limited.headers?.get('retry-after'), '7')
      const stranger = new Anthropic({ apiKey: 'sk-wrong', baseURL: gateway.url, maxRetries: 0 })
      const refused = await raised(APIError, () =>
        stranger.messages.create({ model: 'gpt', max_tokens: 5, messages: MESSAGES }),
      )
      assert.ok(refused instanceof AuthenticationError, String(refused))
      assert.equal(at(refused.error, 'error', 'type'), 'authentication_error')
      const get = await ask(`${gateway.url}/v1/messages`)
      assert.deepEqual([get.status, at(get.json, 'type')], [405, 'error'])
    })

    await t.test('is told when a stream breaks, or says that it failed', async () => {
      for (const model of ['cut', 'sick']) {
        const error = await raised(APIError, async () => {
          const stream = await client.messages.create({
            model,
            max_tokens: 5,
            messages: MESSAGES,
            stream: true,
          })
          for await (const event of stream) assert.notEqual(event.type, 'message_stop')
        })
        assert.match(String(at(error.error, 'error', 'type')), /_error$/, model)
      }
    })

    await t.test('ends the upstream request when it leaves', async () => {
      const leaving = new AbortController()
      const pending = raised(APIError, () =>
        client.messages.create(
          { model: 'waiting', max_tokens: 5, messages: MESSAGES },
          { signal: leaving.signal },
        ),
      )
      await eventually(
        () => fake.traffic('slow600000').inFlight,
        (open) => open === 1,
      )
      leaving.abort()
      await pending
      await eventually(
        () => fake.traffic('slow600000').inFlight,
        (open) => open === 0,
      )
    })

    await t.test('gets what was made up, too', async () => {
      const message = await client.messages.create({ model: 'mocked', max_tokens: 5, messages: MESSAGES })
      assert.deepEqual(message.content, [{ type: 'text', text: 'made up' }])
    })

    await t.test('is counted as messages', async () => {
      const { text } = await ask(`${gateway.url}/metrics`, { headers: AUTH })
      assert.match(text, /operation="messages"/)
    })
  })
})
