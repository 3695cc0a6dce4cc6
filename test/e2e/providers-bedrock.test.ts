import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { after, test } from 'node:test'
import { LLMock } from '@copilotkit/aimock'
import { OpenAI } from 'openai'
import { atHome, awsAt, signInFile } from '../../src/fake-provider/natives/aws-home.fixture.ts'
import { startFakeProvider } from '../../src/fake-provider/server.ts'
import { ask, at, keysOf, listAt } from './asking.ts'
import { askHealth, assertVerdicts, withModels, type Listed } from './health-answer.ts'

const KEYS = { aws_access_key_id: 'AKIAEXAMPLE', aws_secret_access_key: 'secret-of-AKIAEXAMPLE' } as const
const SONNET = 'anthropic.claude-3-sonnet-20240229-v1:0'
const PROFILE_ARN = 'arn:aws:bedrock:eu-west-1:123456789012:application-inference-profile/a1b2c3'
const PNG = 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAAAAAA6fptVAAAACklEQVR42mNgAAAAAgABSK+kcQAAAABJRU5ErkJggg=='

const fake = await startFakeProvider()
after(() => fake.stop())

/** A deployment of the double, signed for unless it says otherwise. */
function listed(
  name: string,
  model: string,
  more: Readonly<Record<string, unknown>> = {},
  mode?: string,
): Listed {
  return {
    model_name: name,
    // JSON leaves out what is undefined.
    litellm_params: {
      model,
      aws_bedrock_runtime_endpoint: `${fake.url}/ok/as-bedrock`,
      aws_region_name: 'us-east-1',
      ...KEYS,
      ...more,
    },
    model_info: { id: name, ...(mode !== undefined && { mode }) },
  }
}

const MODELS: readonly Listed[] = [
  listed('bedrock-anthropic-claude-3', SONNET),
  listed('converse', 'bedrock/converse/us.anthropic.claude-sonnet-4-5-20250929-v1:0'),
  listed('with-region', 'bedrock/ap-southeast-2/amazon.nova-pro-v1:0', { aws_region_name: undefined }),
  listed('converse-provider', 'bedrock_converse/openai.gpt-oss-120b-1:0'),
  listed('arn', `bedrock/${PROFILE_ARN}`, { aws_region_name: undefined }),
  listed('encoded-arn', `bedrock/converse/${encodeURIComponent(PROFILE_ARN)}`),
  listed('bearer', 'bedrock/anthropic.claude-3-7-sonnet-20250219-v1:0', {
    api_key: 'bedrock-api-key-0123456789',
  }),
  listed('session', `bedrock/${SONNET}`, { aws_session_token: 'a-session/token+of=some' }),
  listed('invoke', 'bedrock/invoke/us.anthropic.claude-sonnet-4-20250514-v1:0'),
  listed('titan', 'bedrock/amazon.titan-embed-text-v1'),
  listed('titan-2', 'bedrock/amazon.titan-embed-text-v2:0', {}, 'embedding'),
  listed('cohere-embed', 'bedrock/cohere.embed-english-v3'),
  listed('rerank', 'bedrock/cohere.rerank-v3-5:0', {}, 'rerank'),
  listed('amazon-rerank', 'bedrock/amazon.rerank-v1:0', {}, 'rerank'),
  listed('canvas', 'bedrock/amazon.nova-canvas-v1:0', {}, 'image_generation'),
  listed('sd3', 'bedrock/stability.sd3-5-large-v1:0', {}, 'image_generation'),
]

const RERANK_MODEL = [
  'rerankingConfiguration',
  'bedrockRerankingConfiguration',
  'modelConfiguration',
  'modelArn',
]

test('Bedrock behind the gateway', (suite) =>
  withModels(MODELS, async (gateway) => {
    const client = new OpenAI({ apiKey: 'none', baseURL: `${gateway.url}/v1`, maxRetries: 0 })

    await suite.test('every deployment is healthy, and each was asked once', async () => {
      fake.clearJournal()
      const health = await askHealth(gateway)
      assert.deepEqual(
        health.unhealthy_endpoints.map(({ model_name: name, error }) => `${name}: ${error}`),
        [],
      )
      assert.deepEqual(
        health.healthy_endpoints.map(({ model_name: name }) => name).sort(),
        MODELS.map(({ model_name: name }) => name).sort(),
      )
      const asked = fake.journal().map(({ url }) => url.replace('/ok/as-bedrock', ''))
      assert.deepEqual([...asked].sort(), [
        '/model/amazon.nova-canvas-v1%3A0/invoke',
        '/model/amazon.nova-pro-v1%3A0/converse',
        '/model/amazon.titan-embed-text-v1/invoke',
        '/model/amazon.titan-embed-text-v2%3A0/invoke',
        '/model/anthropic.claude-3-7-sonnet-20250219-v1%3A0/converse',
        '/model/anthropic.claude-3-sonnet-20240229-v1%3A0/converse',
        '/model/anthropic.claude-3-sonnet-20240229-v1%3A0/converse',
        '/model/arn%3Aaws%3Abedrock%3Aeu-west-1%3A123456789012%3Aapplication-inference-profile%2Fa1b2c3/converse',
        '/model/arn%3Aaws%3Abedrock%3Aeu-west-1%3A123456789012%3Aapplication-inference-profile%2Fa1b2c3/converse',
        '/model/cohere.embed-english-v3/invoke',
        '/model/openai.gpt-oss-120b-1%3A0/converse',
        '/model/stability.sd3-5-large-v1%3A0/invoke',
        '/model/us.anthropic.claude-sonnet-4-20250514-v1%3A0/invoke',
        '/model/us.anthropic.claude-sonnet-4-5-20250929-v1%3A0/converse',
        '/rerank',
        '/rerank',
      ])
      const scopes = fake
        .journal()
        .flatMap(
          ({ headers }) => /Credential=\w+\/\d+\/([\w-]+)/.exec(headers.authorization ?? '')?.[1] ?? 'bearer',
        )
      assert.deepEqual(new Set(scopes), new Set(['us-east-1', 'ap-southeast-2', 'eu-west-1', 'bearer']))
      assert.ok(!JSON.stringify(health).includes('secret-of-AKIAEXAMPLE'))
    })

    await suite.test(
      "OpenAI's client chats, thinks, and gets JSON by a schema from old models and new ones",
      async () => {
        const messages = [
          { role: 'system' as const, content: 'Be brief.' },
          { role: 'user' as const, content: 'ping' },
        ]
        const plain = await client.chat.completions.create({
          model: 'bedrock-anthropic-claude-3',
          messages,
          max_tokens: 16,
          temperature: 0.5,
          top_p: 0.9,
          stop: ['.'],
          user: 'u',
        })
        assert.equal(plain.choices[0]?.message.content, 'pong')
        assert.deepEqual(plain.usage, { prompt_tokens: 5, completion_tokens: 1, total_tokens: 6 })
        assert.deepEqual(fake.journal().at(-1)?.body, {
          messages: [{ role: 'user', content: [{ text: 'ping' }] }],
          system: [{ text: 'Be brief.' }],
          inferenceConfig: { maxTokens: 16, temperature: 0.5, topP: 0.9, stopSequences: ['.'] },
        })
        const thought = await client.chat.completions.create({
          model: 'bearer',
          messages,
          reasoning_effort: 'medium',
        })
        assert.equal(at(thought, 'choices', 0, 'message', 'reasoning_content'), 'hm')
        assert.deepEqual(at(thought, 'choices', 0, 'message', 'thinking_blocks'), [
          { type: 'thinking', thinking: 'hm', signature: 'c2lnbmVk' },
        ])
        const schema = { type: 'object', properties: { answer: { type: 'string' } }, required: ['answer'] }
        for (const model of ['bedrock-anthropic-claude-3', 'converse', 'with-region']) {
          const answer = await client.chat.completions.create({
            model,
            messages,
            response_format: { type: 'json_schema', json_schema: { name: 'answer', schema } },
          })
          assert.equal(answer.choices[0]?.message.content, '{"answer":"pong"}', model)
          assert.equal(answer.choices[0]?.finish_reason, 'stop', model)
          assert.equal(answer.choices[0]?.message.tool_calls, undefined, model)
        }
      },
    )

    const TOOLS: OpenAI.ChatCompletionTool[] = ['weather', 'time'].map((name) => ({
      type: 'function',
      function: {
        name,
        description: `The ${name}.`,
        parameters: { type: 'object', properties: { answer: {} } },
      },
    }))

    await suite.test('tools are called in parallel, and their results and a picture go back', async () => {
      const messages: OpenAI.ChatCompletionMessageParam[] = [
        {
          role: 'user',
          content: [
            { type: 'text', text: 'What is this, and when?' },
            { type: 'image_url', image_url: { url: `data:image/png;base64,${PNG}` } },
            {
              type: 'file',
              file: { filename: 'a report.pdf', file_data: 'data:application/pdf;base64,JVBERg==' },
            },
          ],
        },
      ]
      const first = await client.chat.completions.create({ model: 'converse', messages, tools: TOOLS })
      const message = first.choices[0]?.message
      assert.ok(message?.tool_calls !== undefined)
      assert.equal(first.choices[0]?.finish_reason, 'tool_calls')
      assert.deepEqual(
        message.tool_calls.map((call) => (call.type === 'function' ? [call.id, call.function] : [])),
        [
          ['tooluse_1', { name: 'weather', arguments: '{"answer":"pong"}' }],
          ['tooluse_2', { name: 'time', arguments: '{"answer":"pong"}' }],
        ],
      )
      const results = message.tool_calls.map(({ id }) => ({
        role: 'tool' as const,
        tool_call_id: id,
        content: 'rain',
      }))
      const second = await client.chat.completions.create({
        model: 'converse',
        messages: [...messages, message, ...results],
        tools: TOOLS,
      })
      assert.equal(second.choices[0]?.message.content, 'pong')
      const sent = fake.journal().at(-1)?.body
      assert.deepEqual(at(sent, 'messages', 0, 'content', 2), {
        document: { format: 'pdf', name: 'a report', source: { bytes: 'JVBERg==' } },
      })
      assert.deepEqual(
        listAt(sent, 'messages', 2, 'content').map((block) => at(block, 'toolResult', 'toolUseId')),
        ['tooluse_1', 'tooluse_2'],
      )
    })

    await suite.test(
      'a stream is read by the client as it comes: text, thoughts, parallel calls, usage where asked for',
      async () => {
        const stream = await client.chat.completions.create({
          model: 'bedrock-anthropic-claude-3',
          messages: [{ role: 'user', content: 'ping' }],
          stream: true,
          stream_options: { include_usage: true },
        })
        const chunks: OpenAI.ChatCompletionChunk[] = []
        for await (const chunk of stream) chunks.push(chunk)
        assert.equal(chunks.map(({ choices }) => choices[0]?.delta.content ?? '').join(''), 'pong')
        assert.deepEqual(
          chunks.flatMap(({ choices }) => choices[0]?.finish_reason ?? []),
          ['stop'],
        )
        assert.deepEqual(chunks.at(-1)?.usage, { prompt_tokens: 5, completion_tokens: 1, total_tokens: 6 })
        for (const model of ['converse', 'invoke']) {
          const calling = client.chat.completions.stream({
            model,
            messages: [{ role: 'user', content: 'ping' }],
            tools: TOOLS,
          })
          const { choices } = await calling.finalChatCompletion()
          assert.deepEqual(
            listAt(choices, 0, 'message', 'tool_calls').map((call) => at(call, 'function')),
            ['weather', 'time'].map((name) => ({ name, arguments: '{"answer":"pong"}' })),
          )
        }
      },
    )

    await suite.test('embeddings, rerank and pictures come back in the forms that clients know', async () => {
      const one = await client.embeddings.create({ model: 'titan-2', input: 'ping', dimensions: 256 })
      assert.equal(one.data[0]?.embedding.length, 3)
      assert.deepEqual(fake.journal().at(-1)?.body, { inputText: 'ping', dimensions: 256 })
      const two = await client.embeddings.create({ model: 'cohere-embed', input: ['a', 'b'] })
      assert.equal(two.data.length, 2)
      const body = {
        model: 'rerank',
        query: 'q',
        documents: ['a', { text: 'b' }],
        top_n: 1,
        return_documents: true,
      }
      const reranked = await ask(`${gateway.url}/v1/rerank`, { body })
      assert.deepEqual(at(reranked.json, 'results'), [
        { index: 0, relevance_score: 0.9, document: { text: 'a' } },
      ])
      assert.equal(
        at(fake.journal().at(-1)?.body, ...RERANK_MODEL),
        'arn:aws:bedrock:us-east-1::foundation-model/cohere.rerank-v3-5:0',
      )
      const drawn = await client.images.generate({
        model: 'canvas',
        prompt: 'a dot',
        n: 2,
        size: '1024x1024',
      })
      assert.deepEqual(
        drawn.data?.map(({ b64_json: image }) => image),
        [PNG, PNG],
      )
    })

    await suite.test(
      'what Bedrock cannot be told is refused by its name, or left out and named',
      async () => {
        const body = {
          model: 'converse',
          messages: [{ role: 'user', content: 'ping' }],
          seed: 7,
          logprobs: true,
        }
        const refused = await ask(`${gateway.url}/v1/chat/completions`, { body })
        assert.equal(refused.status, 400)
        assert.equal(at(refused.json, 'error', 'param'), 'seed')
        const left = await ask(`${gateway.url}/v1/chat/completions`, {
          body: { ...body, drop_params: true },
        })
        assert.equal(left.status, 200, left.text)
        assert.equal(left.headers.get('x-pulsegate-dropped-params'), 'seed, logprobs')
        assert.deepEqual(keysOf(fake.journal().at(-1)?.body), ['messages'])
        const several = { model: 'titan', input: ['a', 'b'] }
        const many = await ask(`${gateway.url}/v1/embeddings`, { body: several })
        assert.equal(many.status, 400)
        assert.match(many.text, /embeds one text a request/)
        for (const [dimensions, status] of [
          [null, 200],
          [3, 400],
        ] as const) {
          const sized = { model: 'titan', input: 'a', dimensions }
          const answer = await ask(`${gateway.url}/v1/embeddings`, { body: sized })
          assert.deepEqual([answer.status, answer.headers.get('x-pulsegate-dropped-params')], [status, null])
        }
      },
    )
  }))

test('keys come from programs, sign-ins, roles and web tokens, each once for all who share them', () =>
  atHome(async (home) => {
    const models = ['printed', 'corp', 'app', 'web', 'stale'].flatMap((profile) =>
      ['one', 'two'].map((name) =>
        listed(`${profile}-${name}`, `bedrock/${SONNET}`, {
          aws_access_key_id: undefined,
          aws_secret_access_key: undefined,
          aws_profile_name: profile,
        }),
      ),
    )
    fake.clearJournal()
    await withModels(
      models,
      async (gateway) => {
        const health = await askHealth(gateway)
        const verdicts = models.map(({ model_name: name }) => [
          name,
          name.startsWith('stale') ? 'auth 401' : 'healthy',
        ])
        assertVerdicts(health, Object.fromEntries(verdicts))
        for (const { error } of health.unhealthy_endpoints)
          assert.match(error ?? '', /the sign-in has expired; run `aws sso login --profile stale`/)
        const asked = fake.journal().map(({ method, url }) => `${method} ${url.replace(/\?.*/, '')}`)
        const counted = [
          'POST /ok/as-aws/token',
          'GET /ok/as-aws/federation/credentials',
          'POST /ok/as-aws/',
        ].map((line) => asked.filter((one) => one === line).length)
        // A sign-in is renewed once. Its keys are asked for by who is it, and by who assumes a role with it.
        assert.deepEqual(counted, [1, 2, 2])
        const seen = `${gateway.stderr()}${gateway.stdout()}${JSON.stringify(health)}`
        for (const secret of [
          'secret-of-',
          'session-of-',
          'client-secret-1',
          'refresh-token',
          'a-secret-warning',
          'web.token',
        ])
          assert.ok(!seen.includes(secret), secret)
        const kept: unknown = JSON.parse(await readFile(signInFile(home, 'corp'), 'utf8'))
        assert.equal(at(kept, 'refreshToken'), 'the-next-refresh-token')
      },
      {},
      { env: { HOME: home, ...awsAt(fake.url) } },
    )
  }))

test('a server that nobody here wrote is healthy, and its streams are read', async () => {
  const stranger = new LLMock({ port: 0 })
  stranger.on({ endpoint: 'chat' }, { content: 'pong' })
  await stranger.start()
  try {
    const endpoint = { aws_bedrock_runtime_endpoint: stranger.url }
    const models = [
      listed('converse', SONNET, endpoint),
      listed('invoke', `bedrock/invoke/${SONNET}`, endpoint),
    ]
    await withModels(models, async (gateway) => {
      assertVerdicts(await askHealth(gateway), { converse: 'healthy', invoke: 'healthy' })
      const client = new OpenAI({ apiKey: 'none', baseURL: `${gateway.url}/v1`, maxRetries: 0 })
      const messages: OpenAI.ChatCompletionMessageParam[] = [{ role: 'user', content: 'ping' }]
      const invoked = await client.chat.completions.create({ model: 'invoke', messages })
      assert.equal(invoked.choices[0]?.message.content, 'pong')
      // It streams what is invoked without AWS's wrapping: only Converse's stream can be compared.
      const stream = client.chat.completions.stream({ model: 'converse', messages })
      assert.equal((await stream.finalChatCompletion()).choices[0]?.message.content, 'pong')
    })
  } finally {
    await stranger.stop()
  }
})
