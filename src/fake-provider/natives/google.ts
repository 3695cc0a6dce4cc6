import { isJsonObject, type Json, type JsonObject } from '../../core/json.ts'
import { jsonReply, type Reply } from '../reply.ts'
import { embeddingVector } from '../vector.ts'
import { objection } from './google-rules.ts'
import { BATCH_EMBED, GENERATE, IMAGEN, misfit, type Shape } from './google-shapes.ts'
import type { NativeCall } from './native.ts'

const STATUS_WORDS: Readonly<Record<number, string>> = {
  400: 'INVALID_ARGUMENT',
  401: 'UNAUTHENTICATED',
  403: 'PERMISSION_DENIED',
  404: 'NOT_FOUND',
  405: 'INVALID_ARGUMENT',
  429: 'RESOURCE_EXHAUSTED',
  500: 'INTERNAL',
  503: 'UNAVAILABLE',
  504: 'DEADLINE_EXCEEDED',
}

/** `{error: {code, message, status, details}}` (https://cloud.google.com/apis/design/errors). */
export function googleError(
  status: number,
  message: string,
  headers: Readonly<Record<string, string>> = {},
  details: readonly JsonObject[] = [],
): Reply {
  const word = STATUS_WORDS[status] ?? (status >= 500 ? 'UNKNOWN' : 'FAILED_PRECONDITION')
  const more = details.length > 0 ? { details } : {}
  return jsonReply(status, { error: { code: status, message, status: word, ...more } }, headers)
}

/** A body that must be JSON of a shape, and the query that may stand beside it. */
export function refusedBody(
  call: NativeCall,
  shape: Shape,
  allowed: readonly string[] = [],
): Reply | undefined {
  if (call.method !== 'POST') return googleError(405, `${call.method} is not allowed here`)
  const unknown = [...call.query.keys()].find((name) => !allowed.includes(name))
  if (unknown !== undefined)
    return googleError(
      400,
      `Invalid JSON payload received. Unknown name "${unknown}": Cannot bind query parameter.`,
    )
  const type = call.headers['content-type'] ?? ''
  if (!type.startsWith('application/json') || call.json === undefined)
    return googleError(400, 'Invalid JSON payload received. Expected an object.')
  const wrong = misfit(call.json, shape)
  return wrong === undefined ? undefined : googleError(400, wrong)
}

/** What both of Google's doors answer to a method of a model; undefined where there is no such method. */
export function modelReply(call: NativeCall, model: string, method: string): Reply | undefined {
  switch (method) {
    case 'generateContent':
      return generated(call, model, false)
    case 'streamGenerateContent':
      return generated(call, model, true)
    case 'predict':
      return refusedBody(call, IMAGEN) ?? pictures(call.json ?? {})
    default:
      return undefined
  }
}

const PIXEL =
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=='

function pictures(body: JsonObject): Reply {
  const parameters = body['parameters']
  const count = isJsonObject(parameters) ? parameters['sampleCount'] : undefined
  const prompts = Array.isArray(body['instances']) ? body['instances'].length : 0
  if (prompts === 0) return googleError(400, 'instances must not be empty')
  const predictions = Array.from({ length: typeof count === 'number' ? count : 1 }, () => ({
    mimeType: 'image/png',
    bytesBase64Encoded: PIXEL,
  }))
  return jsonReply(200, { predictions })
}

/** `countTokens`; each of the two doors has a shape of its own for it. */
export function counted(call: NativeCall, shape: Shape): Reply {
  const refused = refusedBody(call, shape)
  if (refused !== undefined) return refused
  const { contents, generateContentRequest: whole } = call.json ?? {}
  if (contents !== undefined && whole !== undefined)
    return googleError(400, 'contents and generateContentRequest are mutually exclusive.')
  const asked = isJsonObject(whole) ? whole : (call.json ?? {})
  if (objectsIn(asked['contents']).length === 0)
    return googleError(400, '* CountTokensRequest.contents: contents is not specified\n')
  return jsonReply(200, { totalTokens: 31, promptTokensDetails: [{ modality: 'TEXT', tokenCount: 31 }] })
}

/** `batchEmbedContents` of AI Studio. */
export function embeddings(call: NativeCall, name: string): Reply {
  const refused = refusedBody(call, BATCH_EMBED)
  if (refused !== undefined) return refused
  const requests = objectsIn(call.json?.['requests'])
  if (requests.length === 0)
    return googleError(400, '* BatchEmbedContentsRequest.requests: requests is not specified\n')
  if (requests.some((one) => one['model'] !== name))
    return googleError(
      400,
      '* BatchEmbedContentsRequest.requests[0].model: model must match the one of the path\n',
    )
  return jsonReply(200, {
    embeddings: requests.map((one) => ({ values: vectorOf(one['outputDimensionality']) })),
    usageMetadata: { promptTokenCount: requests.length },
  })
}

/** The vector of a text. */
export function vectorOf(size: Json | undefined): readonly number[] {
  return embeddingVector(typeof size === 'number' ? size : 3)
}

function objectsIn(value: Json | undefined): readonly JsonObject[] {
  return Array.isArray(value) ? value.filter(isJsonObject) : []
}

function generated(call: NativeCall, model: string, isStream: boolean): Reply {
  const refused = refusedBody(call, GENERATE, isStream ? ['alt'] : [])
  if (refused !== undefined) return refused
  const body = call.json ?? {}
  const words = objection(body, model)
  if (words !== undefined) return googleError(400, words)
  const steps = stepsOf(body)
  const count = numberIn(body['generationConfig'], 'candidateCount')
  const answer = (parts: readonly JsonObject[], isLast: boolean): JsonObject => ({
    candidates: Array.from({ length: count }, (_, index) => ({
      content: { role: 'model', parts },
      ...(isLast && { finishReason: 'STOP' }),
      index,
    })),
    usageMetadata: USAGE,
    modelVersion: model,
    responseId: 'fake-response-1',
  })
  if (!isStream) return jsonReply(200, answer(steps.flat(), true))
  const events = steps.map((parts, at) => answer(parts, at === steps.length - 1))
  if (call.query.get('alt') === 'sse')
    return {
      status: 200,
      headers: { 'content-type': 'text/event-stream' },
      chunks: events.map((event) => `data: ${JSON.stringify(event)}\r\n\r\n`),
    }
  return {
    status: 200,
    headers: { 'content-type': 'application/json' },
    chunks: events.map(
      (event, at) =>
        `${at === 0 ? '[' : ',\r\n'}${JSON.stringify(event)}${at === events.length - 1 ? ']' : ''}`,
    ),
  }
}

const USAGE = {
  promptTokenCount: 5,
  candidatesTokenCount: 1,
  thoughtsTokenCount: 2,
  cachedContentTokenCount: 3,
  totalTokenCount: 8,
  promptTokensDetails: [{ modality: 'TEXT', tokenCount: 5 }],
}

function numberIn(config: Json | undefined, name: string): number {
  const value = isJsonObject(config) ? config[name] : undefined
  return typeof value === 'number' ? value : 1
}

/** The parts of an answer, a list for each event of a stream. */
function stepsOf(body: JsonObject): readonly (readonly JsonObject[])[] {
  const config = isJsonObject(body['generationConfig']) ? body['generationConfig'] : {}
  const modalities: readonly Json[] = Array.isArray(config['responseModalities'])
    ? config['responseModalities']
    : []
  if (modalities.includes('AUDIO'))
    return [[{ inlineData: { mimeType: 'audio/L16;codec=pcm;rate=24000', data: 'AAABAAIAAwA=' } }]]
  if (modalities.includes('IMAGE'))
    return [[{ text: 'pong' }], [{ inlineData: { mimeType: 'image/png', data: PIXEL } }]]
  if (config['responseMimeType'] === 'application/json')
    return [[{ text: '{"answer":' }], [{ text: '"pong"}' }]]
  const name = calledFunction(body)
  if (name !== undefined) {
    return [
      [{ functionCall: { name, args: { city: 'Paris' } }, thoughtSignature: 'c2lnbmF0dXJl' }],
      [{ functionCall: { name, args: { city: 'Oslo' } } }],
    ]
  }
  const thinking = config['thinkingConfig']
  const isShown = isJsonObject(thinking) && thinking['includeThoughts'] === true
  return [...(isShown ? [[{ text: 'Hm.', thought: true }]] : []), [{ text: 'po' }], [{ text: 'ng' }]]
}

/** The function that is called twice at once, until somebody has answered. */
function calledFunction(body: JsonObject): string | undefined {
  const config = isJsonObject(body['toolConfig']) ? body['toolConfig']['functionCallingConfig'] : undefined
  if (isJsonObject(config) && config['mode'] === 'NONE') return undefined
  const last = objectsIn(body['contents']).at(-1)
  if (objectsIn(last?.['parts']).some((part) => part['functionResponse'] !== undefined)) return undefined
  const declared = objectsIn(body['tools']).flatMap((tool) => objectsIn(tool['functionDeclarations']))
  const name = declared[0]?.['name']
  return typeof name === 'string' ? name : undefined
}
