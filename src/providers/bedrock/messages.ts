import { isJsonObject, type Json, type JsonObject, parseJson } from '../../core/json.ts'
import type { ChatMessage } from '../../core/mode.ts'
import { textOf } from '../answer.ts'
import { earlierWords } from '../earlier-words.ts'
import { cachePoint, fitted, isEnd, type Caches } from './caches.ts'
import { contentBlocks, unsayable } from './content.ts'

/** A conversation in Converse's words: what the system says stands apart. */
export interface Conversation {
  readonly system: readonly JsonObject[]
  readonly messages: readonly { readonly role: string; readonly content: readonly JsonObject[] }[]
  /** The tools that were called in it. */
  readonly called: readonly string[]
}

/**
 * OpenAI's messages as Converse's. There the roles must alternate, and a tool's answer is something the user says: what
 * one side says in a row becomes one message. `mark` is Anthropic's wish that the end of all of it be cached.
 */
export function toConversation(
  given: readonly ChatMessage[],
  caches: Caches,
  mark: Json | undefined,
): Conversation {
  const system: JsonObject[] = []
  const messages: { readonly role: string; content: readonly JsonObject[] }[] = []
  const called = new Set<string>()
  for (const message of given) {
    const { role, content } = speech(message)
    if (role === 'system') {
      system.push(...content)
      continue
    }
    for (const { toolUse } of content) if (isJsonObject(toolUse)) called.add(textOf(toolUse['name']) ?? '')
    const last = messages.at(-1)
    if (last?.role === role) last.content = [...last.content, ...content]
    else if (!content.every(isEnd)) messages.push({ role, content })
  }
  const last = messages.at(-1)
  if (last !== undefined) last.content = [...last.content, ...cachePoint({ cache_control: mark })]
  return {
    system: fitted(system, caches, 'messages'),
    messages: messages.map(({ role, content }) => ({ role, content: fitted(content, caches, 'messages') })),
    called: [...called],
  }
}

interface Speech {
  readonly role: 'system' | 'user' | 'assistant'
  readonly content: readonly JsonObject[]
}

function speech(message: ChatMessage): Speech {
  const { role, content } = message
  switch (role) {
    case 'system':
    case 'developer':
      return { role: 'system', content: [...contentBlocks(content), ...cachePoint(message)] }
    case 'user':
      return { role, content: [...contentBlocks(content), ...cachePoint(message)] }
    case 'assistant':
      return { role, content: [...assistantBlocks(message), ...cachePoint(message)] }
    case 'tool':
      return { role: 'user', content: [...toolResult(message), ...cachePoint(message)] }
    default:
      throw unsayable(`a message of the role '${role}' cannot be sent to Bedrock`, 'messages')
  }
}

/** What it thought comes first, with its signature: models that called a tool want it back as it was. */
function assistantBlocks(message: ChatMessage): readonly JsonObject[] {
  const { thinking_blocks: thoughts, tool_calls: calls } = message
  return [
    ...(Array.isArray(thoughts) ? thoughts.flatMap((thought: Json) => reasoningBlocks(thought)) : []),
    ...contentBlocks(earlierWords(message)),
    ...(Array.isArray(calls) ? calls.flatMap((call: Json) => toolUse(call)) : []),
  ]
}

/** Anthropic's blocks, in which LiteLLM and we hand out what a model thought. */
function reasoningBlocks(thought: Json): readonly JsonObject[] {
  if (!isJsonObject(thought)) return []
  const { data, thinking, signature } = thought
  if (typeof data === 'string') return [{ reasoningContent: { redactedContent: data } }]
  if (typeof thinking !== 'string') return []
  return [
    { reasoningContent: { reasoningText: { text: thinking, ...(signature != null && { signature }) } } },
  ]
}

function toolUse(call: Json): readonly JsonObject[] {
  const whole = isJsonObject(call) ? call : {}
  const { id, function: called } = whole
  const { name, arguments: written } = isJsonObject(called) ? called : {}
  if (typeof id !== 'string' || typeof name !== 'string')
    throw unsayable("every tool call needs an 'id' and a function with a 'name'", 'messages')
  const input = typeof written === 'string' && written.trim() !== '' ? parseJson(written) : {}
  if (!isJsonObject(input))
    throw unsayable(`the arguments of the call of '${name}' are no JSON object`, 'messages')
  return [{ toolUse: { toolUseId: id, name, input } }, ...cachePoint(whole)]
}

/** What is cached ends behind a result, never within it. */
function toolResult(message: ChatMessage): readonly JsonObject[] {
  const id = message['tool_call_id']
  if (typeof id !== 'string')
    throw unsayable("a message of the role 'tool' needs a 'tool_call_id'", 'messages')
  const blocks = contentBlocks(message.content)
  const content = blocks.filter((block) => !isEnd(block))
  const points = blocks.filter(isEnd)
  return [{ toolResult: { toolUseId: id, content } }, ...points.slice(-1)]
}
