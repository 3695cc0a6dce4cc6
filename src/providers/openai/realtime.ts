import { GatewayError, type FailureKind } from '../../core/failure.ts'
import { isJsonObject, parseJson } from '../../core/json.ts'
import type { Target } from '../adapter.ts'
import type { RealtimeFace } from '../realtime-face.ts'
import { kindOf } from '../classify.ts'
import { errorIn, type ErrorFacts } from '../error-facts.ts'
import { toWebSocket } from '../route.ts'

/** The first events that greet a session. `conversation.created` is xAI's. */
const GREETINGS = new Set(['session.created', 'transcription_session.created', 'conversation.created'])

/**
 * Realtime sessions (https://platform.openai.com/docs/guides/realtime-websocket). No `openai-beta` header:
 * the servers upgrade retired beta clients, then send an error and close with 4000, so the upgrade proves
 * nothing and the first event does.
 */
export function realtimeFace(url: (target: Target) => string): RealtimeFace {
  return {
    dial: (target) => ({ url: toWebSocket(url(target)), headers: {}, protocols: [] }),
    proves: (message) => {
      const event = parseJson(message)
      if (!isJsonObject(event) || typeof event['type'] !== 'string') {
        throw new GatewayError('wrong_shape', 'the first message of the session is no realtime event')
      }
      if (event['type'] === 'error') throw sessionError(event)
      return GREETINGS.has(event['type'])
    },
  }
}

function sessionError(event: Parameters<typeof errorIn>[0]): GatewayError {
  const facts = errorIn(event) ?? { text: 'no reason given', codes: [] }
  const code = facts.codes[0]
  return new GatewayError(
    sessionFailure(facts),
    `the session opened with an error${code === undefined ? '' : ` (${code})`}: ${facts.text}`,
  )
}

/** An event has no status: its words decide, and where they do not blame the request, the server is at fault. */
function sessionFailure(facts: ErrorFacts): FailureKind {
  if (facts.status !== undefined) return kindOf(facts.status, facts)
  const kind = kindOf(400, facts)
  return kind === 'bad_request' && !facts.codes.includes('invalid_request_error') ? 'server_error' : kind
}

/** Transcription sessions name an intent in place of a model. */
export function realtimeQuery(model: string): string {
  return /transcribe|whisper/.test(model) ? 'intent=transcription' : `model=${encodeURIComponent(model)}`
}
