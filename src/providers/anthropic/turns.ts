import { isJsonObject, type Json, type JsonObject, parseJson } from '../../core/json.ts'
import type { ChatMessage } from '../../core/mode.ts'
import { textOf } from '../answer.ts'
import { earlierWords } from '../earlier-words.ts'
import { withoutOpenAisMarks } from '../untold.ts'
import { toBlocks, unsayable } from './content.ts'

/** A conversation in Anthropic's words. */
export interface Conversation {
  /** What system and developer messages say, wherever they stand. */
  readonly system: readonly JsonObject[]
  /** Turns of user and assistant, one after the other. */
  readonly messages: readonly Turn[]
}

/** All that one side says before the other one speaks. */
export interface Turn {
  readonly [key: string]: Json
  readonly role: 'user' | 'assistant'
  readonly content: readonly JsonObject[]
}

/**
 * OpenAI's messages as turns. The results of tools are the user's words in Anthropic's form, and all results of one
 * turn must stand in the turn after it (https://platform.claude.com/docs/en/agents-and-tools/tool-use/parallel-tool-use):
 * neighbours of one side become one turn.
 * @throws GatewayError bad_request (the client's doing)
 */
export function toConversation(messages: readonly ChatMessage[]): Conversation {
  const system: JsonObject[] = []
  const turns: { role: Turn['role']; content: JsonObject[] }[] = []
  for (const message of messages) {
    const said = saidIn(withoutOpenAisMarks(message))
    if (said.role === 'system') {
      system.push(...said.content)
      continue
    }
    const last = turns.at(-1)
    if (last?.role === said.role) last.content.push(...said.content)
    else if (said.content.length > 0) turns.push({ role: said.role, content: [...said.content] })
  }
  return { system, messages: turns }
}

interface Said {
  readonly role: Turn['role'] | 'system'
  readonly content: readonly JsonObject[]
}

function saidIn(message: ChatMessage): Said {
  switch (message.role) {
    case 'system':
    case 'developer':
      return { role: 'system', content: marked(toBlocks(message.content), message) }
    case 'user':
      return { role: 'user', content: marked(toBlocks(message.content), message) }
    case 'assistant':
      return { role: 'assistant', content: marked(assistantBlocks(message), message) }
    case 'tool':
      return { role: 'user', content: [toolResult(message)] }
    default:
      throw unsayable(`Claude knows no messages of the role "${message.role}"`)
  }
}

/** A `cache_control` beside the content is meant for its last block. */
function marked(blocks: readonly JsonObject[], message: ChatMessage): readonly JsonObject[] {
  const mark = message['cache_control']
  const last = blocks.at(-1)
  return mark === undefined || last === undefined
    ? blocks
    : [...blocks.slice(0, -1), { ...last, cache_control: mark }]
}

/** Thinking comes first, and with its signature: Anthropic refuses it changed. Calls come last. */
function assistantBlocks(message: ChatMessage): readonly JsonObject[] {
  const thinking = message['thinking_blocks']
  const calls = message['tool_calls']
  return [
    ...(Array.isArray(thinking) ? thinking.filter(isJsonObject) : []),
    ...toBlocks(earlierWords(message)),
    ...(Array.isArray(calls) ? calls.map((call: Json) => toolUse(call)) : []),
  ]
}

function toolUse(call: Json): JsonObject {
  const named = isJsonObject(call) ? call['function'] : undefined
  const id = isJsonObject(call) ? textOf(call['id']) : undefined
  const name = isJsonObject(named) ? textOf(named['name']) : undefined
  if (!isJsonObject(named) || id === undefined || name === undefined)
    throw unsayable('every tool call needs an "id" and a "function" with a "name"')
  const mark = isJsonObject(call) ? call['cache_control'] : undefined
  const input = inputOf(named['arguments'], name)
  return {
    type: 'tool_use',
    id: toolId(id),
    name,
    input,
    ...(mark !== undefined && { cache_control: mark }),
  }
}

function inputOf(given: Json | undefined, name: string): JsonObject {
  const input = typeof given === 'string' && given.trim() !== '' ? parseJson(given) : (given ?? '')
  if (input === '') return {}
  if (!isJsonObject(input)) throw unsayable(`the arguments of the call of "${name}" are no JSON object`)
  return input
}

function toolResult(message: ChatMessage): JsonObject {
  const id = textOf(message['tool_call_id'])
  if (id === undefined) throw unsayable('a message of the role "tool" needs a "tool_call_id"')
  const { content } = message
  const mark = message['cache_control']
  const isError = message['is_error']
  return {
    type: 'tool_result',
    tool_use_id: toolId(id),
    content: typeof content === 'string' ? content : toBlocks(content),
    ...(isError !== undefined && { is_error: isError }),
    ...(mark !== undefined && { cache_control: mark }),
  }
}

/** Other providers put more into ids than Anthropic takes: letters, digits, `_` and `-`. */
function toolId(id: string): string {
  return id.replaceAll(/[^\w-]/g, '_')
}
