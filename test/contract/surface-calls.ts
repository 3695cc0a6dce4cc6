import { Anthropic } from '@anthropic-ai/sdk'
import { GoogleGenAI, type GenerateContentResponse } from '@google/genai'
import { OpenAI } from 'openai'
import { KEY, type Call, type Place } from './place.ts'

const openaiAt = ({ url }: Place): OpenAI => new OpenAI({ apiKey: KEY, baseURL: `${url}/v1`, maxRetries: 0 })
const claudeAt = ({ url }: Place, apiKey = KEY): Anthropic =>
  new Anthropic({ apiKey, baseURL: url, maxRetries: 0 })
const geminiAt = ({ url, geminiUrl = url }: Place): GoogleGenAI =>
  new GoogleGenAI({ apiKey: KEY, httpOptions: { baseUrl: geminiUrl, apiVersion: 'v1beta' } })

async function listOf<Item>(items: PromiseLike<AsyncIterable<Item>>): Promise<readonly Item[]> {
  const list: Item[] = []
  for await (const item of await items) list.push(item)
  return list
}

const WEATHER = {
  name: 'weather',
  description: 'The weather of a city',
  input_schema: { type: 'object', properties: { city: { type: 'string' } } },
} as const
const SAY: Anthropic.MessageCreateParamsNonStreaming = {
  model: 'claude-haiku-4-5',
  max_tokens: 100,
  system: 'Be brief.',
  messages: [{ role: 'user', content: 'ping' }],
  tools: [{ ...WEATHER, input_schema: { ...WEATHER.input_schema } }],
}
const RESPOND = { model: 'gpt-4o', instructions: 'Be brief.', input: 'ping' } as const
const GENERATE = { model: 'gemini-2.5-flash', contents: 'ping', config: { temperature: 0.5 } } as const

/** Without the headers of the answer that this client puts beside it. */
const said = ({ text, candidates, usageMetadata }: GenerateContentResponse): unknown => ({
  text,
  candidates,
  usageMetadata,
})

/** Every call of the clients whose APIs stand in front of chats, each by its vendor's own. */
export const SURFACE_CALLS: readonly Call[] = [
  { name: 'responses', run: (place) => openaiAt(place).responses.create(RESPOND) },
  {
    name: 'responses, streamed',
    run: (place) => listOf(openaiAt(place).responses.create({ ...RESPOND, stream: true })),
  },
  {
    name: 'responses, put together by its helper',
    run: (place) => openaiAt(place).responses.stream(RESPOND).finalResponse(),
  },
  { name: 'messages', run: (place) => claudeAt(place).messages.create(SAY) },
  {
    name: 'messages, streamed',
    run: (place) => listOf(claudeAt(place).messages.create({ ...SAY, stream: true })),
  },
  {
    name: 'messages, put together by its helper',
    run: (place) => claudeAt(place).messages.stream(SAY).finalMessage(),
  },
  {
    name: 'messages, counted',
    run: (place) => {
      const { model, messages } = SAY
      return claudeAt(place).messages.countTokens({ model, messages })
    },
  },
  {
    name: 'messages with a key that nobody gave out',
    raises: 'AuthenticationError 401',
    run: (place) => claudeAt(place, 'another').messages.create(SAY),
  },
  {
    name: 'generateContent',
    run: async (place) => said(await geminiAt(place).models.generateContent(GENERATE)),
  },
  {
    name: 'generateContent, streamed',
    run: async (place) => {
      const pieces = await listOf(geminiAt(place).models.generateContentStream(GENERATE))
      return pieces.map(said)
    },
  },
]
