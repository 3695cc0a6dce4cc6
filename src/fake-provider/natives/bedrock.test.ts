import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import {
  BedrockRuntimeClient,
  ConverseCommand,
  ConverseStreamCommand,
  InvokeModelCommand,
} from '@aws-sdk/client-bedrock-runtime'
import { startFakeProvider } from '../server.ts'
import { plainHttp } from './plain-http.fixture.ts'

const fake = await startFakeProvider()
const guarded = await startFakeProvider({ keys: ['AKIAGOOD:the-secret', 'bedrock-api-key-good'] })
const clients: BedrockRuntimeClient[] = []
after(async () => {
  for (const client of clients) client.destroy()
  await Promise.all([fake.stop(), guarded.stop()])
})

const MODEL = 'anthropic.claude-3-sonnet-20240229-v1:0'
const MESSAGES = [{ role: 'user' as const, content: [{ text: 'ping' }] }]

/** AWS's own client: what it sends is what the double must take. */
function clientOf(
  url: string,
  keys: { readonly accessKeyId: string; readonly secretAccessKey: string },
): BedrockRuntimeClient {
  const client = new BedrockRuntimeClient({
    endpoint: `${url}/ok/as-bedrock`,
    region: 'us-east-1',
    credentials: keys,
    maxAttempts: 1,
    requestHandler: plainHttp(),
  })
  clients.push(client)
  return client
}

test("the double answers AWS's own client, streams and calls included", async () => {
  const client = clientOf(fake.url, { accessKeyId: 'AKIAEXAMPLE', secretAccessKey: 'secret-of-AKIAEXAMPLE' })
  const whole = await client.send(new ConverseCommand({ modelId: MODEL, messages: MESSAGES }))
  assert.deepEqual(whole.output?.message?.content, [{ text: 'pong' }])
  assert.deepEqual(whole.usage, { inputTokens: 5, outputTokens: 1, totalTokens: 6 })
  const toolConfig = { tools: [{ toolSpec: { name: 'f', inputSchema: { json: { type: 'object' } } } }] }
  const { stream } = await client.send(
    new ConverseStreamCommand({ modelId: MODEL, messages: MESSAGES, toolConfig }),
  )
  assert.ok(stream !== undefined)
  const kinds: string[] = []
  for await (const event of stream) kinds.push(...Object.keys(event))
  assert.deepEqual(kinds, [
    'messageStart',
    'contentBlockStart',
    'contentBlockDelta',
    'contentBlockDelta',
    'contentBlockStop',
    'messageStop',
    'metadata',
  ])
  const embedded = await client.send(
    new InvokeModelCommand({
      modelId: 'amazon.titan-embed-text-v1',
      contentType: 'application/json',
      body: Buffer.from('{"inputText":"a"}'),
    }),
  )
  assert.deepEqual(JSON.parse(Buffer.from(embedded.body).toString()), {
    embedding: [0.1, 0.2, 0.3],
    inputTextTokenCount: 3,
  })
})

test('a wrong secret, an unknown key and no key at all are refused in three ways', async () => {
  const send = (client: BedrockRuntimeClient): Promise<unknown> =>
    client.send(new ConverseCommand({ modelId: MODEL, messages: MESSAGES }))
  await send(clientOf(guarded.url, { accessKeyId: 'AKIAGOOD', secretAccessKey: 'the-secret' }))
  await assert.rejects(send(clientOf(guarded.url, { accessKeyId: 'AKIAGOOD', secretAccessKey: 'another' })), {
    name: 'InvalidSignatureException',
  })
  await assert.rejects(
    send(clientOf(guarded.url, { accessKeyId: 'AKIABAD', secretAccessKey: 'the-secret' })),
    {
      name: 'UnrecognizedClientException',
    },
  )
  const bare = await post('{}', {}, guarded.url)
  assert.deepEqual([bare.status, bare.type], [403, 'MissingAuthenticationTokenException'])
  const bearer = await post('{}', { authorization: 'Bearer bedrock-api-key-bad' }, guarded.url)
  assert.deepEqual([bearer.status, bearer.type], [403, 'AccessDeniedException'])
})

async function post(
  body: string,
  headers: Readonly<Record<string, string>>,
  url = fake.url,
  path = `/model/${encodeURIComponent(MODEL)}/converse`,
): Promise<{ readonly status: number; readonly type: string | null; readonly text: string }> {
  const response = await fetch(`${url}/ok/as-bedrock${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body,
  })
  return {
    status: response.status,
    type: response.headers.get('x-amzn-errortype'),
    text: await response.text(),
  }
}

const GOOD = { messages: MESSAGES }
const CALL = { role: 'assistant', content: [{ toolUse: { toolUseId: 't', name: 'f', input: {} } }] }

/** What is wrong with a body, and what the double says of it. */
const REFUSED: readonly (readonly [string, object, RegExp])[] = [
  ['an extra member', { ...GOOD, seed: 1 }, /extraneous key \[seed\] is not permitted/],
  ['no messages', {}, /'messages' Member must not be null/],
  [
    'an empty text',
    { messages: [{ role: 'user', content: [{ text: ' ' }] }] },
    /messages\.1\.member\.content\.1\.member\.text/,
  ],
  [
    'two things in one block',
    { messages: [{ role: 'user', content: [{ text: 'a', image: {} }] }] },
    /exactly one of/,
  ],
  ['an assistant that begins', { messages: [CALL] }, /must start with a user message/],
  ['two users in a row', { messages: [...MESSAGES, ...MESSAGES] }, /must alternate/],
  ['calls without tools', { messages: [...MESSAGES, CALL] }, /toolConfig field must be defined/],
  [
    'a call that is not answered',
    {
      messages: [...MESSAGES, CALL, ...MESSAGES],
      toolConfig: { tools: [{ toolSpec: { name: 'f', inputSchema: { json: {} } } }] },
    },
    /Expected toolResult blocks at messages\.2\.content for the following Ids: t/,
  ],
  [
    "another vendor's field",
    { ...GOOD, additionalModelRequestFields: { topK: 1 } },
    /extraneous key \[topK\]/,
  ],
]

for (const [what, body, words] of REFUSED) {
  test(`the double refuses ${what}`, async () => {
    const { status, type, text } = await post(JSON.stringify(body), {
      authorization: 'Bearer bedrock-api-key',
    })
    assert.deepEqual([status, type], [400, 'ValidationException'])
    assert.match(text, words)
  })
}

test('the double has no path but its own, and no id with a bare colon', async () => {
  const key = { authorization: 'Bearer bedrock-api-key' }
  const body = JSON.stringify(GOOD)
  assert.equal((await post(body, key, fake.url, '/model/m/chat')).status, 404)
  assert.equal((await post(body, key, fake.url, `/model/${MODEL}/converse`)).status, 400)
  assert.equal((await post(body, key, fake.url, '/rerank')).status, 403)
})
