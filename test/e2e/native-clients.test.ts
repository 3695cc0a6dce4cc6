import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Anthropic } from '@anthropic-ai/sdk'
import {
  BedrockRuntimeClient,
  ConverseCommand,
  ConverseStreamCommand,
  CountTokensCommand,
  InvokeModelCommand,
  InvokeModelWithResponseStreamCommand,
  type BedrockRuntimeClientConfig,
} from '@aws-sdk/client-bedrock-runtime'
import { GoogleGenAI } from '@google/genai'
import { NodeHttpHandler } from '@smithy/node-http-handler'
import type { FakeProvider } from '../../src/fake-provider/server.ts'
import { serviceAccount } from './all-providers.ts'
import { ask, at, listAt, withStage } from './asking.ts'

/** Of the gateway, and what must be found in no log and at no provider. */
const KEY = 'sk-canary-of-the-client'
const CLIENT_SECRET = 'canary-secret-of-the-client'
const SONNET = 'anthropic.claude-3-sonnet-20240229-v1:0'
const PROFILE_ARN = 'arn:aws:bedrock:eu-west-1:123456789012:application-inference-profile/a1b2c3'
const MESSAGES = [{ role: 'user' as const, content: [{ text: 'ping' }] }]

function config({ url }: FakeProvider): string {
  const bedrock = (order: string, region = 'us-east-1'): object => ({
    aws_bedrock_runtime_endpoint: `${url}/${order}/as-bedrock`,
    aws_region_name: region,
    aws_access_key_id: 'AKIAUPSTREAM',
    aws_secret_access_key: 'secret-of-AKIAUPSTREAM',
    num_retries: 0,
  })
  const atVertex = (location: string): object => ({
    api_base: `${url}/ok/as-vertex_ai`,
    vertex_location: location,
    vertex_credentials: serviceAccount(`${url}/ok`),
  })
  const model = (name: string, named: string, params: object): object => ({
    model_name: name,
    litellm_params: { model: named, ...params },
    model_info: { id: `id-${name}` },
  })
  return JSON.stringify({
    model_list: [
      model('sonnet', `bedrock/${SONNET}`, bedrock('ok')),
      model('bearer', 'bedrock/amazon.nova-pro-v1:0', {
        aws_bedrock_runtime_endpoint: `${url}/ok/as-bedrock`,
        api_key: 'bedrock-api-key-0123456789',
      }),
      model('irish', `bedrock/${PROFILE_ARN}`, { ...bedrock('ok', 'eu-west-1') }),
      model('throttled', 'bedrock/amazon.nova-lite-v1:0', bedrock('e429')),
      model('cut', 'bedrock/amazon.nova-micro-v1:0', bedrock('cut')),
      model('dutch', 'vertex_ai/gemini-2.5-flash', atVertex('europe-west4')),
      model('global', 'vertex_ai/gemini-2.5-flash', atVertex('global')),
      model('le-chat', 'vertex_ai/mistral-large-2411@001', atVertex('europe-west4')),
      model('llama', 'vertex_ai/llama-3.3-70b-instruct-maas', atVertex('us-central1')),
      model('haiku', 'vertex_ai/claude-haiku-4-5@20251001', atVertex('europe-west4')),
      model('claude', 'anthropic/claude-haiku-4-5', {
        api_base: `${url}/ok/as-anthropic`,
        api_key: 'upstream-anthropic-key',
      }),
      model('flash', 'gemini/gemini-2.5-flash', {
        api_base: `${url}/ok/as-gemini/v1beta`,
        api_key: 'upstream-gemini-key',
      }),
    ],
    general_settings: { master_key: KEY, drain_delay: 0 },
  })
}

test('the vendors’ own clients, with nothing but another address and the gateway’s key', async (t) => {
  await withStage(config, async ({ gateway, fake }) => {
    /** What reached a provider last, but for tokens. */
    const last = (): string => {
      const { method, url } = fake.journal().findLast((entry) => !entry.url.endsWith('/token')) ?? {}
      return `${method} ${url?.replace('/ok/as-', '')}`
    }
    const aws = (more: BedrockRuntimeClientConfig = {}): BedrockRuntimeClient =>
      new BedrockRuntimeClient({
        region: 'us-east-1',
        endpoint: `${gateway.url}/bedrock`,
        // Its own default speaks HTTP/2 without TLS to an http address.
        requestHandler: new NodeHttpHandler(),
        maxAttempts: 1,
        ...more,
      })

    await t.test('AWS’s, with the key as AWS_BEARER_TOKEN_BEDROCK', async () => {
      process.env['AWS_BEARER_TOKEN_BEDROCK'] = KEY
      const client = aws()
      try {
        for (const [modelId, upstream] of [
          [SONNET, encodeURIComponent(SONNET)],
          ['sonnet', encodeURIComponent(SONNET)],
          [PROFILE_ARN, encodeURIComponent(PROFILE_ARN)],
          ['bearer', 'amazon.nova-pro-v1%3A0'],
        ] as const) {
          const answer = await client.send(new ConverseCommand({ modelId, messages: MESSAGES }))
          assert.equal(answer.output?.message?.content?.[0]?.text, 'pong', modelId)
          assert.equal(last(), `POST bedrock/model/${upstream}/converse`)
          const { stream } = await client.send(new ConverseStreamCommand({ modelId, messages: MESSAGES }))
          let text = ''
          for await (const event of stream ?? []) text += event.contentBlockDelta?.delta?.text ?? ''
          assert.equal(text, 'pong', modelId)
          assert.equal(last(), `POST bedrock/model/${upstream}/converse-stream`)
        }
        const invoke = {
          modelId: 'sonnet',
          contentType: 'application/json',
          body: JSON.stringify({
            anthropic_version: 'bedrock-2023-05-31',
            max_tokens: 5,
            messages: [{ role: 'user', content: 'ping' }],
          }),
        }
        const { body } = await client.send(new InvokeModelCommand(invoke))
        assert.equal(at(JSON.parse(body.transformToString()), 'content', 0, 'text'), 'pong')
        const converse = { messages: MESSAGES }
        const counted = await client.send(new CountTokensCommand({ modelId: 'sonnet', input: { converse } }))
        assert.equal(counted.inputTokens, 37)
        const streamed = await client.send(new InvokeModelWithResponseStreamCommand(invoke))
        const types: unknown[] = []
        for await (const { chunk } of streamed.body ?? [])
          types.push(at(JSON.parse(Buffer.from(chunk?.bytes ?? []).toString()), 'type'))
        assert.deepEqual([types[0], types.at(-1)], ['message_start', 'message_stop'])
      } finally {
        delete process.env['AWS_BEARER_TOKEN_BEDROCK']
        client.destroy()
      }
      const signedFor = fake
        .journal()
        .map(({ headers }) => /Credential=(\w+)\/\d+\/([\w-]+)/.exec(headers.authorization ?? '')?.slice(1))
      assert.deepEqual(
        new Set(signedFor.map((each) => each?.join(' ') ?? 'bearer')),
        new Set(['AKIAUPSTREAM us-east-1', 'AKIAUPSTREAM eu-west-1', 'bearer']),
      )
    })

    await t.test('AWS’s, whose own signature is taken off', async () => {
      const client = aws({
        credentials: {
          accessKeyId: 'AKIACLIENT',
          secretAccessKey: CLIENT_SECRET,
          sessionToken: CLIENT_SECRET,
        },
      })
      client.middlewareStack.add(
        (next) => (args) => {
          Object.assign(at(args.request, 'headers') ?? {}, { 'x-litellm-api-key': KEY })
          return next(args)
        },
        { step: 'build', name: 'gatewayKey' },
      )
      const answer = await client.send(new ConverseCommand({ modelId: SONNET, messages: MESSAGES }))
      client.destroy()
      assert.equal(answer.output?.message?.content?.[0]?.text, 'pong')
      const headers = JSON.stringify(fake.journal().at(-1)?.headers)
      assert.match(headers, /Credential=AKIAUPSTREAM/)
      assert.doesNotMatch(headers, /AKIACLIENT|canary|amz-sdk|x-amz-user-agent|x-amz-security-token/)
    })

    await t.test('AWS’s, told of failures by the names it knows', async () => {
      const client = aws({ token: { token: KEY }, authSchemePreference: ['httpBearerAuth'] })
      const asked = (modelId: string) => client.send(new ConverseCommand({ modelId, messages: MESSAGES }))
      await assert.rejects(asked('throttled'), { name: 'ThrottlingException' })
      const stranger = aws({ token: { token: 'sk-wrong' }, authSchemePreference: ['httpBearerAuth'] })
      await assert.rejects(stranger.send(new ConverseCommand({ modelId: SONNET, messages: MESSAGES })), {
        name: 'AccessDeniedException',
      })
      stranger.destroy()
      await assert.rejects(async () => {
        const { stream } = await client.send(
          new ConverseStreamCommand({ modelId: 'cut', messages: MESSAGES }),
        )
        for await (const event of stream ?? []) assert.ok(event)
      })
      client.destroy()
    })

    await t.test('Google’s, for Vertex AI, with a place of its own or the deployment’s', async () => {
      const vertex = (more: object): GoogleGenAI =>
        new GoogleGenAI({
          vertexai: true,
          apiKey: KEY,
          httpOptions: { baseUrl: `${gateway.url}/vertex_ai` },
          ...more,
        })
      const named = 'publishers/google/models/gemini-2.5-flash'
      const dutch = 'vertex_ai/v1beta1/projects/a-project/locations/europe-west4'
      const cases: readonly (readonly [object, string, string])[] = [
        [{ project: 'a-project', location: 'europe-west4' }, 'gemini-2.5-flash', dutch],
        [
          { project: 'a-project', location: 'global' },
          'gemini-2.5-flash',
          dutch.replace('europe-west4', 'global'),
        ],
        [{ project: 'p', location: 'us-central1' }, 'dutch', dutch],
        [{}, 'dutch', dutch],
        [
          { project: 'default', location: 'default', apiVersion: 'v1' },
          'dutch',
          dutch.replace('v1beta1', 'v1'),
        ],
      ]
      for (const [place, model, upstream] of cases) {
        const client = vertex(place)
        const whole = await client.models.generateContent({ model, contents: 'ping' })
        assert.equal(whole.text, 'pong')
        assert.equal(last(), `POST ${upstream}/${named}:generateContent`)
        assert.equal((await client.models.countTokens({ model, contents: 'ping' })).totalTokens, 31)
        let text = ''
        for await (const piece of await client.models.generateContentStream({ model, contents: 'ping' }))
          text += piece.text ?? ''
        assert.equal(text, 'pong')
        assert.equal(last(), `POST ${upstream}/${named}:streamGenerateContent?alt=sse`)
      }
      const stranger = new GoogleGenAI({
        vertexai: true,
        apiKey: 'sk-wrong',
        httpOptions: { baseUrl: `${gateway.url}/vertex_ai` },
      })
      await assert.rejects(stranger.models.generateContent({ model: 'dutch', contents: 'ping' }), {
        status: 401,
      })
      const short = await ask(`${gateway.url}/vertex-ai/${named}:generateContent`, {
        headers: {
          'x-litellm-api-key': `Bearer ${KEY}`,
          authorization: 'Bearer ya29.canary-token-of-the-client',
          'x-goog-user-project': 'canary-project-of-the-client',
        },
        body: { contents: [{ role: 'user', parts: [{ text: 'ping' }] }] },
      })
      assert.equal(short.status, 200, short.text)
    })

    await t.test(
      'whoever speaks a partner’s words to Vertex AI, by the model’s name or the group’s',
      async () => {
        const raw = 'publishers/mistralai/models'
        const open = 'endpoints/openapi/chat/completions'
        const counter = 'publishers/anthropic/models/count-tokens:rawPredict'
        const cases: readonly (readonly [path: string, model: string, place: string, path: string])[] = [
          [`${raw}/mistral-large-2411@001:rawPredict`, 'mistral-large-2411', 'europe-west4', ''],
          [
            `${raw}/le-chat:rawPredict`,
            'le-chat',
            'europe-west4',
            `${raw}/mistral-large-2411@001:rawPredict`,
          ],
          [open, 'meta/llama-3.3-70b-instruct-maas', 'us-central1', open],
          [open, 'llama', 'us-central1', open],
          [counter, 'claude-haiku-4-5@20251001', 'europe-west4', counter],
          [counter, 'haiku', 'europe-west4', counter],
        ]
        for (const [path, model, place, upstream] of cases) {
          const { status, text } = await ask(`${gateway.url}/vertex_ai/${path}`, {
            headers: { authorization: `Bearer ${KEY}` },
            body: {
              model,
              messages: [{ role: 'user', content: 'ping' }],
              ...(path === counter && { anthropic_version: 'vertex-2023-10-16' }),
            },
          })
          assert.equal(status, 200, text)
          const at = `vertex_ai/v1/projects/a-project/locations/${place}/${upstream === '' ? path : upstream}`
          assert.equal(last(), `POST ${at}`)
        }
      },
    )

    await t.test('Google’s, for AI Studio, and Anthropic’s, by the names of groups', async () => {
      const studio = new GoogleGenAI({ apiKey: KEY, httpOptions: { baseUrl: `${gateway.url}/gemini` } })
      assert.equal((await studio.models.generateContent({ model: 'flash', contents: 'ping' })).text, 'pong')
      assert.equal(last(), 'POST gemini/v1/models/gemini-2.5-flash:generateContent')
      const claude = new Anthropic({ apiKey: KEY, baseURL: `${gateway.url}/anthropic`, maxRetries: 0 })
      const asked = { model: 'claude', max_tokens: 5, messages: [{ role: 'user' as const, content: 'ping' }] }
      const { content } = await claude.messages.stream(asked).finalMessage()
      assert.deepEqual(at(content, 0, 'text'), 'pong')
      assert.equal(at(fake.journal().at(-1)?.body, 'model'), 'claude-haiku-4-5')
    })

    await t.test('and nothing of what they authenticate with goes on, or is written down', async () => {
      const seen = JSON.stringify(fake.journal().map(({ url, headers, body }) => ({ url, headers, body })))
      assert.ok(listAt(JSON.parse(seen)).length > 20)
      const { text } = await ask(`${gateway.url}/metrics`, { headers: { authorization: `Bearer ${KEY}` } })
      for (const written of [seen, gateway.stderr(), text])
        assert.doesNotMatch(written, /canary|AKIACLIENT|sk-wrong/)
      assert.match(text, /operation="pass_through",outcome="rate_limited"/)
    })
  })
})
