import { isJsonObject } from '../core/json.ts'
import type { Json } from '../core/json.ts'
import { unauthorized } from './auth.ts'
import type { Law } from './auth.ts'
import { wantsStream } from './call.ts'
import type { Call } from './call.ts'
import { wrongWords } from './cohere-chat.ts'
import { FIELDS, OPENAI_VOICES, REASONING_MODELS, WRONG_ROUTES } from './fields.ts'
import type { FieldTable, FieldType } from './fields.ts'
import { refuseForm } from './form-refusal.ts'
import { budgetRenamed, temperatureRefused } from './reasoning-words.ts'
import { azureError, azureNotFound, cohereError, openaiError, typeWord } from './reply.ts'
import type { Reply } from './reply.ts'

/** The provider's refusal of a call it would not serve, or undefined for a good one. */
export function refusal(call: Call, law: Law): Reply | undefined {
  return (
    refusePath(call) ??
    refuseMethod(call) ??
    refuseVersion(call) ??
    unauthorized(call, law) ??
    refuseBody(call, law)
  )
}

function refusePath(call: Call): Reply | undefined {
  if (call.route.operation !== 'unknown') return undefined
  if (call.route.dialect === 'azure') return azureNotFound()
  if (call.route.dialect === 'cohere') return cohereError(404, `resource not found: ${call.path}`)
  return openaiError(404, { message: `Invalid URL (${call.method} ${call.path})` })
}

function refuseMethod(call: Call): Reply | undefined {
  const { method, dialect } = call.route
  if (call.method === method) return undefined
  if (dialect === 'azure') return azureNotFound()
  if (dialect === 'cohere') return cohereError(405, 'method not allowed')
  const message = `Not allowed to ${call.method} on ${call.path}. (HINT: Perhaps you meant to use a different HTTP method?)`
  return openaiError(405, { message, code: 'method_not_supported' }, { allow: method })
}

/** Azure: a dated surface without its date is a path it does not have; the v1 surface takes no date. */
function refuseVersion(call: Call): Reply | undefined {
  const version = call.query.get('api-version')
  if (call.route.version === 'dated') {
    if (version === null) return azureNotFound()
    return /^\d{4}-\d\d-\d\d(-preview)?$/.test(version) ? undefined : azureBadVersion()
  }
  if (call.route.version !== 'v1' || version === null) return undefined
  return ['v1', 'preview', 'latest'].includes(version) ? undefined : azureBadVersion()
}

function azureBadVersion(): Reply {
  return azureError(400, 'BadRequest', 'API version not supported')
}

function refuseBody(call: Call, law: Law): Reply | undefined {
  if (call.route.accepts === 'nothing') return undefined
  const type = (call.headers['content-type'] ?? '').toLowerCase()
  const isForm = type.startsWith('multipart/form-data')
  const { accepts } = call.route
  if (accepts === 'offer' && type.startsWith('application/sdp')) return undefined
  const wanted =
    accepts === 'json' || (accepts === 'either' && !isForm) ? 'application/json' : 'multipart/form-data'
  if (!type.startsWith(wanted)) return refuseType(call, wanted, type)
  if (isForm) return refuseForm(call, law.strict)
  if (call.json === undefined) return refuseText(call)
  const table = FIELDS[call.route.operation]
  if (table === undefined) return undefined
  const refused = refuseFields(call, call.json, table, law.strict)
  return refused ?? (law.strict ? refuseMeaning(call, call.json, law) : undefined)
}

function refuseType(call: Call, wanted: string, got: string): Reply {
  if (call.route.dialect === 'cohere')
    return cohereError(415, `unsupported content type: ${wanted} is required`)
  const message =
    `Unsupported content type: '${got}'. This API method only accepts '${wanted}' requests, ` +
    `but you specified the header 'Content-Type: ${got}'. Please try again with a supported content type.`
  return openaiError(400, { message, code: 'unsupported_content_type' })
}

function refuseText(call: Call): Reply {
  if (call.route.dialect === 'cohere')
    return cohereError(400, 'invalid request: the body is not a JSON object')
  return openaiError(400, {
    message: 'We could not parse the JSON body of your request. The OpenAI API expects a JSON payload.',
  })
}

type Body = NonNullable<Call['json']>

function refuseFields(call: Call, body: Body, table: FieldTable, strict: boolean): Reply | undefined {
  for (const name of table.required) {
    if (name === 'model' && call.route.deploymentInPath) continue
    if (body[name] === undefined) return missing(call, name)
  }
  for (const [name, value] of Object.entries(body)) {
    const types = Object.hasOwn(table.types, name) ? table.types[name] : undefined
    if (types === undefined) {
      if (strict && table.strict) return unknownField(call, name)
      continue
    }
    if (value === null && !table.required.includes(name)) continue
    if (!types.some((type) => isOf(value, type))) return wrongType(call, name, types, value)
    const least = table.minimum?.[name]
    if (least !== undefined && typeof value === 'number' && value < least) return tooSmall(name, least, value)
  }
  return undefined
}

function missing(call: Call, name: string): Reply {
  if (call.route.dialect === 'cohere') return cohereError(400, `invalid request: ${name} is required`)
  const message = `Missing required parameter: '${name}'.`
  return openaiError(400, { message, param: name, code: 'missing_required_parameter' })
}

function unknownField(call: Call, name: string): Reply {
  if (call.route.dialect === 'cohere')
    return cohereError(422, `unknown field: parameter '${name}' is not a valid field`)
  return openaiError(400, {
    message: `Unknown parameter: '${name}'.`,
    param: name,
    code: 'unknown_parameter',
  })
}

const TYPE_WORDS: Readonly<Record<FieldType, string>> = {
  string: 'a string',
  integer: 'an integer',
  number: 'a number',
  boolean: 'a boolean',
  array: 'an array',
  object: 'an object',
}

function wrongType(call: Call, name: string, types: readonly FieldType[], value: Json | undefined): Reply {
  const expected = types.map((type) => TYPE_WORDS[type]).join(' or ')
  const message = `Invalid type for '${name}': expected ${expected}, but got ${typeWord(value)} instead.`
  if (call.route.dialect === 'cohere') return cohereError(400, message)
  return openaiError(400, { message, param: name, code: 'invalid_type' })
}

function tooSmall(name: string, least: number, value: number): Reply {
  const message = `Invalid '${name}': integer below minimum value. Expected a value >= ${least}, but got ${value} instead.`
  return openaiError(400, { message, param: name, code: 'integer_below_min_value' })
}

function isOf(value: Json | undefined, type: FieldType): boolean {
  if (type === 'integer') return Number.isInteger(value)
  if (type === 'array') return Array.isArray(value)
  if (type === 'object') return typeof value === 'object' && value !== null && !Array.isArray(value)
  return typeof value === type
}

/** What a well-typed body may still get wrong. */
function refuseMeaning(call: Call, body: Body, law: Law): Reply | undefined {
  const { operation, dialect } = call.route
  if (operation === 'rerank' || operation === 'rerank_v2')
    return refuseRerank(body, operation === 'rerank_v2')
  if (operation === 'cohere_chat_v2') return refuseWords(body)
  if (operation === 'cohere_embed_v1' || operation === 'cohere_embed_v2') return refuseEmbed(body)
  const messages = body['messages']
  if (Array.isArray(messages) && messages.length === 0) return emptyArray('messages')
  if (operation === 'embedding' && Array.isArray(body['input']) && body['input'].length === 0)
    return emptyArray('input')
  if (body['stream_options'] && !wantsStream(call)) {
    const message = "The 'stream_options' parameter is only allowed when 'stream' is enabled."
    return openaiError(400, { message, param: 'stream_options' })
  }
  if (dialect === 'azure') return refuseBatchDeployment(call)
  return law.judgesModels ? refuseModel(call, body) : undefined
}

function emptyArray(name: string): Reply {
  const message = `Invalid '${name}': empty array. Expected an array with minimum length 1, but got an empty array instead.`
  return openaiError(400, { message, param: name, code: 'empty_array' })
}

function refuseWords(body: Body): Reply | undefined {
  const wrong = wrongWords(body)
  return wrong === undefined ? undefined : cohereError(400, wrong)
}

function refuseEmbed(body: Body): Reply | undefined {
  const given = ['texts', 'images', 'inputs'].some((name) => body[name] !== undefined)
  return given
    ? undefined
    : cohereError(400, 'invalid request: at least one of texts, images or inputs is required')
}

/** Texts alone in the second version; objects in the first, with a `text` or what `rank_fields` names. */
function refuseRerank({ documents, rank_fields: fields }: Body, isSecond: boolean): Reply | undefined {
  if (!Array.isArray(documents)) return undefined
  if (documents.length === 0) return cohereError(400, 'invalid request: list of documents must not be empty')
  const strange = documents.findIndex(
    (one: Json) => typeof one !== 'string' && (isSecond || !isObject(one, fields)),
  )
  return strange === -1
    ? undefined
    : cohereError(400, `invalid request: documents[${strange}] must be a string`)
}

function isObject(one: Json, fields: Json | undefined): boolean {
  return isJsonObject(one) && (Array.isArray(fields) || typeof one['text'] === 'string')
}

/** A batch deployment serves no chat (Azure's batch documentation, OperationNotSupported). */
function refuseBatchDeployment(call: Call): Reply | undefined {
  if (call.route.operation !== 'chat' || !/(^|-)batch(-|$)/i.test(call.model)) return undefined
  const message = `The chatCompletion operation does not work with the specified model, ${call.model}.`
  return azureError(400, 'OperationNotSupported', message)
}

function refuseModel(call: Call, body: Body): Reply | undefined {
  const { operation } = call.route
  const wrong = WRONG_ROUTES.find((row) => row.operation === operation && row.models.test(call.model))
  if (wrong !== undefined) return openaiError(wrong.status, { message: wrong.message, param: wrong.param })
  if (operation === 'speech') return refuseVoice(call, body)
  if (operation === 'image') return refuseImageFormat(call, body)
  return operation === 'chat' ? refuseBudget(call, body) : undefined
}

function refuseVoice(call: Call, body: Body): Reply | undefined {
  const voice = body['voice']
  if (!/^(tts-1|gpt-4o-mini-tts)/.test(call.model) || typeof voice !== 'string') return undefined
  if (OPENAI_VOICES.includes(voice)) return undefined
  const message = `Input should be ${OPENAI_VOICES.map((name) => `'${name}'`).join(', ')}`
  return openaiError(400, { message, param: 'voice', code: 'invalid_value' })
}

function refuseImageFormat(call: Call, body: Body): Reply | undefined {
  if (!call.model.startsWith('gpt-image-') || body['response_format'] === undefined) return undefined
  return unknownField(call, 'response_format')
}

function refuseBudget(call: Call, body: Body): Reply | undefined {
  if (body['max_tokens'] != null && body['max_completion_tokens'] != null) {
    const message = "Setting 'max_tokens' and 'max_completion_tokens' at the same time is not supported."
    return openaiError(400, { message, code: 'invalid_parameter_combination' })
  }
  if (!REASONING_MODELS.test(call.model)) return undefined
  if (body['max_tokens'] != null) return budgetRenamed()
  return body['temperature'] != null && body['temperature'] !== 1 ? temperatureRefused() : undefined
}
