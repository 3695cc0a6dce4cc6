import { isJsonObject, type Json, type JsonObject } from '../../core/json.ts'
import type { ChatChoice, ChatChunk, ChatRequest } from '../../core/mode.ts'
import type { Codec, Encoded, StreamDecoder, Target } from '../adapter.ts'
import { withDefaults } from '../body-defaults.ts'
import { decodeChat } from '../openai/chat.ts'
import { openChunkStream } from '../openai/chunk-stream.ts'
import { renamed, routeBelow } from '../openai/surface.ts'
import { OLD_BUDGET } from '../openai-compatible/row.ts'
import { postJson } from '../post-json.ts'
import { CHANGES_NOTHING } from '../unsaid.ts'
import { CACHE_MARKS, CACHE_TIMES, unmarked, unmarkedTool, untold } from '../untold.ts'
import { fromParts, toParts } from './parts.ts'
import { thinkingOf } from './thinking.ts'

/** What changes no answer, and what endpoints of Databricks' own models refuse as extra inputs. */
const MEANINGLESS: ReadonlySet<string> = CHANGES_NOTHING

/** What it is told below the top level. */
const TOLD: ReadonlySet<string> = new Set([
  'messages[].content[].image_url.detail',
  'tools',
  'tools[].function.strict',
])
const TOLD_TO_CLAUDE: ReadonlySet<string> = new Set([...TOLD, ...CACHE_MARKS, ...CACHE_TIMES])

/** Claude alone is told what to cache (https://docs.databricks.com/machine-learning/foundation-model-apis/prompt-caching). */
function takesMarks(model: string): boolean {
  return /claude/i.test(model)
}

/** Chat (https://docs.databricks.com/machine-learning/foundation-model-apis/api-reference#chat-request). */
export const databricksChat: Codec<'chat'> = {
  encode,
  decode: (response, target) => {
    const answer = decodeChat(response, target)
    return { ...answer, choices: answer.choices.map(withWords) }
  },
  openStream: openDatabricksStream,
}

function withWords(choice: ChatChoice): ChatChoice {
  return { ...choice, message: fromParts(choice.message) }
}

function encode(request: ChatRequest, target: Target): Encoded {
  const filled = withDefaults('chat', request, target.bodyDefaults)
  const dropped: string[] = []
  const told = new Map<string, Json | undefined>()
  for (const [name, value] of Object.entries(renamed(filled, OLD_BUDGET))) {
    if (value === null || MEANINGLESS.has(name)) continue
    if (name === 'parallel_tool_calls' && value === true) continue
    // There is no word for one call at a time.
    if (name === 'parallel_tool_calls') dropped.push(name)
    else told.set(name, value)
  }
  const body: JsonObject = Object.fromEntries(told)
  const isMarked = takesMarks(target.model)
  dropped.push(...untold({ ...filled, messages: request.messages }, isMarked ? TOLD_TO_CLAUDE : TOLD))
  const thinking = thinkingOf(body, target.model)
  if (thinking === 'impossible') dropped.push('reasoning_effort')
  const { reasoning_effort: effort, ...rest } = body
  const reasoning =
    thinking === undefined
      ? { ...(effort !== undefined && { reasoning_effort: effort }) }
      : thinking === 'impossible'
        ? {}
        : thinking
  const url = routeBelow(target.base, 'chat')
  const messages = (isMarked ? request.messages : request.messages.map(unmarked)).map(toParts)
  const { tools } = rest
  const bare = !isMarked && Array.isArray(tools) ? { tools: tools.map(unmarkedTool) } : {}
  const wire = postJson(url, { ...rest, ...bare, ...reasoning, messages, model: target.model })
  return dropped.length === 0 ? wire : { ...wire, dropped }
}

/** Deltas hold lists too where a model thinks. */
export function openDatabricksStream(target: Target): StreamDecoder<ChatChunk> {
  return openChunkStream(target, {
    choice: (choice) => {
      const { delta } = choice
      return isJsonObject(delta) ? { ...choice, delta: fromParts(delta) } : choice
    },
  })
}
