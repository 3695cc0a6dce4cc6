import { GatewayError } from '../../core/failure.ts'
import { isJsonObject, type Json, type JsonObject } from '../../core/json.ts'

/**
 * OpenAI's tools and choice in Cohere's words (https://docs.cohere.com/docs/tool-use-overview, read 2026-11-27).
 * `auto` is silence; one named tool is the only one that is offered, and must be called; of some that are allowed, only
 * those are offered.
 * @throws GatewayError bad_request for tools that are no functions
 */
export function toolWords(tools: Json | undefined, choice: Json | undefined): JsonObject {
  const functions = Array.isArray(tools) ? tools.map(functionIn) : []
  const allowed = isJsonObject(choice) ? choice['allowed_tools'] : undefined
  const named = isJsonObject(allowed) ? namesIn(allowed['tools']) : namesIn([choice ?? null])
  const offered = named.length === 0 ? functions : functions.filter(({ name }) => named.includes(name))
  const word = wordFor(isJsonObject(allowed) ? allowed['mode'] : named.length === 0 ? choice : 'required')
  return {
    ...(offered.length === 0 ? {} : { tools: offered.map(toTool) }),
    ...(areStrict(offered) ? { strict_tools: true } : {}),
    ...(word === undefined ? {} : { tool_choice: word }),
  }
}

/** Cohere is strict with all tools or with none. */
export function areStrict(tools: Json | undefined): boolean {
  if (!Array.isArray(tools) || tools.length === 0) return false
  return tools.every((tool: Json) => {
    const described = isJsonObject(tool) ? (tool['function'] ?? tool) : undefined
    return isJsonObject(described) && described['strict'] === true
  })
}

function wordFor(choice: Json | undefined): string | undefined {
  if (choice === 'none') return 'NONE'
  return choice === 'required' ? 'REQUIRED' : undefined
}

/** The functions that a choice, or the tools that it allows, speak of. */
function namesIn(choices: Json | undefined): readonly (Json | undefined)[] {
  if (!Array.isArray(choices)) return []
  return choices.flatMap((choice: Json) => {
    if (!isJsonObject(choice)) return []
    const called = choice['function']
    if (!isJsonObject(called)) throw noFunction('tool_choice')
    return [called['name']]
  })
}

function functionIn(tool: Json): JsonObject {
  const described = isJsonObject(tool) ? tool['function'] : undefined
  if (isJsonObject(described)) return described
  throw noFunction('tools')
}

function noFunction(param: string): GatewayError {
  return new GatewayError('bad_request', 'Cohere has no tools but functions: give "function" tools', {
    param,
    source: 'client',
  })
}

/** A function's parameters are a must. */
function toTool(tool: JsonObject): JsonObject {
  const { strict: _, parameters, ...described } = tool
  return {
    type: 'function',
    function: { ...described, parameters: parameters ?? { type: 'object', properties: {} } },
  }
}
