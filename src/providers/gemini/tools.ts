import { entryOf } from '../../core/entry-of.ts'
import { isJsonObject, type Json, type JsonObject } from '../../core/json.ts'
import { textOf } from '../answer.ts'
import { schemaField } from './schema.ts'
import { unsayable } from './surface.ts'

/** Google's own tools (https://ai.google.dev/api/caching#Tool), as people write them beside functions. */
const OWN_TOOLS: Readonly<Record<string, string>> = {
  googleSearch: 'googleSearch',
  google_search: 'googleSearch',
  googleSearchRetrieval: 'googleSearchRetrieval',
  google_search_retrieval: 'googleSearchRetrieval',
  googleMaps: 'googleMaps',
  google_maps: 'googleMaps',
  codeExecution: 'codeExecution',
  code_execution: 'codeExecution',
  urlContext: 'urlContext',
  url_context: 'urlContext',
  enterpriseWebSearch: 'enterpriseWebSearch',
  enterprise_web_search: 'enterpriseWebSearch',
  computerUse: 'computerUse',
  computer_use: 'computerUse',
  fileSearch: 'fileSearch',
  file_search: 'fileSearch',
  retrieval: 'retrieval',
}

const SCHEMA = { openApi: 'parameters', jsonSchema: 'parametersJsonSchema' } as const

/**
 * OpenAI's tools as Gemini's (https://ai.google.dev/gemini-api/docs/function-calling): all functions are one tool.
 * Undefined where there are none.
 * @throws GatewayError bad_request for a tool that has no words there
 */
export function toTools(
  tools: Json | undefined,
  search: Json | undefined,
): readonly JsonObject[] | undefined {
  const listed: readonly Json[] = Array.isArray(tools) ? tools : []
  const functions: JsonObject[] = []
  const others: JsonObject[] = []
  for (const [index, tool] of listed.entries()) {
    const where = `tools[${index}]`
    if (!isJsonObject(tool)) throw unsayable(`'${where}' must be an object.`, where)
    if (tool['type'] === 'function') functions.push(declaration(tool['function'], where))
    else others.push(ownTool(tool, where))
  }
  if (isJsonObject(search) && !others.some((tool) => tool['googleSearch'] !== undefined))
    others.push({ googleSearch: {} })
  const all = [...(functions.length > 0 ? [{ functionDeclarations: functions }] : []), ...others]
  return all.length === 0 ? undefined : all
}

function declaration(written: Json | undefined, where: string): JsonObject {
  if (!isJsonObject(written) || typeof written['name'] !== 'string')
    throw unsayable(`'${where}.function' needs a name.`, where)
  const { name, description, parameters } = written
  return {
    name,
    ...(typeof description === 'string' && { description }),
    ...(isJsonObject(parameters) && !takesNothing(parameters) ? schemaField(SCHEMA, parameters) : {}),
  }
}

/** A function without arguments has no `parameters` there: an object without properties is refused. */
function takesNothing(parameters: JsonObject): boolean {
  const { properties } = parameters
  const isEmpty = !isJsonObject(properties) || Object.keys(properties).length === 0
  return isEmpty && !['$ref', 'anyOf', 'oneOf', 'allOf'].some((key) => parameters[key] !== undefined)
}

function ownTool(tool: JsonObject, where: string): JsonObject {
  const type = textOf(tool['type'])
  if (type !== undefined && type.startsWith('web_search')) return { googleSearch: {} }
  const named = type === undefined ? undefined : entryOf(OWN_TOOLS, type)
  if (type !== undefined && named !== undefined) return { [named]: tool[type] ?? {} }
  const entries = Object.entries(tool)
  const known = entries.flatMap(([key, value]): [string, Json | undefined][] => {
    const own = key === 'functionDeclarations' ? key : entryOf(OWN_TOOLS, key)
    return own === undefined ? [] : [[own, value]]
  })
  if (known.length > 0 && known.length === entries.length) return Object.fromEntries(known)
  throw unsayable(`'${where}' is no function and none of Google's own tools.`, where)
}

/** How strictly a model is held to the functions (https://ai.google.dev/api/caching#FunctionCallingConfig). */
export function toToolConfig(choice: Json | undefined, tools: Json | undefined): JsonObject | undefined {
  const config = callingConfig(choice, isStrict(tools))
  return config === undefined ? undefined : { functionCallingConfig: config }
}

function callingConfig(choice: Json | undefined, strict: boolean): JsonObject | undefined {
  switch (choice) {
    case undefined:
    case null:
      return strict ? { mode: 'VALIDATED' } : undefined
    case 'auto':
      return { mode: strict ? 'VALIDATED' : 'AUTO' }
    case 'none':
      return { mode: 'NONE' }
    case 'required':
    case 'any':
      return { mode: 'ANY' }
    default:
      return namedChoice(choice)
  }
}

/** One function, or some of them. */
function namedChoice(choice: Json): JsonObject {
  const allowed = isJsonObject(choice) ? choice['allowed_tools'] : undefined
  if (isJsonObject(choice) && choice['type'] === 'allowed_tools' && isJsonObject(allowed)) {
    const listed: readonly Json[] = Array.isArray(allowed['tools']) ? allowed['tools'] : []
    const mode = allowed['mode'] === 'required' ? 'ANY' : 'VALIDATED'
    return { mode, allowedFunctionNames: listed.map(nameIn) }
  }
  return { mode: 'ANY', allowedFunctionNames: [nameIn(choice)] }
}

function nameIn(choice: Json): string {
  const called = isJsonObject(choice) ? choice['function'] : undefined
  const name = isJsonObject(called) ? called['name'] : undefined
  if (typeof name === 'string') return name
  throw unsayable("'tool_choice' must be auto, none, required, or a function by its name.", 'tool_choice')
}

/** `strict`: calls keep to the schema, which is what VALIDATED means. */
function isStrict(tools: Json | undefined): boolean {
  if (!Array.isArray(tools)) return false
  return tools.some((tool: Json) => {
    const called = isJsonObject(tool) ? tool['function'] : undefined
    return isJsonObject(called) && called['strict'] === true
  })
}
