import { createConnection } from 'node:net'
import { AzureOpenAI, OpenAI } from 'openai'
import { OpenAIRealtimeWS } from 'openai/realtime/ws'
import { KEY, type Call, type Place } from './place.ts'

const MESSAGES: OpenAI.ChatCompletionMessageParam[] = [{ role: 'user', content: 'ping' }]
const VERSION = '2024-10-21'

/** OpenAI's client; it does not try again, so that each failure is the place's own. */
const openaiAt = (url: string, apiKey = KEY): OpenAI =>
  new OpenAI({ apiKey, baseURL: `${url}/v1`, maxRetries: 0 })

const azureAt = ({ url }: Place, deployment: string, apiKey = KEY): AzureOpenAI =>
  new AzureOpenAI({ apiKey, endpoint: url, apiVersion: VERSION, deployment, maxRetries: 0 })

const call = (name: string, run: (client: OpenAI) => Promise<unknown>): Call => ({
  name,
  run: ({ url }) => run(openaiAt(url)),
})

const azure = (
  name: string,
  run: (client: AzureOpenAI) => Promise<unknown>,
  deployment = 'my-gpt-4o',
): Call => ({
  name: `azure: ${name}`,
  run: (place) => run(azureAt(place, deployment)),
})

async function listOf<Item>(items: PromiseLike<AsyncIterable<Item>>): Promise<readonly Item[]> {
  const list: Item[] = []
  for await (const item of await items) list.push(item)
  return list
}

/** A sound's type and bytes. */
async function soundOf(response: PromiseLike<Response>): Promise<unknown> {
  const sound = await response
  return [sound.headers.get('content-type'), await sound.text()]
}

const WEATHER: OpenAI.ChatCompletionTool = {
  type: 'function',
  function: { name: 'weather', parameters: { type: 'object', properties: { city: { type: 'string' } } } },
}

/** What OpenAI's client asks for over HTTP. */
const REST: readonly Call[] = [
  call('chat', (client) => client.chat.completions.create({ model: 'gpt-4o', messages: MESSAGES })),
  call('chat with much said', (client) =>
    client.chat.completions.create({
      model: 'gpt-4o',
      messages: [
        { role: 'system', content: 'Be brief.' },
        { role: 'user', content: [{ type: 'text', text: 'snow ☃ and \u0000 and "quotes"' }] },
      ],
      tools: [WEATHER],
      tool_choice: 'auto',
      temperature: 0.5,
      response_format: { type: 'json_object' },
      metadata: { purpose: 'contract' },
    }),
  ),
  call('chat, streamed', (client) =>
    listOf(client.chat.completions.create({ model: 'gpt-4o', messages: MESSAGES, stream: true })),
  ),
  call('chat, streamed, with usage', (client) =>
    listOf(
      client.chat.completions.create({
        model: 'gpt-4o',
        messages: MESSAGES,
        stream: true,
        stream_options: { include_usage: true },
      }),
    ),
  ),
  call('chat, put together by its helper', (client) =>
    client.chat.completions.stream({ model: 'gpt-4o', messages: MESSAGES }).finalChatCompletion(),
  ),
  call('chat, as a plain response', async (client) => {
    const response = await client.chat.completions
      .create({ model: 'gpt-4o', messages: MESSAGES })
      .asResponse()
    return [response.status, response.headers.get('content-type'), await response.text()]
  }),
  call('completion', (client) =>
    client.completions.create({ model: 'gpt-3.5-turbo-instruct', prompt: 'ping' }),
  ),
  call('completion, streamed', (client) =>
    listOf(client.completions.create({ model: 'gpt-3.5-turbo-instruct', prompt: 'ping', stream: true })),
  ),
  call('embeddings, packed by default', (client) =>
    client.embeddings.create({ model: 'text-embedding-3-small', input: ['one', 'two'] }),
  ),
  call('embeddings as numbers', (client) =>
    client.embeddings.create({ model: 'text-embedding-3-small', input: 'one', encoding_format: 'float' }),
  ),
  call('embeddings as base64', (client) =>
    client.embeddings.create({ model: 'text-embedding-3-small', input: 'one', encoding_format: 'base64' }),
  ),
  call('embeddings of a size', (client) =>
    client.embeddings.create({ model: 'text-embedding-3-small', input: 'one', dimensions: 5 }),
  ),
  call('embeddings of tokens', (client) =>
    client.embeddings.create({ model: 'text-embedding-3-small', input: [1, 2, 3], encoding_format: 'float' }),
  ),
  call('image as a link', (client) => client.images.generate({ model: 'dall-e-3', prompt: 'a dot' })),
  call('image as base64', (client) =>
    client.images.generate({ model: 'dall-e-3', prompt: 'a dot', response_format: 'b64_json' }),
  ),
  call('speech', (client) =>
    soundOf(client.audio.speech.create({ model: 'tts-1', input: 'ping', voice: 'alloy' })),
  ),
  call('speech as wav', (client) =>
    soundOf(
      client.audio.speech.create({ model: 'tts-1', input: 'ping', voice: 'alloy', response_format: 'wav' }),
    ),
  ),
  call('models', async (client) => {
    const models = await listOf(client.models.list())
    return models.map(({ id, object }) => ({ id, object })).toSorted((a, b) => (a.id < b.id ? -1 : 1))
  }),
  call('one model', async (client) => {
    const { id, object } = await client.models.retrieve('gpt-4o')
    return { id, object }
  }),
]

/** What its class for Azure asks for. */
const AZURE: readonly Call[] = [
  azure('chat', (client) => client.chat.completions.create({ model: '', messages: MESSAGES })),
  azure('chat, streamed', (client) =>
    listOf(client.chat.completions.create({ model: '', messages: MESSAGES, stream: true })),
  ),
  azure(
    'embeddings',
    (client) => client.embeddings.create({ model: '', input: 'one' }),
    'text-embedding-3-small',
  ),
  azure(
    'completion',
    (client) => client.completions.create({ model: '', prompt: 'ping' }),
    'gpt-3.5-turbo-instruct',
  ),
  azure('image', (client) => client.images.generate({ prompt: 'a dot' }), 'dall-e-3'),
  azure(
    'speech',
    (client) => soundOf(client.audio.speech.create({ model: '', input: 'ping', voice: 'alloy' })),
    'tts-1',
  ),
]

/** The client insists on TLS, which a load balancer ends: here its connection is a plain one. */
const plainly = ({ url }: Place) => ({
  createConnection: () => createConnection(Number(new URL(url).port), '127.0.0.1'),
})

/** All events of a short conversation. */
function conversation(session: OpenAIRealtimeWS): Promise<readonly unknown[]> {
  return new Promise((resolve, reject) => {
    const events: unknown[] = []
    session.on('error', reject)
    session.on('event', (event) => {
      events.push(event)
      if (event.type === 'session.created')
        session.send({
          type: 'conversation.item.create',
          item: { type: 'message', role: 'user', content: [{ type: 'input_text', text: 'ping' }] },
        })
      if (event.type === 'conversation.item.added') session.send({ type: 'response.create' })
      if (event.type !== 'response.done') return
      session.close()
      resolve(events)
    })
  })
}

const REALTIME: readonly Call[] = [
  {
    name: 'realtime',
    run: (place) =>
      conversation(
        new OpenAIRealtimeWS({ model: 'gpt-realtime', options: plainly(place) }, openaiAt(place.url)),
      ),
  },
]

const refusedChat = ([model, raises]: readonly [string, string]): readonly Call[] => [
  refused(`${model}, whole`, raises, ({ url }) =>
    openaiAt(url).chat.completions.create({ model, messages: MESSAGES }),
  ),
  refused(`${model}, streamed`, raises, ({ url }) =>
    openaiAt(url).chat.completions.create({ model, messages: MESSAGES, stream: true }),
  ),
]

function refused(name: string, raises: string, run: Call['run']): Call {
  return { name, raises, run }
}

const CHAT = { model: 'gpt-4o', messages: MESSAGES }
const JSON_TYPE = { 'content-type': 'application/json' } as const

/** What its client raises. */
const ERRORS: readonly Call[] = [
  ...(
    [
      ['gpt-bad-request', 'BadRequestError 400'],
      ['gpt-wrong-key', 'AuthenticationError 401'],
      ['gpt-forbidden', 'PermissionDeniedError 403'],
      ['gpt-not-found', 'NotFoundError 404'],
      ['gpt-conflict', 'ConflictError 409'],
      ['gpt-unprocessable', 'UnprocessableEntityError 422'],
      ['gpt-too-often', 'RateLimitError 429, wait 30'],
      ['gpt-broke', 'RateLimitError 429'],
      ['gpt-crashed', 'InternalServerError 500'],
      ['gpt-overloaded', 'InternalServerError 503, wait 5'],
    ] as const
  ).flatMap(refusedChat),
  refused('a key that nobody gave out', 'AuthenticationError 401', ({ url }) =>
    openaiAt(url, 'sk-another').chat.completions.create(CHAT),
  ),
  refused('azure: a key that nobody gave out', 'AuthenticationError 401', (place) =>
    azureAt(place, 'my-gpt-4o', 'another').chat.completions.create(CHAT),
  ),
  refused('a chat without messages', 'BadRequestError 400', ({ url }) =>
    openaiAt(url).post('/chat/completions', { body: { model: 'gpt-4o' } }),
  ),
  refused('a chat that is no JSON', 'BadRequestError 400', ({ url }) =>
    openaiAt(url).post('/chat/completions', { body: Buffer.from('{"model":'), headers: JSON_TYPE }),
  ),
  refused('a route that is not there', 'NotFoundError 404', ({ url }) =>
    openaiAt(url).post('/nowhere', { body: {} }),
  ),
  refused('a server that is not there', 'APIConnectionError', ({ goneUrl }) =>
    openaiAt(goneUrl).chat.completions.create(CHAT),
  ),
  refused('a client that has no more time', 'APIUserAbortError', ({ url }) =>
    openaiAt(url).chat.completions.create(CHAT, { signal: AbortSignal.abort() }),
  ),
]

/** Every call of OpenAI's own client. */
export const OPENAI_CALLS: readonly Call[] = [...REST, ...AZURE, ...REALTIME, ...ERRORS]
