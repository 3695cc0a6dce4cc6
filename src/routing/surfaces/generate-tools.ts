import { isJsonObject } from '../../core/json.ts'
import type { Json, JsonObject } from '../../core/json.ts'
import { refuse } from '../request/request.ts'
import { isStrict, jsonSchemaOf } from './generate-schema.ts'
import { camelled, objectIn } from './generate-words.ts'
import { placed } from './placed.ts'
import { objectsOf, present, textOf } from './read-json.ts'
import type { Spoken, WordsGround } from './surface.ts'

/** Google's own tools, which it runs itself (https://ai.google.dev/api/caching#Tool). */
const OWN_TOOLS =
  /"(google_?search(_?retrieval)?|google_?maps|code_?execution|url_?context|enterprise_?web_?search|computer_?use|file_?search|mcp_?servers|retrieval)" *:/i

/** May a list of tools, as it was written, name one that nobody but Google runs? */
export function mayNameOwnTools(tools: string): boolean {
  return OWN_TOOLS.test(tools)
}

/** Does a list of tools name one that nobody but Google runs? */
export function hasOwnTools(tools: Json | undefined): boolean {
  return Array.isArray(tools) && tools.some((tool: Json) => ownNames(objectIn(tool)).length > 0)
}

function ownNames(tool: JsonObject): readonly string[] {
  return Object.keys(tool).filter((name) => name !== 'functionDeclarations')
}

/**
 * Functions and how strictly a model is held to them (https://ai.google.dev/gemini-api/docs/function-calling).
 * @throws GatewayError bad_request
 */
export function toolWords(listed: Json | undefined, config: Json | undefined, ground: WordsGround): Spoken {
  const all = listed === undefined || listed === null ? [] : objectsOf(listed, 'tools').map(camelled)
  const { functionCallingConfig, ...rest } = objectIn(config)
  const { mode = 'AUTO', allowedFunctionNames, ...others } = objectIn(functionCallingConfig)
  const isValidated = mode === 'VALIDATED'
  const declared = all.flatMap(({ functionDeclarations: own }, index) => {
    if (own === undefined || own === null) return []
    const path = `tools[${index}].functionDeclarations`
    return objectsOf(own, path).map((each, at) => placed(ground, `${path}[${at}]`, camelled(each)))
  })
  const functions = allowed(declared, mode, allowedFunctionNames)
  const lost = [
    ...all.flatMap(ownNames).map((name) => `tools (${name.slice(0, 64)})`),
    ...lostOf(declared),
    ...Object.keys(rest).map((name) => `toolConfig.${name}`),
    ...Object.keys(others)
      .filter((name) => others[name] !== false)
      .map((name) => `toolConfig.functionCallingConfig.${name}`),
  ]
  if (functions.length === 0) return { body: {}, lost }
  const tools = functions.map((each, index) => {
    const tool = toolOf(each, index, isValidated)
    return placed(ground, ground.places?.get(each) ?? 'tools', tool)
  })
  return { body: present({ tools, tool_choice: choiceOf(mode, functions) }), lost }
}

/** The functions that may be called: everybody can be told those alone, and few a choice among more. */
function allowed(
  declared: readonly JsonObject[],
  mode: Json,
  names: Json | undefined,
): readonly JsonObject[] {
  if (!Array.isArray(names) || names.length === 0 || (mode !== 'ANY' && mode !== 'VALIDATED')) return declared
  const named = new Set<Json | undefined>(names)
  const left = declared.filter(({ name }) => name !== undefined && named.has(name))
  if (left.length > 0) return left
  throw refuse(
    "'toolConfig.functionCallingConfig.allowedFunctionNames' must name functions of 'tools'.",
    'toolConfig',
  )
}

function choiceOf(mode: Json, functions: readonly JsonObject[]): Json | undefined {
  const [only] = functions
  switch (mode) {
    case 'AUTO':
    case 'VALIDATED':
    case 'MODE_UNSPECIFIED':
      return undefined
    case 'NONE':
      return 'none'
    case 'ANY':
      return functions.length === 1 && only !== undefined
        ? { type: 'function', function: { name: only['name'] } }
        : 'required'
    default:
      throw refuse(
        "'toolConfig.functionCallingConfig.mode' must be one of AUTO, ANY, NONE, VALIDATED.",
        'toolConfig',
      )
  }
}

/** VALIDATED: calls keep to the schema, where it is one that a model can be held to. */
function toolOf(declared: JsonObject, index: number, isValidated: boolean): JsonObject {
  const { name, description, parameters, parametersJsonSchema } = declared
  if (typeof name !== 'string') throw refuse(`'tools': function ${index} needs a name.`, 'tools')
  const schema = isJsonObject(parametersJsonSchema)
    ? parametersJsonSchema
    : isJsonObject(parameters)
      ? jsonSchemaOf(parameters)
      : undefined
  const strict = isValidated && schema !== undefined && isStrict(schema) ? true : undefined
  return {
    type: 'function',
    function: present({ name, description: textOf(description), parameters: schema, strict }),
  }
}

/** What a function gives back is told to nobody else beforehand; who is not waited for belongs to live sessions. */
function lostOf(declared: readonly JsonObject[]): readonly string[] {
  const names = ['response', 'responseJsonSchema'].filter((name) =>
    declared.some((each) => each[name] !== undefined && each[name] !== null),
  )
  const isUnwaited = declared.some(({ behavior }) => behavior === 'NON_BLOCKING')
  return [...names, ...(isUnwaited ? ['behavior'] : [])].map((name) => `tools (functionDeclarations.${name})`)
}
