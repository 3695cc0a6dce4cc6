import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { scanObject } from '../../core/json-spans.ts'
import type { JsonObject } from '../../core/json.ts'
import { lineOf } from '../../providers/line.fixture.ts'
import { relayedRequest } from '../../providers/relayed-request.ts'
import {
  fateOf,
  isAccountedFor,
  strangers,
  type Fate,
  type Stranger,
} from '../../providers/strangers.fixture.ts'
import { inOwnWords } from '../answer/explain.ts'
import { SURFACE_OPERATIONS } from '../request/operations.ts'
import { CHAT_TRANSLATION } from '../translate/chat.ts'
import { surfaceAttempt } from './attempt.ts'
import { messagesDictionary, responsesDictionary } from './dictionaries.ts'
import { chatOfMessages } from './messages-request.ts'
import { ownName } from './own-words.ts'
import type { Places } from './placed.ts'
import { chatOfResponses } from './responses-request.ts'
import type { SurfaceWords } from './surface.ts'
import { MESSAGES as MESSAGES_SURFACE } from './surfaces.ts'

/** Who is passed OpenAI's own words. */
const RELAYED: readonly Stranger[] = ['gpt-4o', 'gpt-5.4'].map((model) => ({
  name: `openai/${model}`,
  model,
  encode: (request) => ({ method: 'POST', url: '', headers: {}, body: JSON.stringify(request) }),
  isRelayed: true,
  readsThinking: false,
}))

const MARK = { type: 'ephemeral' } as const
const PNG = { type: 'base64', media_type: 'image/png', data: 'iVBORw0KGgo=' } as const
const PDF = { type: 'base64', media_type: 'application/pdf', data: 'JVBERi0=' } as const

const messages = (more: JsonObject = {}): JsonObject => ({
  model: 'm',
  max_tokens: 2_000,
  messages: [{ role: 'user', content: 'ping' }],
  ...more,
})
const block = (content: JsonObject): JsonObject =>
  messages({ messages: [{ role: 'user', content: [content] }] })
const text = (more: JsonObject = {}): JsonObject => block({ type: 'text', text: 'ping', ...more })
const document = (source: JsonObject, more: JsonObject = {}): JsonObject =>
  block({ type: 'document', source, ...more })
const words = { type: 'text', media_type: 'text/plain', data: 'pong' } as const
const tool = (more: JsonObject = {}): JsonObject =>
  messages({ tools: [{ name: 'f', input_schema: { type: 'object', properties: { a: {} } }, ...more }] })
const other = { name: 'g', input_schema: { type: 'object', properties: { b: {} } } } as const
const choice = (value: JsonObject): JsonObject => {
  const { tools } = tool()
  assert.ok(Array.isArray(tools))
  return messages({ tools: [...tools, other], tool_choice: value })
}
const called = (use: JsonObject, result: JsonObject): JsonObject => ({
  ...tool(),
  messages: [
    { role: 'user', content: 'ping' },
    { role: 'assistant', content: [{ type: 'tool_use', id: 't', name: 'f', input: {}, ...use }] },
    { role: 'user', content: [{ type: 'tool_result', tool_use_id: 't', content: 'rain', ...result }] },
  ],
})
const config = (value: JsonObject): JsonObject => messages({ max_tokens: 20_000, output_config: value })
const thinking = (value: JsonObject): JsonObject => messages({ max_tokens: 20_000, thinking: value })
const budget = { type: 'enabled', budget_tokens: 12_000 } as const
const system = (more: JsonObject = {}): JsonObject =>
  messages({ system: [{ type: 'text', text: 'Be brief.', ...more }] })

/** Members of Anthropic's requests (https://docs.anthropic.com/en/api/messages, of 2026-11): without, and with. */
const MESSAGES: readonly (readonly [path: string, without: JsonObject, withIt: JsonObject])[] = [
  ['cache_control', messages(), messages({ cache_control: MARK })],
  ['system[].cache_control', system(), system({ cache_control: MARK })],
  ['messages[].content[].cache_control', text(), text({ cache_control: MARK })],
  [
    'messages[].content[].cache_control.ttl',
    text({ cache_control: MARK }),
    text({ cache_control: { ...MARK, ttl: '1h' } }),
  ],
  [
    'messages[].content[].cache_control',
    block({ type: 'image', source: PNG }),
    block({ type: 'image', source: PNG, cache_control: MARK }),
  ],
  ['messages[].content[].cache_control', document(PDF), document(PDF, { cache_control: MARK })],
  ['messages[].content[].cache_control', called({}, {}), called({ cache_control: MARK }, {})],
  ['messages[].content[].cache_control', called({}, {}), called({}, { cache_control: MARK })],
  ['messages[].content[].is_error', called({}, {}), called({}, { is_error: true })],
  ['messages[].content[].input', called({}, {}), called({ input: { a: 1 } }, {})],
  ['messages[].content[].title', document(PDF), document(PDF, { title: 'Report' })],
  ['messages[].content[].context', document(PDF), document(PDF, { context: 'Of 2026.' })],
  ['messages[].content[].citations', document(PDF), document(PDF, { citations: { enabled: true } })],
  ['messages[].content[].title', document(words), document(words, { title: 'Report' })],
  ['messages[].content[].context', document(words), document(words, { context: 'Of 2026.' })],
  ['messages[].content[].citations', document(words), document(words, { citations: { enabled: true } })],
  ['tools[].description', tool(), tool({ description: 'Finds.' })],
  ['tools[].strict', tool(), tool({ strict: true })],
  ['tools[].cache_control', tool(), tool({ cache_control: MARK })],
  ['tools[].input_examples', tool(), tool({ input_examples: [{ a: 1 }] })],
  ['tools[].defer_loading', tool(), tool({ defer_loading: true })],
  ['tool_choice', choice({ type: 'auto' }), choice({ type: 'any' })],
  ['tool_choice.name', choice({ type: 'any' }), choice({ type: 'tool', name: 'f' })],
  [
    'tool_choice.disable_parallel_tool_use',
    choice({ type: 'auto' }),
    choice({ type: 'auto', disable_parallel_tool_use: true }),
  ],
  ['thinking', messages(), thinking(budget)],
  ['thinking.budget_tokens', thinking({ ...budget, budget_tokens: 2_000 }), thinking(budget)],
  ['thinking.display', thinking(budget), thinking({ ...budget, display: 'omitted' })],
  ['output_config.effort', messages({ max_tokens: 20_000 }), config({ effort: 'low' })],
  ['output_config.effort: max', config({ effort: 'high' }), config({ effort: 'max' })],
  [
    'output_config.task_budget',
    config({ effort: 'high' }),
    config({ effort: 'high', task_budget: { total: 9 } }),
  ],
  [
    'output_config.format',
    messages({ max_tokens: 20_000 }),
    config({ format: { type: 'json_schema', schema: { type: 'object', properties: { a: {} } } } }),
  ],
  ['context_management', messages(), messages({ context_management: { edits: [] } })],
  ['container', messages(), messages({ container: 'c' })],
  ['mcp_servers', messages(), messages({ mcp_servers: [] })],
  ['inference_geo', messages(), messages({ inference_geo: 'us' })],
  ['stop_sequences', messages(), messages({ stop_sequences: ['x'] })],
]

const respond = (more: JsonObject = {}): JsonObject => ({ model: 'm', input: 'ping', ...more })
const item = (part: JsonObject): JsonObject =>
  respond({ input: [{ role: 'user', content: [{ type: 'input_text', text: 'ping' }, part] }] })
const picture = (more: JsonObject = {}): JsonObject =>
  item({ type: 'input_image', image_url: 'data:image/png;base64,iVBORw0KGgo=', ...more })
const ran = (more: JsonObject = {}): JsonObject =>
  respond({
    tools: [{ type: 'function', name: 'f', parameters: { type: 'object', properties: { a: {} } }, ...more }],
  })
const chosen = (value: JsonObject | string): JsonObject => {
  const { tools } = ran()
  assert.ok(Array.isArray(tools))
  return respond({ tools: [...tools, { type: 'function', name: 'g' }], tool_choice: value })
}
const format = (more: JsonObject = {}): JsonObject =>
  respond({
    text: {
      format: { type: 'json_schema', name: 'n', schema: { type: 'object', properties: { a: {} } }, ...more },
    },
  })
const pdf = {
  type: 'input_file',
  filename: 'a.pdf',
  file_data: 'data:application/pdf;base64,JVBERi0=',
} as const

/** Members of OpenAI's responses (its specification of 2026-11). */
const RESPONSES: readonly (readonly [path: string, without: JsonObject, withIt: JsonObject])[] = [
  ['input[].content[].image_url', respond(), picture()],
  ['input[].content[].detail', picture(), picture({ detail: 'low' })],
  ['input[].content[].file_data', respond(), item(pdf)],
  ['input[].content[].file_id', respond(), item({ type: 'input_file', file_id: 'f' })],
  ['instructions', respond(), respond({ instructions: 'Be brief.' })],
  ['tools[].description', ran(), ran({ description: 'Finds.' })],
  ['tools[].strict', ran(), ran({ strict: true })],
  ['tools[].output_schema', ran(), ran({ output_schema: { type: 'object' } })],
  ['tools[].defer_loading', ran(), ran({ defer_loading: true })],
  ['tools', respond(), respond({ tools: [{ type: 'web_search' }] })],
  ['tool_choice', chosen('auto'), chosen('required')],
  ['tool_choice.name', chosen('required'), chosen({ type: 'function', name: 'f' })],
  [
    'tool_choice.tools',
    chosen('auto'),
    chosen({ type: 'allowed_tools', mode: 'required', tools: [{ type: 'function', name: 'f' }] }),
  ],
  ['text.format', respond(), format()],
  ['text.format.description', format(), format({ description: 'The answer.' })],
  ['text.verbosity', respond(), respond({ text: { verbosity: 'low' } })],
  ['reasoning.effort', respond(), respond({ reasoning: { effort: 'high' }, max_output_tokens: 20_000 })],
  ['reasoning.context', respond(), respond({ reasoning: { context: 'all_turns' } })],
  ['include', respond(), respond({ include: ['reasoning.encrypted_content'] })],
  ['context_management', respond(), respond({ context_management: [{ type: 'compaction' }] })],
  ['moderation', respond(), respond({ moderation: { model: 'omni-moderation-latest' } })],
  ['previous_response_id', respond(), respond({ previous_response_id: 'r' })],
  ['conversation', respond(), respond({ conversation: 'c' })],
  ['prompt', respond(), respond({ prompt: { id: 'p' } })],
  ['background', respond(), respond({ background: true })],
  ['store', respond(), respond({ store: true })],
  ['truncation', respond(), respond({ truncation: 'auto' })],
]

/** What changes no answer, why, and of whom, where others are told it. */
const CHANGE_NO_ANSWER: Readonly<Record<string, readonly [why: string, of?: RegExp]>> = {
  'messages[].content[].title': ['a label of what is carried, where it is a file'],
  'output_config.effort: max': [
    'the nearest effort that a model knows is told',
    /gemini|mistral|ollama|watsonx/,
  ],
  'thinking.budget_tokens': ['the same', /mistral|ollama/],
  'tool_choice.disable_parallel_tool_use': ['tools that are not told are not called', /replicate/],
}

type Words = Pick<SurfaceWords, 'request' | 'dictionary'>

function fateThrough({ request, dictionary }: Words, stranger: Stranger, body: JsonObject): Fate {
  const { model: knownModel, isRelayed, readsThinking, encode } = stranger
  let named: readonly string[] = []
  const fate = fateOf({ encode }, () => {
    const { body: chat, lost, hints = [] } = request(body, { knownModel, isRelayed, readsThinking }, false)
    named = [...lost, ...hints].map((name) => name.split(' ')[0] ?? name)
    return CHAT_TRANSLATION.read(chat)
  })
  const own = (path: string): string => {
    const places: Places = new Map()
    const ground = { knownModel, isRelayed, readsThinking, places }
    return ownName(dictionary(body), path, () => ({ chat: request(body, ground, false).body, places }))
  }
  const refused = fate.refused && inOwnWords(fate.refused, { own })
  return { ...fate, ...(refused && { refused }), named: [...fate.named.map(own), ...named] }
}

function lostOn(stranger: Stranger, words: Words, members: typeof MESSAGES): readonly string[] {
  return members.flatMap(([path, without, withIt]) => {
    const [why, of = /./] = CHANGE_NO_ANSWER[path] ?? []
    if (why !== undefined && of.test(stranger.name)) return []
    const [before, after] = [without, withIt].map((body) => fateThrough(words, stranger, body))
    assert.ok(before !== undefined && after !== undefined)
    return isAccountedFor(path, before, after) ? [] : [path]
  })
}

describe('behind other words', async () => {
  for (const stranger of [...RELAYED, ...(await strangers())]) {
    test(`${stranger.name}: nothing of Anthropic’s messages is lost without a word`, () =>
      assert.deepEqual(
        lostOn(stranger, { request: chatOfMessages, dictionary: messagesDictionary }, MESSAGES),
        [],
      ))
    test(`${stranger.name}: nothing of OpenAI’s responses is lost without a word`, () =>
      assert.deepEqual(
        lostOn(stranger, { request: chatOfResponses, dictionary: responsesDictionary }, RESPONSES),
        [],
      ))
  }
})

/** Who speaks Anthropic's words. */
const NATIVES = [
  ['anthropic', 'claude-sonnet-4-5'],
  ['azure_ai', 'claude-sonnet-4-5', { apiBase: 'https://provider.test/anthropic' }],
  ['bedrock', 'anthropic.claude-sonnet-4-5-20250929-v1:0'],
  ['bedrock', 'invoke/us.anthropic.claude-opus-4-8'],
  ['vertex_ai', 'claude-sonnet-4-5@20250929', { settings: { vertex_project: 'p' } }],
  ['vertex_ai', 'claude-opus-4-8', { settings: { vertex_project: 'p' } }],
] as const

describe('in their own words', () => {
  for (const [provider, model, connection] of NATIVES) {
    test(`${provider}/${model}: nothing of Anthropic’s messages is lost without a word`, () => {
      const line = lineOf(provider, model, connection)
      const sent = (words: JsonObject): { readonly body: string; readonly dropped: readonly string[] } => {
        const body = Buffer.from(JSON.stringify(words))
        const asked = { operation: SURFACE_OPERATIONS.messages, body, spans: scanObject(body), headers: {} }
        const more = {
          stream: false,
          previous: undefined,
          knownModel: model,
          mayDrop: false,
          isMocked: false,
        }
        const attempt = surfaceAttempt(MESSAGES_SURFACE, line, { ...asked, ...more })
        assert.ok(attempt.native !== undefined)
        const wire = relayedRequest(line.target, attempt.native.face, attempt.body, attempt.spans, undefined)
        return { body: String(wire.body), dropped: attempt.dropped }
      }
      const lost = MESSAGES.flatMap(([path, without, withIt]) => {
        const [before, after] = [sent(without), sent(withIt)]
        return before.body === after.body && !after.dropped.includes(path) ? [path] : []
      })
      assert.deepEqual(lost, [])
    })
  }
})
