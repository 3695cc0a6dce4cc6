import type { JsonObject } from '../core/json.ts'
import { answer, answerReply } from './answer.ts'
import type { Law } from './auth.ts'
import type { Kept } from './kept.ts'
import { keptReply } from './kept-reply.ts'
import type { Call } from './call.ts'
import { echo } from './echo.ts'
import type { Behaviour } from './order.ts'
import { refusal } from './refusal.ts'
import { cohereError, openaiError, orderedError } from './reply.ts'
import type { Reply } from './reply.ts'
import type { Rule } from './rule.ts'

/** How a reply is put on the wire. */
export type Delivery =
  | { readonly kind: DeliveryKind }
  /** The whole reply, `ms` late. */
  | { readonly kind: 'late'; readonly ms: number }
  /** The headers now, the body `ms` late. */
  | { readonly kind: 'headers_first'; readonly ms: number }
  /** A byte each `ms`. */
  | { readonly kind: 'drip'; readonly ms: number }
  /** The first event, then the second over and over for `ms`, then the rest. */
  | { readonly kind: 'mull'; readonly ms: number }
  /** `bytes` of body, as fast as the client takes them. */
  | { readonly kind: 'pour'; readonly bytes: number }

type DeliveryKind =
  | 'now'
  | 'hang'
  | 'reset'
  | 'stall'
  | 'cut'
  | 'tear'
  | 'half'
  | 'overrun'
  | 'early'
  | 'bomb'

/** What a request gets. */
export interface Plan {
  readonly reply: Reply
  readonly delivery: Delivery
}

/** What plans need besides the call. */
export interface Setting extends Law {
  /** What `GET /models` lists. */
  readonly models: readonly string[]
  readonly kept: Kept
}

const NOW = { kind: 'now' } as const

/** Decides the answer to a call; `earlier` counts the requests that the same order has had before. */
export function plan(call: Call, behaviour: Behaviour, setting: Setting, earlier: number): Plan {
  const fault = faultReply(call, behaviour)
  if (fault !== undefined) return { reply: fault, delivery: NOW }
  if (behaviour.kind === 'recover' && earlier < behaviour.times) {
    return { reply: errorFor(call, 500, {}), delivery: NOW }
  }
  return { reply: servedReply(call, behaviour, setting), delivery: delivery(behaviour) }
}

/** The reply of an order that does not look at what was asked. */
function faultReply(call: Call, behaviour: Behaviour): Reply | undefined {
  switch (behaviour.kind) {
    case 'status':
      return statusReply(call, behaviour)
    case 'garbage':
      return text('application/json', '<html>not json')
    case 'empty':
      return text('application/json', '')
    case 'html':
      return text('text/html; charset=utf-8', LOGIN_PAGE)
    case 'shape':
      return text('application/json', '{"ok":true}')
    case 'err200':
      return { ...errorFor(call, 500, {}), status: 200 }
    case 'quota':
      return quota(call)
    case 'echo':
      return echo(call, 401)
    case 'redirect':
      return { status: 307, headers: { location: `/ok${call.path}` }, chunks: [''] }
    default:
      return undefined
  }
}

/** An ordered error, in the words of whoever was asked. */
function errorFor(call: Call, status: number, headers: Readonly<Record<string, string>>): Reply {
  return call.native === undefined
    ? orderedError(call.route.dialect, status, headers)
    : call.native.native.error(status, `upstream says ${status}`, headers)
}

/** The honest reply, and what an order makes of it. */
function servedReply(call: Call, behaviour: Behaviour, setting: Setting): Reply {
  switch (behaviour.kind) {
    case 'wrongmodel':
      return honestReply({ ...call, model: 'another-model' }, setting)
    case 'echo200': {
      const reply = honestReply(call, setting)
      const { 'content-type': type = '' } = reply.headers
      return { ...reply, headers: { ...reply.headers, ...echo(call, 200).headers, 'content-type': type } }
    }
    case 'rule':
      return ruled(call, behaviour.rule, setting)
    case 'nodone':
      return restreamed(honestReply(call, setting), (events) => events.slice(0, -1))
    case 'errevent':
      return restreamed(honestReply(call, setting), ([first = '']) => [first, errorBehind(first, call)])
    default:
      return honestReply(call, setting)
  }
}

/** An error as the next event, in the form of the one before it. */
function errorBehind(event: string | Buffer, call: Call): string | Buffer {
  const own = call.native?.native.errorAfter?.(event, 'upstream says 500')
  if (own !== undefined) return own
  return `${isNamed(event) ? 'event: error\n' : ''}data: ${String(errorFor(call, 500, {}).chunks[0])}\n\n`
}

/** Who gives one event a name gives all of them one. */
function isNamed(event: string | Uint8Array): boolean {
  return typeof event === 'string' && event.startsWith('event:')
}

/** A stream with other events; an answer that is no stream as it is. */
function restreamed(reply: Reply, change: (chunks: Reply['chunks']) => Reply['chunks']): Reply {
  return reply.chunks.length > 1 ? { ...reply, chunks: change(reply.chunks) } : reply
}

function delivery(behaviour: Behaviour): Delivery {
  switch (behaviour.kind) {
    case 'slow':
      return { kind: 'late', ms: behaviour.ms }
    case 'ttft':
      return { kind: 'headers_first', ms: behaviour.ms }
    case 'drip':
    case 'mull':
      return { kind: behaviour.kind, ms: behaviour.ms }
    case 'hang':
    case 'reset':
    case 'stall':
    case 'cut':
    case 'tear':
    case 'half':
    case 'overrun':
    case 'early':
      return { kind: behaviour.kind }
    case 'flood':
      return { kind: 'pour', bytes: Number.POSITIVE_INFINITY }
    case 'big':
      return { kind: 'pour', bytes: behaviour.megabytes * 1024 * 1024 }
    case 'gzipbomb':
      return { kind: 'bomb' }
    default:
      return NOW
  }
}

const LOGIN_PAGE =
  '<!doctype html><html><head><title>Sign in</title></head><body>Please sign in.</body></html>'

function honestReply(call: Call, setting: Setting, alter?: (json: JsonObject) => JsonObject): Reply {
  if (call.native !== undefined) return call.native.native.answer(call.native.call)
  const refused = refusal(call, setting)
  if (refused !== undefined) return refused
  const remembered = keptReply(call, setting.kept)
  if (remembered !== undefined && alter === undefined) return remembered
  const given = answer(call, setting.models)
  if (given === undefined) return openaiError(400, { message: `${call.path} expects a WebSocket upgrade` })
  return answerReply(
    alter !== undefined && given.kind === 'json' ? { kind: 'json', json: alter(given.json) } : given,
  )
}

/** A rule's habit on top of an honest answer; what is wrong with the call itself still comes first. */
function ruled(call: Call, rule: Rule, given: Setting): Reply {
  const setting = { ...given, judgesModels: false }
  const refused = refusal(call, setting) ?? rule.refuse?.(call)
  if (refused !== undefined) return refused
  const { alter } = rule
  const reply = honestReply(call, setting, alter && ((json) => alter(json, call)))
  return rule.dress?.(reply) ?? reply
}

function text(type: string, body: string): Reply {
  return { status: 200, headers: { 'content-type': type }, chunks: [body] }
}

function statusReply(call: Call, order: Extract<Behaviour, { kind: 'status' }>): Reply {
  return errorFor(call, order.status, {
    ...(order.retryDateS === undefined ? {} : datesFrom(order.retryDateS)),
    ...(order.retryAfterS === undefined ? {} : { 'retry-after': String(order.retryAfterS) }),
    ...(order.retryAfterMs === undefined ? {} : { 'retry-after-ms': String(order.retryAfterMs) }),
  })
}

/** Its own `date` stands beside it, so that the two are apart by exactly this much. */
function datesFrom(waitS: number): Readonly<Record<string, string>> {
  const date = 'Fri, 31 Dec 2027 23:59:00 GMT'
  return { date, 'retry-after': new Date(Date.parse(date) + waitS * 1000).toUTCString() }
}

/** Out of credit: a 429 that no waiting mends (OpenAI, error codes). */
function quota(call: Call): Reply {
  if (call.native !== undefined) return errorFor(call, 402, {})
  if (call.route.dialect === 'cohere') {
    return cohereError(
      429,
      "You are using a Trial key, which is limited to 1000 API calls / month. You've reached the limit.",
    )
  }
  return openaiError(429, {
    message: 'You exceeded your current quota, please check your plan and billing details.',
    type: 'insufficient_quota',
    code: 'insufficient_quota',
  })
}
