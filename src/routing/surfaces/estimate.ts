import type { Json, JsonObject } from '../../core/json.ts'
import { isJsonObject } from '../../core/json.ts'
import { refuse } from '../request/request.ts'
import { callsOf } from './chat-answer.ts'
import { memberOf, textOf } from './read-json.ts'

/** What an estimate is made from. */
export interface Countable {
  readonly text: string
  /** For what is no text. */
  readonly tokens: number
}

/** Around each message, and before the answer (https://cookbook.openai.com/examples/how_to_count_tokens_with_tiktoken). */
const PER_MESSAGE = 3
const BEFORE_ANSWER = 3
const PER_TOOL = 8
/** The most that Anthropic counts for one (https://docs.claude.com/en/docs/build-with-claude/vision). */
const PER_PICTURE = 1600
/** Anthropic counts up to 3,000 for a page (https://docs.claude.com/en/docs/build-with-claude/pdf-support). */
const PER_PAGE = 2000
const BYTES_PER_PAGE = 50_000

/**
 * The texts of a chat, and what counts as so many tokens by rule.
 * @throws GatewayError bad_request (the client's doing) for documents whose size is not known here
 */
export function countableOf(chat: JsonObject): Countable {
  const texts: string[] = []
  let tokens = BEFORE_ANSWER
  for (const message of objectsIn(chat['messages'])) {
    tokens += PER_MESSAGE
    const { content } = message
    if (typeof content === 'string') texts.push(content)
    for (const part of objectsIn(content)) {
      const { text, tokens: more } = partOf(part)
      texts.push(text)
      tokens += more
    }
    for (const call of callsOf(message)) {
      tokens += PER_MESSAGE
      texts.push(call.name, call.arguments)
    }
    for (const thought of objectsIn(message['thinking_blocks'])) texts.push(textOf(thought['thinking']) ?? '')
  }
  for (const tool of objectsIn(chat['tools'])) {
    tokens += PER_TOOL
    texts.push(JSON.stringify(tool['function'] ?? tool))
  }
  const form = memberOf(chat['response_format'], 'json_schema')
  if (form !== undefined) texts.push(JSON.stringify(form))
  return { text: texts.filter((text) => text !== '').join('\n'), tokens }
}

function partOf(part: JsonObject): Countable {
  switch (part['type']) {
    case 'image_url':
      return { text: '', tokens: PER_PICTURE }
    case 'file':
      return { text: '', tokens: documentTokens(textOf(memberOf(part['file'], 'file_data')) ?? '') }
    default:
      return { text: textOf(part['text']) ?? '', tokens: 0 }
  }
}

function documentTokens(data: string): number {
  const comma = data.indexOf(',')
  if (!data.startsWith('data:') || comma === -1)
    throw refuse(
      'a document named by its URL cannot be counted for this model: send its data as base64.',
      'messages',
    )
  const bytes = ((data.length - comma - 1) * 3) / 4
  return Math.max(Math.ceil(bytes / BYTES_PER_PAGE), 1) * PER_PAGE
}

function objectsIn(value: Json | undefined): readonly JsonObject[] {
  return Array.isArray(value) ? value.filter(isJsonObject) : []
}
