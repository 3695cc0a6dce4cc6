import type { JsonObject } from '../core/json.ts'
import { isJsonObject } from '../core/json.ts'
import { header } from './call.ts'
import type { Call } from './call.ts'
import { echoMessage } from './echo.ts'
import type { Behaviour } from './order.ts'
import type { NativeAsked } from './natives/native.ts'
import { plan } from './plan.ts'
import type { Plan, Setting } from './plan.ts'
import type { Step } from './realtime-step.ts'
import { refusal } from './refusal.ts'
import { azureNotFound, openaiError } from './reply.ts'
import type { Reply } from './reply.ts'

/** A session's opening: refused over HTTP, or upgraded and played step by step. */
export type Opening =
  | { readonly kind: 'http'; readonly plan: Plan }
  | { readonly kind: 'upgrade'; readonly steps: readonly Step[] }

/** Decides how a WebSocket upgrade is met. */
export function opening(call: Call, behaviour: Behaviour, setting: Setting, earlier: number): Opening {
  if (ANSWERED_OVER_HTTP.has(behaviour.kind))
    return { kind: 'http', plan: plan(call, behaviour, setting, earlier) }
  if (behaviour.kind === 'recover' && earlier < behaviour.times) {
    return { kind: 'http', plan: plan(call, behaviour, setting, earlier) }
  }
  if (call.native !== undefined) return nativeOpening(call.native)
  const refused = refusal(call, setting) ?? refuseSession(call)
  if (refused !== undefined) return { kind: 'http', plan: { reply: refused, delivery: { kind: 'now' } } }
  if (
    setting.strict &&
    call.route.dialect === 'openai' &&
    header(call, 'openai-beta').includes('realtime=v1')
  ) {
    return { kind: 'upgrade', steps: betaRefused() }
  }
  return { kind: 'upgrade', steps: steps(call, behaviour) }
}

const ANSWERED_OVER_HTTP: ReadonlySet<Behaviour['kind']> = new Set<Behaviour['kind']>([
  'status',
  'quota',
  'echo',
  'redirect',
  'html',
  'hang',
  'reset',
])

function nativeOpening({ native, call }: NativeAsked): Opening {
  const met = native.session?.(call) ?? native.error(404, `${call.path} takes no WebSocket upgrade`, {})
  return 'status' in met
    ? { kind: 'http', plan: { reply: met, delivery: { kind: 'now' } } }
    : { kind: 'upgrade', steps: met }
}

function refuseSession(call: Call): Reply | undefined {
  if (call.route.operation !== 'realtime')
    return openaiError(400, { message: `${call.path} takes no WebSocket upgrade` })
  if (call.route.dialect === 'azure') return call.query.get('deployment') ? undefined : azureNotFound()
  if (call.query.get('model') || call.query.get('intent') === 'transcription') return undefined
  return openaiError(400, {
    message: 'You must provide a model parameter.',
    param: 'model',
    code: 'missing_model',
  })
}

function steps(call: Call, behaviour: Behaviour): readonly Step[] {
  const session: readonly Step[] = [send(created(call.model)), { kind: 'listen' }]
  const only = (data: string | Buffer): readonly Step[] => [{ kind: 'send', data }, { kind: 'listen' }]
  switch (behaviour.kind) {
    case 'wserror':
      return [
        send(errorEvent('server_error', 'internal_error', 'The session could not be started.')),
        FAREWELL,
      ]
    case 'err200':
      return only(JSON.stringify(errorEvent('server_error', 'internal_error', 'upstream says 500')))
    case 'echo200':
      return only(JSON.stringify(errorEvent('server_error', 'internal_error', echoMessage(call))))
    case 'wssilent':
    case 'stall':
      return []
    case 'wsclose1011':
      return [{ kind: 'close', code: 1011, reason: 'internal error' }]
    case 'wsbinary':
      return only(Buffer.from([0, 159, 146, 150, 255, 0, 1, 2]))
    case 'wsping':
      return [
        { kind: 'ping' },
        { kind: 'wait', ms: 100 },
        { kind: 'ping' },
        { kind: 'wait', ms: 100 },
        { kind: 'ping' },
      ]
    case 'garbage':
      return only('<html>not json')
    case 'empty':
      return only('')
    case 'shape':
      return only('{"ok":true}')
    case 'cut':
      return [{ kind: 'break' }]
    case 'slow':
    case 'ttft':
      return [{ kind: 'wait', ms: behaviour.ms }, ...session]
    case 'wrongmodel':
      return [send(created('another-model')), { kind: 'listen' }]
    case 'rule':
      return [...(behaviour.rule.before ?? []), ...session]
    default:
      return session
  }
}

const FAREWELL: Step = { kind: 'close', code: 4000, reason: 'server_error' }

function send(event: JsonObject): Step {
  return { kind: 'send', data: JSON.stringify(event) }
}

function created(model: string): JsonObject {
  const session = {
    type: 'realtime',
    id: 's1',
    object: 'realtime.session',
    model,
    output_modalities: ['audio'],
  }
  return { type: 'session.created', event_id: 'e1', session }
}

function errorEvent(type: string, code: string, message: string): JsonObject {
  return { type: 'error', event_id: 'e1', error: { type, code, message, param: null } }
}

/** Clients of the retired beta shape are upgraded, told, and closed (OpenAI, realtime GA migration guide). */
function betaRefused(): readonly Step[] {
  const code = 'beta_api_shape_disabled'
  const message = 'The beta shape of the Realtime API is no longer available. Remove the OpenAI-Beta header.'
  const reason = `invalid_request_error.${code}`
  return [send(errorEvent('invalid_request_error', code, message)), { kind: 'close', code: 4000, reason }]
}

/** What an open session says to one message of the client. */
export function replies(message: string): readonly string[] {
  const event = parsed(message)
  switch (event?.['type']) {
    case 'session.update':
      return texts([{ type: 'session.updated', event_id: 'e2', session: event['session'] }])
    case 'conversation.item.create':
      return texts([{ type: 'conversation.item.added', event_id: 'e3', item: event['item'] }])
    case 'response.create':
      return texts([
        { type: 'response.created', event_id: 'e4', response: { id: 'resp_1', status: 'in_progress' } },
        { type: 'response.output_text.delta', event_id: 'e5', response_id: 'resp_1', delta: 'pong' },
        { type: 'response.done', event_id: 'e6', response: { id: 'resp_1', status: 'completed' } },
      ])
    default:
      return texts([
        errorEvent('invalid_request_error', 'invalid_value', 'Unknown or malformed client event.'),
      ])
  }
}

function texts(events: readonly JsonObject[]): readonly string[] {
  return events.map((event) => JSON.stringify(event))
}

function parsed(message: string): JsonObject | undefined {
  try {
    const value: unknown = JSON.parse(message)
    return isJsonObject(value) ? value : undefined
  } catch {
    return undefined // Not JSON: answered as any malformed event is.
  }
}
