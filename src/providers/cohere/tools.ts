import { isJsonObject, type Json, type JsonObject } from '../../core/json.ts'

/**
 * OpenAI's tools and choice in Cohere's words (https://docs.cohere.com/docs/tool-use-overview, read 2026-11-27).
 * `auto` is silence; one named tool is the only one that is offered, and must be called.
 */
export function toolWords(tools: Json | undefined, choice: Json | undefined): JsonObject {
  const functions = Array.isArray(tools) ? tools.map(functionIn) : []
  const named = nameIn(choice)
  const offered = named === undefined ? functions : functions.filter(({ name }) => name === named)
  const word = named === undefined ? wordFor(choice) : 'REQUIRED'
  return {
    ...(offered.length === 0 ? {} : { tools: offered.map(toTool) }),
    // Cohere is strict with all tools or with none.
    ...(offered.length > 0 && offered.every(({ strict }) => strict === true) ? { strict_tools: true } : {}),
    ...(word === undefined ? {} : { tool_choice: word }),
  }
}

function wordFor(choice: Json | undefined): string | undefined {
  if (choice === 'none') return 'NONE'
  return choice === 'required' ? 'REQUIRED' : undefined
}

function nameIn(choice: Json | undefined): Json | undefined {
  const called = isJsonObject(choice) ? choice['function'] : undefined
  return isJsonObject(called) ? called['name'] : undefined
}

function functionIn(tool: Json): JsonObject {
  const described = isJsonObject(tool) ? tool['function'] : undefined
  return isJsonObject(described) ? described : {}
}

/** A function's parameters are a must. */
function toTool(tool: JsonObject): JsonObject {
  const { strict: _, parameters, ...described } = tool
  return {
    type: 'function',
    function: { ...described, parameters: parameters ?? { type: 'object', properties: {} } },
  }
}
