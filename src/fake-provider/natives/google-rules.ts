import { isJsonObject, type Json, type JsonObject } from '../../core/json.ts'

/**
 * What the models refuse although every field is known, in their own words; undefined where there is nothing
 * (https://ai.google.dev/gemini-api/docs/troubleshooting, /function-calling, /thinking, /thought-signatures).
 */
export function objection(body: JsonObject, model: string): string | undefined {
  const contents = objectsIn(body['contents'])
  if (contents.length === 0) return '* GenerateContentRequest.contents: contents is not specified\n'
  return (
    contents.map(roleObjection).find(isSaid) ??
    turnObjection(contents) ??
    signatureObjection(contents, model) ??
    configObjection(body['generationConfig']) ??
    schemaObjection(body)
  )
}

function isSaid(words: string | undefined): words is string {
  return words !== undefined
}

function objectsIn(value: Json | undefined): readonly JsonObject[] {
  return Array.isArray(value) ? value.filter(isJsonObject) : []
}

function roleObjection(content: JsonObject, at: number): string | undefined {
  const role = content['role']
  if (role !== 'user' && role !== 'model') return 'Please use a valid role: user, model.'
  const parts = objectsIn(content['parts'])
  if (parts.length === 0)
    return `* GenerateContentRequest.contents[${at}].parts: contents.parts must not be empty.\n`
  // Exactly one of these is what a part holds.
  const isWhole = parts.every((part) => HELD.filter((name) => part[name] !== undefined).length === 1)
  if (!isWhole)
    return `* GenerateContentRequest.contents[${at}].parts[0].data: required oneof field 'data' must have one initialized field\n`
  return parts.some((part) => part['text'] === '')
    ? 'Unable to submit request because it has an empty text parameter.'
    : undefined
}

const HELD = ['text', 'inlineData', 'fileData', 'functionCall', 'functionResponse']

/** As many answers as calls, right behind them. */
function turnObjection(contents: readonly JsonObject[]): string | undefined {
  const count = (content: JsonObject | undefined, name: string): number =>
    objectsIn(content?.['parts']).filter((part) => part[name] !== undefined).length
  const isUneven = contents.some((content, at) => {
    const answers = count(content, 'functionResponse')
    const calls = count(contents[at - 1], 'functionCall')
    return answers !== calls && (answers > 0 || calls > 0)
  })
  return isUneven
    ? 'Please ensure that the number of function response parts is equal to the number of function call parts of the function call turn.'
    : undefined
}

function signatureObjection(contents: readonly JsonObject[], model: string): string | undefined {
  if (!/gemini-3/.test(model)) return undefined
  const unsigned = contents.some((content) => {
    const call = objectsIn(content['parts']).find((part) => part['functionCall'] !== undefined)
    return call !== undefined && call['thoughtSignature'] === undefined
  })
  return unsigned
    ? 'Function call is missing a thought_signature in functionCall parts. This is required for tools to work correctly.'
    : undefined
}

function configObjection(config: Json | undefined): string | undefined {
  if (!isJsonObject(config)) return undefined
  const thinking = config['thinkingConfig']
  if (
    isJsonObject(thinking) &&
    thinking['thinkingBudget'] !== undefined &&
    thinking['thinkingLevel'] !== undefined
  )
    return 'You can only set only one of thinking budget and thinking level.'
  const { responseSchema, responseJsonSchema } = config
  if (responseSchema !== undefined && responseJsonSchema !== undefined)
    return 'response_schema and response_json_schema are mutually exclusive.'
  const hasSchema = responseSchema !== undefined || responseJsonSchema !== undefined
  if (hasSchema && config['responseMimeType'] !== 'application/json')
    return "* GenerateContentRequest.generation_config.response_mime_type: response schemas require 'application/json'\n"
  return config['logprobs'] !== undefined && config['responseLogprobs'] !== true
    ? 'logprobs requires response_logprobs to be true.'
    : undefined
}

/** Every `Schema` of a request, looked at inside. */
function schemaObjection(body: JsonObject): string | undefined {
  const config = body['generationConfig']
  const functions = objectsIn(body['tools']).flatMap((tool) => objectsIn(tool['functionDeclarations']))
  const schemas = [
    ...functions.map((one) => one['parameters']),
    isJsonObject(config) ? config['responseSchema'] : undefined,
  ]
  return schemas.map((one) => (isJsonObject(one) ? badSchema(one) : undefined)).find(isSaid)
}

const TYPES = new Set(['STRING', 'NUMBER', 'INTEGER', 'BOOLEAN', 'ARRAY', 'OBJECT', 'NULL'])

function badSchema(schema: JsonObject): string | undefined {
  const { type, format, properties, items, anyOf } = schema
  if (typeof type === 'string' && !TYPES.has(type.toUpperCase())) return `Invalid value at 'type': ${type}`
  const named = Object.values(isJsonObject(properties) ? properties : {}).filter(isJsonObject)
  if (type === 'OBJECT' && named.length === 0) return 'properties: should be non-empty for OBJECT type'
  if (type === 'ARRAY' && items === undefined) return 'items: missing field.'
  if (type === 'STRING' && format !== undefined && format !== 'enum' && format !== 'date-time')
    return "only 'enum' and 'date-time' are supported for STRING type"
  const inner = [...named, ...objectsIn(anyOf), ...(isJsonObject(items) ? [items] : [])]
  return inner.map(badSchema).find(isSaid)
}
