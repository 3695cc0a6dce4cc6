import { GatewayError } from '../../core/failure.ts'
import { isJsonObject } from '../../core/json.ts'
import type { Json, JsonObject } from '../../core/json.ts'
import { memberValue, requireUtf8, scanObject } from '../../core/json-spans.ts'
import type { JsonSpans } from '../../core/json-spans.ts'
import { areFallbackLists, readFallbackLists, readFallbacks } from '../../core/fallback.ts'
import { timeMs, wholeRetries } from './asked-number.ts'
import type { AskedFallbacks } from '../journey/fallbacks.ts'
import { readFieldRules } from './field-rules.ts'
import type { FieldRules } from './field-rules.ts'
import { CONNECTION_FIELDS, GATEWAY_FIELDS } from './fields.ts'
import { canMock } from '../answer/mock-answer.ts'
import { readMock, readMockTest } from './mock-test.ts'
import type { MockTest } from './mock-test.ts'
import type { Operation } from './operation.ts'
import { readHeaderWishes } from './request-headers.ts'
import type { RequestHeaders } from './request-headers.ts'

/** What routing reads of a client's body; everything else is passed on unread. */
export interface RequestRead extends AskedFallbacks {
  readonly spans: JsonSpans
  /** The name asked for: of the URL, else of the body. */
  readonly model: string
  readonly stream: boolean
  /** Connection fields that the client sets, in order. */
  readonly connectionFields: readonly string[]
  /** Fields for the gateway that must not go upstream. */
  readonly gatewayFields: readonly string[]
  /** The client's own deadlines, milliseconds. */
  readonly timeoutMs?: number
  readonly streamTimeoutMs?: number
  /** The client's own number of retries. */
  readonly numRetries?: number
  /** Members that are written over the body's own: OpenAI's SDKs do this to `extra_body` themselves. */
  readonly extraBody?: JsonObject
  readonly fieldRules?: FieldRules
  readonly mockTest?: MockTest
  /** The answer that the client wants without anybody being asked. */
  readonly mockResponse?: Json
  /** How long that is to take, milliseconds. */
  readonly mockDelayMs?: number
}

const ARRAY_START = 0x5b

/**
 * Reads the few top-level fields that routing needs.
 * @throws GatewayError bad_request (400, the client's doing) for bad JSON, no model, a required member missing
 */
export function readRequest(
  operation: Operation,
  body: Buffer,
  urlModel: string | undefined,
  headers: RequestHeaders = {},
  defaultModel?: string,
): RequestRead {
  requireUtf8(body)
  const spans = scanObject(body)
  const connectionFields: string[] = []
  const gatewayFields: string[] = []
  for (const { key } of spans.members) {
    if (CONNECTION_FIELDS.has(key)) connectionFields.push(key)
    else if (GATEWAY_FIELDS.has(key)) gatewayFields.push(key)
  }
  const model = urlModel ?? memberValue(body, spans, 'model') ?? defaultModel
  if (typeof model !== 'string' || model === '') throw unknownModel(operation, model ?? null)
  checkRequired(operation, body, spans)
  return {
    spans,
    model,
    stream:
      operation.streams === 'always' || (operation.streams && memberValue(body, spans, 'stream') === true),
    connectionFields,
    gatewayFields,
    ...(gatewayFields.length > 0 && gatewayWishes(operation, body, spans, gatewayFields)),
    ...readHeaderWishes(headers),
  }
}

function checkRequired({ route, required }: Operation, body: Buffer, spans: JsonSpans): void {
  for (const { name, isArray, or } of required) {
    const member = spans.members.findLast(({ key }) => key === name || key === or)
    if (member === undefined) throw refuse(`${route}: Missing required parameter: '${name}'.`, name)
    if (isArray === true && body[member.valueStart] !== ARRAY_START)
      throw refuse(`${route}: '${name}' must be an array.`, name)
  }
}

/** The refusal of a name that nothing answers to, in LiteLLM's words; `null` where none was given. */
export function unknownModel({ route }: Pick<Operation, 'route'>, model: unknown): GatewayError {
  const name = typeof model === 'string' && model !== '' ? model.slice(0, 256) : 'None'
  return refuse(
    `${route}: Invalid model name passed in model=${name}. Call \`/v1/models\` to view available models for your key.`,
    'model',
  )
}

/** A 400 of the client's making. */
export function refuse(message: string, param: string): GatewayError {
  return new GatewayError('bad_request', message, { status: 400, source: 'client', param })
}

/** What a client says to the gateway, of which most say nothing. */
function gatewayWishes(
  operation: Operation,
  body: Buffer,
  spans: JsonSpans,
  fields: readonly string[],
): Partial<Omit<RequestRead, 'spans' | 'model'>> {
  const extraBody = fields.includes('extra_body') ? memberValue(body, spans, 'extra_body') : undefined
  const fieldRules = readFieldRules(body, spans, fields)
  const mockTest = readMockTest(body, spans, fields)
  return {
    ...clientTimeouts(body, spans),
    ...clientRetries(body, spans),
    ...(isJsonObject(extraBody) && { extraBody }),
    ...(fieldRules !== undefined && { fieldRules }),
    ...(mockTest !== undefined && { mockTest }),
    ...(canMock(operation) && readMock(body, spans, fields)),
  }
}

function clientTimeouts(body: Buffer, spans: JsonSpans): Pick<RequestRead, 'timeoutMs' | 'streamTimeoutMs'> {
  const timeoutMs = timeMs(memberValue(body, spans, 'timeout') ?? memberValue(body, spans, 'request_timeout'))
  const streamTimeoutMs = timeMs(memberValue(body, spans, 'stream_timeout'))
  return {
    ...(timeoutMs !== undefined && { timeoutMs }),
    ...(streamTimeoutMs !== undefined && { streamTimeoutMs }),
  }
}

/** What a client says of retries and fallbacks; values of other types count as not said. */
function clientRetries(body: Buffer, spans: JsonSpans): AskedFallbacks & Pick<RequestRead, 'numRetries'> {
  const numRetries = wholeRetries(memberValue(body, spans, 'num_retries'))
  const fallbacks = memberValue(body, spans, 'fallbacks')
  const contextWindow = memberValue(body, spans, 'context_window_fallbacks')
  const contentPolicy = memberValue(body, spans, 'content_policy_fallbacks')
  return {
    ...(numRetries !== undefined && { numRetries }),
    ...(Array.isArray(fallbacks) &&
      (areFallbackLists(fallbacks)
        ? { fallbackLists: readFallbackLists(fallbacks) }
        : { fallbacks: readFallbacks(fallbacks) })),
    ...(Array.isArray(contextWindow) && { contextWindowFallbacks: readFallbackLists(contextWindow) }),
    ...(Array.isArray(contentPolicy) && { contentPolicyFallbacks: readFallbackLists(contentPolicy) }),
    ...(memberValue(body, spans, 'disable_fallbacks') === true && { disableFallbacks: true }),
  }
}
