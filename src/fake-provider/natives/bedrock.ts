import { isJsonObject, type Json, type JsonObject } from '../../core/json.ts'
import { jsonReply, type Reply } from '../reply.ts'
import { secretOfKey, signatureFlaw } from './aws-signature.ts'
import { conversation } from './bedrock-chat.ts'
import { claudeComplaint, claudeReply } from './bedrock-claude.ts'
import { CONVERSE, COUNT_TOKENS, INVOKED, MODEL_FIELDS, RERANK } from './bedrock-shapes.ts'
import { exceptionFrame } from './event-frames.ts'
import type { Native, NativeCall } from './native.ts'
import { flawIn, type Shape } from './shape.ts'

/** Amazon Bedrock: its runtime and, for reranking, that of its agents, as one host. */
export const bedrock: Native = {
  id: 'bedrock',
  paths: /^\/model\/[^/]+\/(converse|converse-stream|invoke|invoke-with-response-stream|count-tokens)$/,
  answer,
  error,
  errorAfter: (_event, message) => exceptionFrame('internalServerException', message),
}

const EXCEPTIONS: Readonly<Record<number, string>> = {
  400: 'ValidationException',
  401: 'UnrecognizedClientException',
  403: 'AccessDeniedException',
  404: 'ResourceNotFoundException',
  408: 'ModelTimeoutException',
  424: 'ModelErrorException',
  429: 'ThrottlingException',
  500: 'InternalServerException',
  503: 'ServiceUnavailableException',
}

function error(status: number, message: string, headers: Readonly<Record<string, string>>): Reply {
  return refuse(status, EXCEPTIONS[status] ?? 'InternalServerException', message, headers)
}

function refuse(status: number, code: string, message: string, headers = {}): Reply {
  return jsonReply(
    status,
    { message },
    { 'x-amzn-requestid': REQUEST_ID, 'x-amzn-errortype': code, ...headers },
  )
}

function invalid(message: string): Reply {
  return refuse(400, 'ValidationException', message)
}

const REQUEST_ID = '01234567-89ab-4cde-8f01-23456789abcd'
const MODEL_PATH =
  /^\/model\/([^/]+)\/(converse|converse-stream|invoke|invoke-with-response-stream|count-tokens)$/
/** An id, an inference profile, or an ARN. */
const MODEL_ID =
  /^((us|eu|apac|jp|au|ca|sa|us-gov|global)\.)?[a-z0-9-]+\.[\w.-]+(:[\w-]+)*$|^arn:aws[\w-]*:bedrock:[a-z0-9-]+:\d*:[\w.:/-]+$/

/** A profile of one's own, which says nothing of its model; here all of them stand before this one. */
const PROFILE = /:application-inference-profile\//
const PROFILED = 'anthropic.claude-sonnet-4-5-20250929-v1:0'

function answer(call: NativeCall): Reply {
  const { method, path, json } = call
  const [, encoded = '', action] = MODEL_PATH.exec(path) ?? []
  // What is signed is judged by its signature first: whatever was changed shows there.
  const flaw = credentialFlaw(call, path === '/rerank')
  if (flaw !== undefined) return refuse(403, flaw.code, flaw.message)
  if (method !== 'POST' || (action === undefined && path !== '/rerank'))
    return refuse(404, 'UnknownOperationException', '')
  if (call.headers['content-type'] !== 'application/json')
    return invalid('Content-Type must be application/json')
  if (json === undefined) return refuse(400, 'SerializationException', 'the body is no JSON object')
  if (call.query.size > 0) return invalid(`unknown query: ${call.query.toString()}`)
  if (action === undefined) return reranked(json)
  const id = encoded.includes(':') ? '' : decodeURIComponent(encoded)
  if (!MODEL_ID.test(id)) return invalid('The provided model identifier is invalid.')
  if (action === 'count-tokens') return counted(id, json)
  const name = id.slice(id.lastIndexOf('/') + 1).replace(/^(us|eu|apac|jp|au|ca|sa|us-gov|global)\./, '')
  const isStream = action.endsWith('-stream')
  if (!action.startsWith('invoke')) return conversed(name, json, isStream)
  return invoked(PROFILE.test(id) ? PROFILED : name, json, isStream)
}

/** A bearer key, which agents do not take, or a signature over all of it. */
function credentialFlaw(
  { keys, ...call }: NativeCall,
  isAgents: boolean,
): { readonly code: string; readonly message: string } | undefined {
  const [, token] = /^Bearer ([\w.=+/-]{8,})$/.exec(call.headers.authorization ?? '') ?? []
  if (token !== undefined && !isAgents) {
    return keys === undefined || keys.has(token)
      ? undefined
      : {
          code: 'AccessDeniedException',
          message: 'Authentication failed: Please make sure your API Key is valid.',
        }
  }
  return signatureFlaw(call, 'bedrock', (id) => {
    if (keys === undefined) return secretOfKey(id)
    const pair = [...keys].find((key) => key.startsWith(`${id}:`))
    return pair?.slice(id.length + 1)
  })
}

/** For claudes alone, by no profile's name. */
function counted(id: string, json: JsonObject): Reply {
  const flaw = flawIn(json, COUNT_TOKENS)
  if (flaw !== undefined) return invalid(flaw)
  if (!id.startsWith('anthropic.')) return invalid("The provided model doesn't support counting tokens.")
  const odd = invokedComplaint(id, json)
  if (odd !== undefined) return invalid(`The model returned the following errors: ${odd}`)
  return jsonReply(200, { inputTokens: 37 }, { 'x-amzn-requestid': REQUEST_ID })
}

/** A body of InvokeModel is judged as there. */
function invokedComplaint(id: string, { input }: JsonObject): string | undefined {
  const asked = isJsonObject(input) ? input['invokeModel'] : undefined
  if (!isJsonObject(asked)) return undefined
  const { body } = asked
  const json: Json = JSON.parse(Buffer.from(typeof body === 'string' ? body : '', 'base64').toString())
  return isJsonObject(json) ? claudeComplaint(id, json) : 'the body is no JSON object'
}

function conversed(name: string, json: JsonObject, isStream: boolean): Reply {
  const flaw = flawIn(json, CONVERSE) ?? talkFlaw(json)
  if (flaw !== undefined) return invalid(flaw)
  const fields = json['additionalModelRequestFields']
  const odd = fields === undefined ? undefined : flawIn(fields, shapeFor(MODEL_FIELDS, name))
  if (odd !== undefined)
    return invalid(`Malformed input request: ${odd}, please reformat your input and try again.`)
  return conversation(json, isStream, { 'x-amzn-requestid': REQUEST_ID })
}

/** What cannot be said of one member alone (the user guide, "Using the Converse API"). */
function talkFlaw({ messages, toolConfig }: JsonObject): string | undefined {
  const listed: readonly Json[] = Array.isArray(messages) ? messages : []
  const roles = listed.map((message) => (isJsonObject(message) ? message['role'] : ''))
  if (roles[0] !== 'user')
    return 'A conversation must start with a user message. Try again with a conversation that starts with a user message.'
  if (roles.some((role, at) => at > 0 && role === roles[at - 1]))
    return 'A conversation must alternate between user and assistant roles.'
  const blocks = listed.map((message) => blocksOf(message))
  const hasTools = blocks
    .flat()
    .some((block) => block['toolUse'] !== undefined || block['toolResult'] !== undefined)
  if (hasTools && toolConfig === undefined)
    return 'The toolConfig field must be defined when using toolUse and toolResult content blocks.'
  for (const [at, before] of blocks.entries()) {
    const asked = idsIn(before, 'toolUse')
    const told = new Set(idsIn(blocks[at + 1] ?? [], 'toolResult'))
    const silent = asked.find((id) => !told.has(id))
    if (silent !== undefined && at + 1 < blocks.length)
      return `Expected toolResult blocks at messages.${at + 1}.content for the following Ids: ${silent}`
  }
  return undefined
}

function blocksOf(message: Json): readonly JsonObject[] {
  const content = isJsonObject(message) ? message['content'] : undefined
  return Array.isArray(content) ? content.filter(isJsonObject) : []
}

function idsIn(blocks: readonly JsonObject[], kind: 'toolUse' | 'toolResult'): readonly string[] {
  return blocks.flatMap((block) => {
    const part = block[kind]
    return isJsonObject(part) && typeof part['toolUseId'] === 'string' ? [part['toolUseId']] : []
  })
}

function shapeFor(rows: readonly (readonly [RegExp, Shape])[], name: string): Shape {
  return rows.find(([pattern]) => pattern.test(name))?.[1] ?? { members: {} }
}

/** One black pixel. */
const PNG_BASE64 =
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAAAAAA6fptVAAAACklEQVR42mNgAAAAAgABSK+kcQAAAABJRU5ErkJggg=='

function invoked(name: string, json: JsonObject, isStream: boolean): Reply {
  if (name.startsWith('anthropic.')) {
    const flaw = claudeComplaint(name, json)
    if (flaw !== undefined) return invalid(`The model returned the following errors: ${flaw}`)
    return claudeReply(name, json, isStream, { 'x-amzn-requestid': REQUEST_ID })
  }
  if (isStream) return invalid('The model is unsupported for streaming.')
  const row = INVOKED.find(([pattern]) => pattern.test(name))
  if (row === undefined) return invalid('The provided model identifier is invalid.')
  const flaw = flawIn(json, row[1])
  if (flaw !== undefined)
    return invalid(`Malformed input request: ${flaw}, please reformat your input and try again.`)
  const headers = { 'x-amzn-requestid': REQUEST_ID, 'x-amzn-bedrock-input-token-count': '3' }
  return jsonReply(200, INVOKED_ANSWERS.find(([pattern]) => pattern.test(name))?.[1](json) ?? {}, headers)
}

const INVOKED_ANSWERS: readonly (readonly [RegExp, (json: JsonObject) => JsonObject])[] = [
  [/^amazon\.titan-embed/, () => ({ embedding: [0.1, 0.2, 0.3], inputTextTokenCount: 3 })],
  [
    /^cohere\.embed/,
    ({ texts }) => ({
      id: 'e1',
      response_type: 'embeddings_floats',
      texts,
      embeddings: Array.isArray(texts) ? texts.map(() => [0.1, 0.2, 0.3]) : [],
    }),
  ],
  [/^stability\./, () => ({ seeds: [1], finish_reasons: [null], images: [PNG_BASE64] })],
  [
    /^amazon\./,
    ({ imageGenerationConfig: config }) => {
      const count = isJsonObject(config) ? config['numberOfImages'] : 1
      return { images: Array.from({ length: typeof count === 'number' ? count : 1 }, () => PNG_BASE64) }
    },
  ],
]

function reranked(json: JsonObject): Reply {
  const flaw = flawIn(json, RERANK)
  if (flaw !== undefined) return invalid(flaw)
  const [arn, wanted] = rerankingOf(json)
  if (!/^arn:aws[\w-]*:bedrock:[a-z0-9-]+::foundation-model\/(cohere|amazon)\.rerank-[\w.:-]+$/.test(arn))
    return invalid(`The provided model ARN is invalid: ${arn}`)
  const count = Array.isArray(json['sources']) ? json['sources'].length : 0
  const results = Array.from({ length: Math.min(count, wanted) }, (_, index) => ({
    index,
    relevanceScore: 0.9 / (index + 1),
  }))
  return jsonReply(200, { results }, { 'x-amzn-requestid': REQUEST_ID })
}

function rerankingOf({ rerankingConfiguration: whole }: JsonObject): readonly [string, number] {
  const inner = isJsonObject(whole) ? whole['bedrockRerankingConfiguration'] : undefined
  const { modelConfiguration: model, numberOfResults: wanted = 1 } = isJsonObject(inner) ? inner : {}
  const arn = isJsonObject(model) ? model['modelArn'] : undefined
  return [typeof arn === 'string' ? arn : '', typeof wanted === 'number' ? wanted : 1]
}
