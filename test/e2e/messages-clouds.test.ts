import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Anthropic, APIError, BadRequestError, RateLimitError } from '@anthropic-ai/sdk'
import { LLMock } from '@copilotkit/aimock'
import type { FakeProvider } from '../../src/fake-provider/server.ts'
import { serviceAccount } from './all-providers.ts'
import { ask, at, AUTH, KEY, listAt, withStage } from './asking.ts'
import { raised } from './raised.ts'
import { BETAS, PING, PROFILE, SETTING_TRIALS, SETTLED, SONNET, type Trial } from './claude-settings.ts'

/** A server of Bedrock's API that nobody here wrote. */
const stranger = new LLMock({ port: 0 })
stranger.on({ endpoint: 'chat' }, { content: 'pong' })

interface Listed {
  readonly name: string
  readonly model: string
  readonly params?: object
  readonly info?: object
}

function config({ url }: FakeProvider): string {
  const bedrock = (order = 'ok'): object => ({
    aws_bedrock_runtime_endpoint: order.startsWith('http') ? order : `${url}/${order}/as-bedrock`,
    aws_region_name: 'us-east-1',
    aws_access_key_id: 'AKIAUPSTREAM',
    aws_secret_access_key: 'secret-of-AKIAUPSTREAM',
    num_retries: 0,
  })
  const vertex = (order = 'ok'): object => ({
    api_base: `${url}/${order}/as-vertex_ai`,
    vertex_location: 'europe-west4',
    vertex_credentials: serviceAccount(`${url}/ok`),
    num_retries: 0,
  })
  const azure = (): object => ({ api_base: `${url}/ok/as-azure_ai`, api_key: 'key-of-the-upstream' })
  const anthropic = (): object => ({ api_base: `${url}/ok/as-anthropic`, api_key: 'key-of-the-upstream' })
  const openai = (order: string): object => ({
    api_base: `${url}/${order}/v1`,
    api_key: 'sk-upstream-openai',
  })
  const models: readonly Listed[] = [
    { name: 'bare', model: `bedrock/${SONNET}`, params: bedrock() },
    { name: 'invoke', model: `bedrock/invoke/${SONNET}`, params: bedrock() },
    {
      name: 'bearer',
      model: `bedrock/${SONNET}`,
      params: { ...bedrock(), api_key: 'bedrock-api-key-0123456789' },
    },
    { name: 'opus', model: 'bedrock/anthropic.claude-opus-4-8', params: { ...bedrock(), temperature: 0.5 } },
    { name: 'vertex', model: 'vertex_ai/claude-sonnet-4-5@20250929', params: vertex() },
    {
      name: 'known',
      model: `bedrock/${PROFILE}`,
      params: bedrock(),
      info: { base_model: 'anthropic.claude-sonnet-4-5-20250929-v1:0' },
    },
    { name: 'unknown', model: `bedrock/${PROFILE}`, params: bedrock() },
    { name: 'converse', model: `bedrock/converse/${SONNET}`, params: bedrock() },
    { name: 'guarded', model: `bedrock/${SONNET}`, params: { ...bedrock(), guardrailConfig: GUARDRAIL } },
    { name: 'lenient', model: `bedrock/${SONNET}`, params: { ...bedrock(), drop_params: true } },
    { name: 'b-probed', model: `bedrock/${SONNET}`, params: bedrock(), info: PROBED },
    { name: 'v-probed', model: 'vertex_ai/claude-sonnet-4-5@20250929', params: vertex(), info: PROBED },
    { name: 'b-limited', model: `bedrock/${SONNET}`, params: bedrock('e429r7') },
    ...['cut', 'errevent', 'nodone'].flatMap((order) => [
      { name: `b-${order}`, model: `bedrock/${SONNET}`, params: bedrock(order) },
      { name: `v-${order}`, model: 'vertex_ai/claude-sonnet-4-5@20250929', params: vertex(order) },
    ]),
    { name: 'to-openai', model: `bedrock/${SONNET}`, params: { ...bedrock('e500'), ...FIRST } },
    { name: 'to-openai', model: 'openai/gpt-4o', params: { ...openai('ok'), ...SECOND } },
    { name: 'openai', model: 'openai/gpt-4o', params: openai('ok') },
    { name: 'to-bedrock', model: 'openai/gpt-4o', params: { ...openai('e500'), ...FIRST } },
    { name: 'to-bedrock', model: `bedrock/${SONNET}`, params: { ...bedrock(), ...SECOND } },
    { name: 'bedrock/*', model: 'bedrock/*', params: bedrock() },
    {
      name: 'azure_ai/*',
      model: 'azure_ai/*',
      params: azure(),
      info: { health_check_model: 'azure_ai/claude-haiku-4-5' },
    },
    ...(
      [
        ['bedrock', `bedrock/${SONNET}`, bedrock()],
        ['vertex', 'vertex_ai/claude-sonnet-4-5@20250929', vertex()],
        ['azure', 'azure_ai/claude-sonnet-4-5', azure()],
        ['anthropic', 'anthropic/claude-sonnet-4-5', anthropic()],
      ] as const
    ).map(([name, model, params]) => ({
      name: `settled-${name}`,
      model,
      params: { ...params, ...SETTLED },
    })),
    ...(
      [
        ['bedrock', `bedrock/${SONNET}`, bedrock()],
        ['converse', `bedrock/converse/${SONNET}`, bedrock()],
        ['invoke', `bedrock/invoke/${SONNET}`, bedrock()],
        ['vertex', 'vertex_ai/claude-sonnet-4-5@20250929', vertex()],
        ['azure', 'azure_ai/claude-sonnet-4-5', azure()],
        ['anthropic', 'anthropic/claude-sonnet-4-5', anthropic()],
      ] as const
    ).map(([name, model, params]) => ({
      name: `beta-${name}`,
      model,
      params: { ...params, extra_headers: { 'Anthropic-Beta': BETAS[0] } },
    })),
    { name: 'stranger', model: `bedrock/${SONNET}`, params: bedrock(stranger.url) },
  ]
  return JSON.stringify({
    model_list: models.map(({ name, model, params, info }, index) => ({
      model_name: name,
      litellm_params: { model, ...params },
      model_info: { id: `id-${index}`, ...info },
    })),
    general_settings: { master_key: KEY, drain_delay: 0 },
  })
}

const GUARDRAIL = { guardrailIdentifier: 'g1', guardrailVersion: '1' } as const
const FIRST = { order: 1, num_retries: 2 } as const
const SECOND = { order: 2, num_retries: 2 } as const
const PROBED = { mode: 'anthropic_messages' } as const

/** Deployments that are asked in Anthropic's words. */
const NATIVE = ['bare', 'invoke', 'bearer', 'known', `bedrock/${SONNET}`, 'vertex'] as const
const WEATHER: Anthropic.Tool = {
  name: 'weather',
  input_schema: { type: 'object', properties: { city: { type: 'string' } }, required: ['city'] },
}
const TIME: Anthropic.Tool = { ...WEATHER, name: 'time' }

const TRIALS: readonly (readonly [name: string, run: (trial: Trial) => Promise<void>])[] = [
  [
    'a request goes out in its own words, and the answer comes back as Claude gave it',
    async ({ client, asked }) => {
      for (const model of NATIVE) {
        const thinking = { type: 'enabled', budget_tokens: 1_024 } as const
        const content: Anthropic.ContentBlockParam[] = [
          { type: 'text', text: 'ping', cache_control: { type: 'ephemeral' } },
        ]
        const { data, response } = await client.messages
          .create({ model, max_tokens: 2_000, thinking, messages: [{ role: 'user', content }] })
          .withResponse()
        assert.deepEqual(data.content, [
          { type: 'thinking', thinking: 'They say ping.', signature: 'EqQBCgIYAhIM' },
          { type: 'text', text: 'pong' },
        ])
        assert.equal(data.usage.cache_read_input_tokens, 3, model)
        assert.equal(at(data.usage, 'output_tokens_details', 'thinking_tokens'), 7)
        assert.equal(response.headers.get('x-pulsegate-dropped-params'), null)
        const [sent] = asked()
        assert.match(
          sent?.path ?? '',
          model === 'vertex' ? /claude-sonnet-4-5@20250929:rawPredict$/ : /\/invoke$/,
        )
        assert.deepEqual(sent?.body, {
          max_tokens: 2_000,
          thinking,
          messages: [{ role: 'user', content }],
          anthropic_version: model === 'vertex' ? 'vertex-2023-10-16' : 'bedrock-2023-05-31',
        })
      }
    },
  ],
  [
    'a stream comes as Anthropic streams: its events, its pings, thoughts with signatures and two calls at once',
    async ({ client, asked }) => {
      for (const model of NATIVE) {
        const stream = client.messages.stream({
          model,
          max_tokens: 2_000,
          thinking: { type: 'enabled', budget_tokens: 1_024 },
          messages: PING,
          tools: [WEATHER, TIME],
        })
        const types: string[] = []
        stream.on('streamEvent', ({ type }) => types.push(type))
        const message = await stream.finalMessage()
        assert.deepEqual(
          message.content.map((block) => (block.type === 'tool_use' ? [block.name, block.input] : block)),
          [
            { type: 'thinking', thinking: 'They say ping.', signature: 'EqQBCgIYAhIM' },
            ['weather', { city: 'Paris' }],
            ['time', { city: 'Paris' }],
          ],
        )
        assert.deepEqual(
          [types[0], types.at(-2), types.at(-1)],
          ['message_start', 'message_delta', 'message_stop'],
        )
        assert.deepEqual([message.stop_reason, message.usage.output_tokens], ['tool_use', 8])
        const [sent] = asked()
        assert.match(
          sent?.path ?? '',
          model === 'vertex' ? /:streamRawPredict$/ : /\/invoke-with-response-stream$/,
        )
        assert.equal(at(sent?.body, 'stream'), model === 'vertex' ? true : undefined)
      }
    },
  ],
  [
    'every event is passed on, with all that it has',
    async ({ gateway }) => {
      for (const model of ['bare', 'vertex']) {
        const body = { model, max_tokens: 50, messages: PING, stream: true }
        const { text, headers } = await ask(`${gateway.url}/v1/messages`, { headers: AUTH, body })
        assert.match(headers.get('content-type') ?? '', /^text\/event-stream/)
        assert.match(text, /^event: message_start\ndata: \{"type":"message_start"/)
        assert.match(text, /\nevent: ping\ndata: \{"type":"ping"\}\n\n/)
        assert.equal(/\ndata: .*"amazon-bedrock-invocationMetrics":\{/.test(text), model === 'bare')
      }
    },
  ],
  [
    'citations of documents survive',
    async ({ client }) => {
      const source = { type: 'base64', media_type: 'application/pdf', data: 'JVBERi0=' } as const
      const content: Anthropic.ContentBlockParam[] = [
        { type: 'document', source, title: 'Report', context: 'Of 2026.', citations: { enabled: true } },
      ]
      for (const model of NATIVE) {
        const asked = { model, max_tokens: 50, messages: [{ role: 'user' as const, content }] }
        const whole = await client.messages.create(asked)
        const streamed = await client.messages.stream(asked).finalMessage()
        for (const message of [whole, streamed]) {
          assert.equal(at(message.content, 0, 'citations', 0, 'type'), 'page_location', model)
          assert.equal(at(message.content, 0, 'citations', 0, 'document_title'), 'Report')
        }
      }
    },
  ],
  [
    'what is in beta is asked for where the cloud reads it, and what it does not have is the caller’s error',
    async ({ client, asked }) => {
      const managed = { edits: [{ type: 'clear_tool_uses_20250919' as const }] }
      const betas = ['interleaved-thinking-2025-05-14', 'context-management-2025-06-27']
      for (const model of NATIVE) {
        const answer = await client.beta.messages.create({
          model,
          max_tokens: 50,
          messages: [{ role: 'user', content: 'ping' }],
          context_management: managed,
          betas,
        })
        assert.deepEqual(answer.content, [{ type: 'text', text: 'pong' }], model)
        const [sent] = asked()
        const inHeader = at(sent?.headers, 'anthropic-beta')
        assert.deepEqual(
          [inHeader, at(sent?.body, 'anthropic_beta')],
          model === 'vertex' ? [betas.join(','), undefined] : [undefined, betas],
        )
        assert.equal(at(sent?.headers, 'anthropic-version'), undefined)
        const told = { model, max_tokens: 50, messages: PING, anthropic_beta: [betas[0]] }
        await client.post('/v1/messages', { body: told, headers: { 'anthropic-beta': `${betas[1]}` } })
        const [both] = asked()
        assert.deepEqual(
          [at(both?.headers, 'anthropic-beta'), at(both?.body, 'anthropic_beta')],
          model === 'vertex' ? [betas.join(','), undefined] : [undefined, betas],
        )
        const refused = await raised(APIError, () =>
          client.beta.messages.create({
            model,
            max_tokens: 50,
            messages: [{ role: 'user', content: 'ping' }],
            betas: ['oauth-2025-04-20'],
          }),
        )
        assert.ok(refused instanceof BadRequestError, String(refused))
        assert.equal(at(refused.error, 'error', 'type'), 'invalid_request_error')
        assert.match(refused.message, /invalid beta flag|Unexpected value\(s\) `oauth-2025-04-20`/)
        asked()
      }
    },
  ],
  [
    'thoughts are asked for in the form that the model knows, and a default that it refuses is not told',
    async ({ client, asked }) => {
      const thinking = { type: 'enabled', budget_tokens: 12_000 } as const
      await client.messages
        .stream({ model: 'opus', max_tokens: 20_000, thinking, messages: PING })
        .finalMessage()
      const [sent] = asked()
      const { messages: _, anthropic_version: __, ...rest } = Object(sent?.body)
      assert.deepEqual(rest, {
        max_tokens: 20_000,
        thinking: { type: 'adaptive', display: 'summarized' },
        output_config: { effort: 'high' },
      })
      for (const model of ['known', 'vertex']) {
        await client.messages.create({
          model,
          max_tokens: 20_000,
          thinking: { type: 'adaptive' },
          messages: PING,
        })
        assert.deepEqual(at(asked()[0]?.body, 'thinking'), { type: 'enabled', budget_tokens: 4_096 })
      }
    },
  ],
  [
    'the end of what is to be cached is marked where clouds look for it',
    async ({ client, asked }) => {
      const mark = { type: 'ephemeral' } as const
      for (const model of NATIVE) {
        await client.messages.create({ model, max_tokens: 50, cache_control: mark, messages: PING })
        const body = asked()[0]?.body
        assert.deepEqual(at(body, 'messages'), [
          { role: 'user', content: [{ cache_control: mark, type: 'text', text: 'ping' }] },
        ])
        assert.equal(at(body, 'cache_control'), undefined)
      }
    },
  ],
  [
    'who is asked by Converse, or must be, is translated as before',
    async ({ client, asked }) => {
      for (const model of ['converse', 'unknown', 'guarded']) {
        const message = await client.messages.create({ model, max_tokens: 50, messages: PING })
        assert.deepEqual(message.content, [{ type: 'text', text: 'pong' }], model)
        const [sent] = asked()
        assert.match(sent?.path ?? '', /\/converse$/)
        if (model === 'guarded') assert.deepEqual(at(sent?.body, 'guardrailConfig'), GUARDRAIL)
      }
      const body = {
        model: 'bare',
        max_tokens: 50,
        messages: PING,
        performanceConfig: { latency: 'optimized' },
      }
      await client.post('/v1/messages', { body })
      assert.match(asked()[0]?.path ?? '', /\/converse$/)
    },
  ],
  [
    'a picture that is named by its address is fetched for who reads bytes alone',
    async ({ client, asked }) => {
      const url = 'https://127.0.0.1/a.png'
      const content: Anthropic.ContentBlockParam[] = [{ type: 'image', source: { type: 'url', url } }]
      for (const model of NATIVE) {
        const error = await raised(APIError, () =>
          client.messages.create({ model, max_tokens: 50, messages: [{ role: 'user', content }] }),
        )
        // This address is not public, and so the gateway says that it was about to fetch it.
        assert.equal(error.status, 400, String(error))
        assert.match(error.message, /127\.0\.0\.1/)
        assert.deepEqual(asked(), [])
      }
    },
  ],
  [
    'what only Anthropic runs is refused by the cloud, or left out where that is allowed',
    async ({ client, asked, gateway }) => {
      const more = { mcp_servers: [], speed: 'fast', inference_geo: 'us' }
      const body = { model: 'bare', max_tokens: 50, messages: PING, ...more }
      const refused = await ask(`${gateway.url}/v1/messages`, { headers: AUTH, body })
      assert.equal(refused.status, 400, refused.text)
      assert.match(refused.text, /mcp_servers: Extra inputs are not permitted/)
      const left = await ask(`${gateway.url}/v1/messages`, {
        headers: AUTH,
        body: { ...body, model: 'lenient' },
      })
      assert.equal(left.status, 200, left.text)
      const dropped = left.headers.get('x-pulsegate-dropped-params')?.split(/, ?/) ?? []
      assert.deepEqual(new Set(dropped), new Set(['mcp_servers', 'speed', 'inference_geo']))
      asked()
      await client.messages.create({ model: 'bare', max_tokens: 50, service_tier: 'auto', messages: PING })
      assert.equal(at(asked()[0]?.body, 'service_tier'), undefined)
    },
  ],
  [
    'errors come in Anthropic’s form, whole and within a stream',
    async ({ client }) => {
      const limited = await raised(APIError, () =>
        client.messages.create({ model: 'b-limited', max_tokens: 5, messages: PING }),
      )
      assert.ok(limited instanceof RateLimitError, String(limited))
      assert.equal(at(limited.error, 'error', 'type'), 'rate_limit_error')
      for (const model of ['b-cut', 'v-cut', 'b-errevent', 'v-errevent', 'b-nodone', 'v-nodone']) {
        const error = await raised(APIError, async () => {
          const stream = await client.messages.create({ model, max_tokens: 5, messages: PING, stream: true })
          for await (const event of stream) assert.notEqual(event.type, 'message_stop', model)
        })
        assert.match(String(at(error.error, 'error', 'type')), /_error$/, model)
      }
    },
  ],
  [
    'a group of both kinds falls back from either to the other',
    async ({ client, asked }) => {
      for (const [model, paths] of [
        ['to-openai', [/\/invoke/, /\/chat\/completions$/]],
        ['to-bedrock', [/\/chat\/completions$/, /\/invoke/]],
      ] as const) {
        const ping = { model, max_tokens: 50, messages: PING }
        const whole = await client.messages.create(ping)
        const streamed = await client.messages.stream(ping).finalMessage()
        for (const { content } of [whole, streamed])
          assert.deepEqual(content, [{ type: 'text', text: 'pong' }])
        const seen = asked().map(({ path }) => path)
        for (const path of paths)
          assert.ok(
            seen.some((one) => path.test(one)),
            `${model}: ${seen.join(' ')}`,
          )
      }
    },
  ],
  [
    'tokens are counted in the words that they came in',
    async ({ client, asked }) => {
      const asking = { tools: [WEATHER], system: 'Be brief.', messages: PING }
      const bedrock = await client.messages.countTokens({ model: 'bare', ...asking })
      assert.equal(bedrock.input_tokens, 37)
      const [counted] = asked()
      assert.match(counted?.path ?? '', /\/anthropic\.claude-sonnet-4-5-20250929-v1%3A0\/count-tokens$/)
      const told = Buffer.from(String(at(counted?.body, 'input', 'invokeModel', 'body')), 'base64').toString()
      const { anthropic_version: version, max_tokens: _, ...words } = JSON.parse(told)
      assert.deepEqual([version, words], ['bedrock-2023-05-31', asking])
      const vertex = await client.messages.countTokens({ model: 'vertex', ...asking })
      assert.equal(vertex.input_tokens, 41)
      assert.deepEqual(asked()[0]?.body, {
        anthropic_version: 'vertex-2023-10-16',
        model: 'claude-sonnet-4-5@20250929',
        ...asking,
      })
    },
  ],
  [
    'probes of such deployments take the same road',
    async ({ gateway, asked }) => {
      for (const [model, path] of [
        ['b-probed', /\/invoke$/],
        ['v-probed', /:rawPredict$/],
      ] as const) {
        const health = await ask(`${gateway.url}/health?model=${model}`, { headers: AUTH })
        assert.equal(at(health.json, 'healthy_count'), 1, health.text)
        const [sent] = asked()
        assert.match(sent?.path ?? '', path)
        assert.equal(at(sent?.body, 'model'), undefined)
        assert.equal(listAt(sent?.body, 'messages').length, 1)
      }
    },
  ],
  [
    'a server that nobody here wrote answers as well',
    async ({ client }) => {
      const message = await client.messages.create({ model: 'stranger', max_tokens: 50, messages: PING })
      assert.equal(at(message.content, 0, 'text'), 'pong')
    },
  ],
  [
    'what answers cost is counted',
    async ({ client, gateway }) => {
      const before = await tokens(gateway.url)
      for (const model of ['bare', 'vertex']) {
        await client.messages.create({ model, max_tokens: 50, messages: PING })
        await client.messages.stream({ model, max_tokens: 50, messages: PING }).finalMessage()
      }
      const after = await tokens(gateway.url)
      assert.deepEqual(
        after.map((sum, at) => sum - (before[at] ?? 0)),
        [10, 2, 10, 2],
      )
    },
  ],
]

/** Tokens of two groups, in and out, as they were counted until now. */
async function tokens(url: string): Promise<readonly number[]> {
  const { text } = await ask(`${url}/metrics`, { headers: AUTH })
  const lines = text.split('\n').filter((line) => line.startsWith('pulsegate_tokens_total'))
  return ['bare', 'vertex'].flatMap((group) =>
    ['in', 'out'].map((direction) => {
      const own = lines.find((line) => line.includes(`"${group}"`) && line.includes(`"${direction}"`))
      return Number(own?.split(' ').at(-1) ?? 0)
    }),
  )
}

test("Anthropic's own client before Claude on Bedrock and on Vertex AI", async (t) => {
  await stranger.start()
  try {
    await withStage(config, async (stage) => {
      const { gateway, fake } = stage
      const client = new Anthropic({ apiKey: KEY, baseURL: gateway.url, maxRetries: 0 })
      const asked: Trial['asked'] = () => {
        const seen = fake.journal().filter(({ url }) => !url.endsWith('/token'))
        fake.clearJournal()
        return seen.map(({ url, body, headers }) => ({ path: url, body, headers }))
      }
      for (const [name, run] of [...TRIALS, ...SETTING_TRIALS]) {
        fake.clearJournal()
        await t.test(name, () => run({ ...stage, client, asked }))
      }
    })
  } finally {
    await stranger.stop()
  }
})
