import { GatewayError } from '../../core/failure.ts'
import { isJsonObject, type Json, type JsonObject } from '../../core/json.ts'
import type { ChatRequest } from '../../core/mode.ts'
import type { Target } from '../adapter.ts'
import { withDefaults } from '../body-defaults.ts'
import { OPENAI_ALONE, sayable, type Sayable } from '../unsaid.ts'
import { untold } from '../untold.ts'
import { toOllamaMessages } from './messages.ts'
import { formatOf, thinkOf, withOptions } from './options.ts'

/** OpenAI's members that Ollama's chat has no place for (https://docs.ollama.com/api/chat, read 2026-11-27). */
const LACKS: ReadonlySet<string> = new Set([
  ...OPENAI_ALONE,
  'logit_bias',
  'metadata',
  'n',
  'parallel_tool_calls',
  'prediction',
  'prompt_cache_key',
  // LiteLLM's word for Claude's.
  'thinking',
])

/**
 * OpenAI's chat request in Ollama's words. Members that neither knows are carried.
 * @throws GatewayError bad_request for parts of messages, and tools, that Ollama has no place for
 */
export function toOllamaChat(request: ChatRequest, target: Target): Sayable {
  const { said, dropped } = sayable(withDefaults('chat', request, target.bodyDefaults), LACKS)
  const {
    messages: _,
    model: __,
    stream,
    tools,
    tool_choice: choice,
    response_format: format,
    reasoning_effort: effort,
    ...rest
  } = said
  const mustCall = choice !== undefined && choice !== null && choice !== 'auto' && choice !== 'none'
  return {
    said: {
      ...formatOf(format),
      ...thinkOf(effort, target.model),
      ...withOptions(rest),
      // None of them may be called: none is offered.
      ...(choice === 'none' ? {} : toolsOf(tools)),
      model: target.model,
      messages: toOllamaMessages(request.messages),
      stream: stream === true,
    },
    dropped: [
      ...dropped,
      ...(mustCall ? ['tool_choice'] : []),
      ...untold({ ...said, messages: request.messages }, TOLD),
    ],
  }
}

/** What it is told below the top level. */
const TOLD: ReadonlySet<string> = new Set(['tools'])

/** A function's `parameters` are a must, and `strict` is unknown. */
function toolsOf(tools: Json | undefined): JsonObject {
  if (!Array.isArray(tools) || tools.length === 0) return {}
  return { tools: tools.map(toOllamaTool) }
}

function toOllamaTool(tool: Json): Json {
  const described = isJsonObject(tool) ? tool['function'] : undefined
  if (!isJsonObject(described))
    throw new GatewayError('bad_request', 'Ollama has no tools but functions: give "function" tools', {
      param: 'tools',
      source: 'client',
    })
  const { strict: _, parameters, ...rest } = described
  return {
    type: 'function',
    function: { ...rest, parameters: parameters ?? { type: 'object', properties: {} } },
  }
}
