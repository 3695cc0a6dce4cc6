import { GatewayError } from '../core/failure.ts'
import { memberValue, scanObject } from '../core/json-spans.ts'
import type { JsonSpans } from '../core/json-spans.ts'
import { CONNECTION_FIELDS, GATEWAY_FIELDS } from './fields.ts'

/** What routing reads of a client's chat body; everything else is passed on unread. */
export interface ChatRead {
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
}

const ROUTE = '/chat/completions'
const ARRAY_START = 0x5b

/**
 * Reads the few top-level fields that routing needs.
 * @throws GatewayError bad_request (400, the client's doing) for bad JSON, no model, no messages
 */
export function readChat(body: Buffer, urlModel: string | undefined): ChatRead {
  const spans = scanObject(body)
  const connectionFields: string[] = []
  const gatewayFields: string[] = []
  let messagesStart = -1
  for (const { key, valueStart } of spans.members) {
    if (key === 'messages') messagesStart = valueStart
    else if (CONNECTION_FIELDS.has(key)) connectionFields.push(key)
    else if (GATEWAY_FIELDS.has(key)) gatewayFields.push(key)
  }
  const model = urlModel ?? memberValue(body, spans, 'model')
  if (typeof model !== 'string' || model === '') throw unknownModel(model ?? null)
  if (messagesStart === -1) throw refuse(`${ROUTE}: Missing required parameter: 'messages'.`, 'messages')
  if (body[messagesStart] !== ARRAY_START) throw refuse(`${ROUTE}: 'messages' must be an array.`, 'messages')
  return {
    spans,
    model,
    stream: memberValue(body, spans, 'stream') === true,
    connectionFields,
    gatewayFields,
    ...(gatewayFields.length > 0 && clientTimeouts(body, spans)),
  }
}

/** The refusal of a name that nothing answers to, in LiteLLM's words; `null` where none was given. */
export function unknownModel(model: unknown): GatewayError {
  const name = typeof model === 'string' && model !== '' ? model.slice(0, 256) : 'None'
  return refuse(
    `${ROUTE}: Invalid model name passed in model=${name}. Call \`/v1/models\` to view available models for your key.`,
    'model',
  )
}

/** A 400 of the client's making. */
export function refuse(message: string, param: string): GatewayError {
  return new GatewayError('bad_request', message, { status: 400, source: 'client', param })
}

/** LiteLLM counts in seconds. Anything but a positive number is no deadline. */
function clientTimeouts(body: Buffer, spans: JsonSpans): Pick<ChatRead, 'timeoutMs' | 'streamTimeoutMs'> {
  const timeoutMs = milliseconds(
    memberValue(body, spans, 'timeout') ?? memberValue(body, spans, 'request_timeout'),
  )
  const streamTimeoutMs = milliseconds(memberValue(body, spans, 'stream_timeout'))
  return {
    ...(timeoutMs !== undefined && { timeoutMs }),
    ...(streamTimeoutMs !== undefined && { streamTimeoutMs }),
  }
}

function milliseconds(seconds: unknown): number | undefined {
  return typeof seconds === 'number' && seconds > 0 ? seconds * 1000 : undefined
}
