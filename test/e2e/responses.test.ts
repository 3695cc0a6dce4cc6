import assert from 'node:assert/strict'
import { test } from 'node:test'
import { APIError, NotFoundError, OpenAI, RateLimitError } from 'openai'
import { ask, at, AUTH, configOf, KEY, withStage } from './asking.ts'
import { raised } from './raised.ts'
import type { Gateway } from './program.ts'

const clientOf = (gateway: Gateway): OpenAI =>
  new OpenAI({ apiKey: KEY, baseURL: `${gateway.url}/v1`, maxRetries: 0 })

const TOOLS: OpenAI.Responses.FunctionTool[] = ['weather', 'time'].map((name) => ({
  type: 'function',
  name,
  description: `The ${name} of a city`,
  parameters: { type: 'object', properties: { city: { type: 'string' } } },
  strict: false,
}))

const SETTLED = `, max_tokens: 400, reasoning_effort: low, store: false, seed: 1, extra_body: {user: u},
  response_format: {type: json_object}, verbosity: low`

/** Two accounts under one name, and a provider that serves chats alone. */
const config = configOf([
  { group: 'gpt', base: 'ok/v1', info: '-a', params: ', organization: org-a' },
  { group: 'gpt', base: 'slow1/v1', info: '-b' },
  { group: 'command', base: 'ok', model: 'cohere_chat/command-r-plus' },
  { group: 'cut-chat', base: 'cut', model: 'cohere_chat/command-r-plus' },
  { group: 'sick-chat', base: 'errevent', model: 'cohere_chat/command-r-plus' },
  { group: 'flash', base: 'ok', model: 'gemini/gemini-2.5-flash' },
  { group: 'lenient', base: 'ok', model: 'cohere_chat/command-r-plus', params: ', drop_params: true' },
  { group: 'tiny', base: 'ok/as-ollama', model: 'ollama_chat/llama3.2' },
  { group: 'mixed', base: 'ok', model: 'cohere_chat/command-r-plus', info: '-chat' },
  { group: 'mixed', base: 'ok/v1', info: '-native' },
  { group: 'limited', base: 'e429r7/v1', params: ', num_retries: 0' },
  { group: 'cut', base: 'cut/v1' },
  { group: 'short', base: 'nodone/v1' },
  { group: 'sick', base: 'errevent/v1' },
  { group: 'dated', base: 'ok', model: 'azure/gpt-4o', params: ", api_version: '2025-04-01-preview'" },
  { group: 'settled', base: 'ok/v1', params: SETTLED },
  { group: 'settled-azure', base: 'ok', model: 'azure/gpt-4o', params: SETTLED },
  { group: 'undated', base: 'ok', model: 'azure/gpt-4o' },
])

test("OpenAI's own client asks for responses", async (t) => {
  await withStage(config, async ({ gateway, fake }) => {
    const client = clientOf(gateway)
    const last = (): unknown => fake.journal().at(-1)
    const create = (more: Partial<OpenAI.Responses.ResponseCreateParamsNonStreaming>) =>
      client.responses.create({ model: 'gpt', input: 'ping', ...more })

    await t.test('and gets one as the provider gave it, under an id that remembers it', async () => {
      const response = await create({})
      assert.equal(response.output_text, 'pong')
      assert.match(response.id, /^resp_pg1_/)
      assert.deepEqual(at(last(), 'body'), { model: 'gpt-4o', input: 'ping' })
      for (const model of ['dated', 'undated']) {
        const azure = await create({ model })
        assert.equal(azure.output_text, 'pong', model)
      }
      assert.match(String(at(last(), 'url')), /\/openai\/v1\/responses$/)
    })

    await t.test('and what a deployment settles is said where the request says nothing', async () => {
      for (const model of ['settled', 'settled-azure']) {
        assert.equal((await create({ model })).output_text, 'pong', model)
        const settled = {
          model: 'gpt-4o',
          input: 'ping',
          max_output_tokens: 400,
          reasoning: { effort: 'low' },
          store: false,
          text: { format: { type: 'json_object' }, verbosity: 'low' },
          user: 'u',
        }
        assert.deepEqual(at(last(), 'body'), settled)
        const own = {
          max_output_tokens: 20,
          store: true,
          reasoning: { effort: 'high' },
          text: {},
          user: 'v',
        } as const
        await create({ model, ...own })
        assert.deepEqual(at(last(), 'body'), { ...settled, ...own })
      }
    })

    await t.test('and is told in its words what its provider cannot be told', async () => {
      const file = { type: 'input_file', filename: 'a.pdf', file_data: 'nowhere' } as const
      const cases: readonly (readonly [
        string,
        Partial<OpenAI.Responses.ResponseCreateParamsNonStreaming>,
        string,
      ])[] = [
        ['command', { text: { verbosity: 'low' } }, 'text.verbosity'],
        [
          'flash',
          {
            input: [
              {
                role: 'user',
                content: [
                  { type: 'input_text', text: 'what?' },
                  { type: 'input_image', image_url: 'nowhere', detail: 'auto' },
                ],
              },
            ],
          },
          'input[0].content[1]',
        ],
        ['command', { input: [{ role: 'user', content: [file] }] }, 'input'],
      ]
      for (const [model, more, name] of cases) {
        const error = await raised(APIError, () => create({ model, ...more }))
        assert.deepEqual([error.status, error.param], [400, name], error.message)
        assert.ok(name === 'input' || error.message.includes(`'${name}'`), error.message)
      }
      const { response } = await client.responses
        .create({ model: 'lenient', input: 'ping', text: { verbosity: 'low' } })
        .withResponse()
      assert.equal(response.headers.get('x-pulsegate-dropped-params'), 'text.verbosity')
    })

    await t.test('and goes on from one where it lives, whichever of two that is', async () => {
      for (let round = 0; round < 8; round += 1) {
        const first = await create({})
        const home = at(last(), 'url')
        const second = await create({ previous_response_id: first.id })
        assert.equal(at(last(), 'url'), home)
        assert.match(String(at(last(), 'body', 'previous_response_id')), /^resp_0/)
        assert.equal(second.previous_response_id, first.id)
        const streamed = await client.responses
          .stream({ model: 'gpt', input: 'ping', previous_response_id: second.id })
          .finalResponse()
        assert.equal(streamed.previous_response_id, second.id)
        assert.match(streamed.id, /^resp_pg1_/)
      }
    })

    await t.test('and reads it again, its input too, and deletes it', async () => {
      const { id } = await create({})
      assert.equal((await client.responses.retrieve(id)).id, id)
      const items = await client.responses.inputItems.list(id)
      assert.equal(items.data[0]?.id, 'msg_in')
      const notNow = await raised(APIError, () => client.responses.cancel(id))
      assert.match(notNow.message, /Cannot cancel a synchronous response/)
      await client.responses.delete(id)
      const gone = await raised(APIError, () => client.responses.retrieve(id))
      assert.ok(gone instanceof NotFoundError, String(gone))
      const altered = await raised(APIError, () => client.responses.retrieve(`${id}A`))
      assert.match(altered.message, /No such response.*altered/)
    })

    await t.test('and streams text and calls', async () => {
      for (const model of ['gpt', 'command']) {
        const types: string[] = []
        const stream = client.responses.stream({ model, input: 'ping' })
        let text = ''
        stream.on('response.output_text.delta', ({ delta }) => (text += delta))
        stream.on('event', ({ type }) => types.push(type))
        const response = await stream.finalResponse()
        assert.equal(text, 'pong', model)
        assert.equal(response.output_text, 'pong', model)
        assert.equal(response.status, 'completed')
        assert.deepEqual([response.usage?.input_tokens, response.usage?.output_tokens], [5, 1], model)
        assert.deepEqual(types, [
          'response.created',
          'response.in_progress',
          'response.output_item.added',
          'response.content_part.added',
          'response.output_text.delta',
          'response.output_text.delta',
          'response.output_text.done',
          ...(model === 'command' ? ['response.content_part.done'] : []),
          'response.output_item.done',
          'response.completed',
        ])
      }
      const called = await client.responses
        .stream({ model: 'gpt', input: 'ping', tools: TOOLS, tool_choice: 'required' })
        .finalResponse()
      assert.deepEqual(
        called.output.map((item) => item.type === 'function_call' && [item.name, item.arguments]),
        [
          ['weather', '{"city":"Paris"}'],
          ['time', '{"city":"Paris"}'],
        ],
      )
    })

    await t.test('of who serves chats alone', async () => {
      const response = await create({ model: 'command', instructions: 'be short' })
      assert.equal(response.output_text, 'pong')
      assert.equal(at(response, 'store'), false)
      assert.equal(response.instructions, 'be short')
      assert.match(response.id, /^resp_pg1_/)
      assert.deepEqual(at(last(), 'body', 'messages'), [
        { role: 'system', content: 'be short' },
        { role: 'user', content: 'ping' },
      ])
      const forgotten = await raised(APIError, () =>
        create({ model: 'command', previous_response_id: response.id }),
      )
      assert.equal(forgotten.status, 400)
      assert.match(forgotten.message, /'previous_response_id'.*keeps anything; send the whole conversation/)
      for (const kept of [
        { conversation: 'conv_1' },
        { background: true },
        { store: true },
        { prompt: { id: 'pmpt_1' } },
        { previous_response_id: 'resp_1' },
      ]) {
        const refused = await raised(APIError, () => create({ model: 'command', ...kept }))
        const [name = ''] = Object.keys(kept)
        assert.deepEqual([refused.status, refused.param], [400, name])
        assert.match(refused.message, new RegExp(`'${name}'`))
      }
      const nowhere = await raised(APIError, () => client.responses.retrieve(response.id))
      assert.match(nowhere.message, /has no responses to keep/)
    })

    await t.test('of who keeps them, where a group has any and they are to be kept', async () => {
      for (const kept of [{ store: true }, { previous_response_id: 'resp_1' }, { background: true }])
        for (let round = 0; round < 6; round += 1) {
          fake.clearJournal()
          const answered = await create({ model: 'mixed', ...kept }).catch((error: unknown) => error)
          const urls = fake.journal().map(({ url }) => url)
          assert.deepEqual(urls, ['/ok/v1/responses'], String(answered))
        }
    })

    await t.test('and hears of one that fails within its stream, or is cut short by its budget', async () => {
      for (const model of ['cut-chat', 'sick-chat']) {
        const types: string[] = []
        const stream = client.responses.stream({ model, input: 'ping' })
        let failed: OpenAI.Responses.Response | undefined
        stream.on('event', (event) => {
          types.push(event.type)
          if (event.type === 'response.failed') failed = event.response
        })
        await stream.done()
        assert.deepEqual([types[0], types.at(-1)], ['response.created', 'response.failed'], model)
        assert.deepEqual([failed?.status, failed?.error?.code], ['failed', 'server_error'])
        assert.match(failed?.error?.message ?? '', /deployment "\w+-chat"/)
        assert.match(failed?.id ?? '', /^resp_pg1_/)
      }
      const types: string[] = []
      const stream = client.responses.stream({ model: 'tiny', input: 'ping', max_output_tokens: 1 })
      stream.on('event', ({ type }) => types.push(type))
      await stream.done()
      assert.equal(types.at(-1), 'response.incomplete')
      const whole = await create({ model: 'tiny', max_output_tokens: 1 })
      assert.deepEqual(
        [whole.status, whole.incomplete_details],
        ['incomplete', { reason: 'max_output_tokens' }],
      )
    })

    await t.test('and is told where they go wrong', async () => {
      const limited = await raised(APIError, () => create({ model: 'limited' }))
      assert.ok(limited instanceof RateLimitError, String(limited))
      assert.equal(at(limited, 'type'), 'rate_limited')
      const elsewhere = await raised(APIError, () =>
        create({ model: 'command', previous_response_id: 'resp_pg1_x' }),
      )
      assert.ok(elsewhere instanceof NotFoundError, String(elsewhere))
      const first = await create({})
      const strange = await raised(APIError, () =>
        create({ model: 'command', previous_response_id: first.id }),
      )
      assert.match(strange.message, /lives does not answer to model=command/)
      for (const model of ['cut', 'short', 'sick']) {
        const broken = await raised(APIError, async () => {
          const stream = await client.responses.create({ model, input: 'ping', stream: true })
          for await (const event of stream) assert.notEqual(event.type, 'response.completed')
        })
        assert.ok(broken.message !== '', model)
      }
    })

    await t.test('and is counted as responses', async () => {
      const { text } = await ask(`${gateway.url}/metrics`, { headers: AUTH })
      assert.match(text, /operation="responses",outcome="ok"/)
      assert.match(text, /operation="responses",outcome="rate_limited"/)
    })
  })
})
