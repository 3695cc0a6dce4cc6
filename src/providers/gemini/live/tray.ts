import type { Json, JsonObject } from '../../../core/json.ts'
import type { SessionGround, Translated } from '../../realtime-face.ts'

/** Why a client's event is refused. */
export interface Flaw {
  readonly message: string
  /** The member that it is about, as a path in the event; null where it is none. */
  readonly param: string | null
  /** OpenAI's name of it; default `invalid_value`. */
  readonly code?: string
}

/** Where what is to be said is laid out, until it is taken. */
export interface Tray {
  readonly isBeta: boolean
  /** An id of this session's: `item_…`. */
  id(kind: string): string
  /** For the client, in today's words; one of the beta hears its own. */
  say(event: JsonObject & { readonly type: string }): void
  /** For the client: what it said is not done. */
  refuse(flaw: Flaw, cause?: Json): void
  /** For the client: something went wrong behind us. */
  fail(code: string, message: string): void
  /** For the upstream. */
  send(frame: JsonObject): void
  /** For who counts tokens. */
  spent(usage: JsonObject): void
  /** All that was laid out since the last time. */
  take(): Translated
}

/** Events that were renamed when the beta ended; undefined: it has none (https://developers.openai.com/api/docs/guides/realtime, on the migration from it). */
const BETA_NAMES: ReadonlyMap<string, string | undefined> = new Map([
  ['response.output_audio.delta', 'response.audio.delta'],
  ['response.output_audio.done', 'response.audio.done'],
  ['response.output_audio_transcript.delta', 'response.audio_transcript.delta'],
  ['response.output_audio_transcript.done', 'response.audio_transcript.done'],
  ['response.output_text.delta', 'response.text.delta'],
  ['response.output_text.done', 'response.text.done'],
  ['conversation.item.added', 'conversation.item.created'],
  ['conversation.item.done', undefined],
])

/** Makes an empty tray. */
export function createTray({ sessionId, isBeta }: Pick<SessionGround, 'sessionId' | 'isBeta'>): Tray {
  let toUpstream: string[] = []
  let toClient: string[] = []
  let spent: JsonObject[] = []
  let given = 0
  const id = (kind: string): string => `${kind}_${sessionId}${(given += 1).toString(36).padStart(4, '0')}`
  const say = (event: JsonObject & { readonly type: string }): void => {
    const type = isBeta && BETA_NAMES.has(event.type) ? BETA_NAMES.get(event.type) : event.type
    if (type !== undefined) toClient.push(JSON.stringify({ ...event, type, event_id: id('event') }))
  }
  return {
    isBeta,
    id,
    say,
    refuse: ({ message, param, code = 'invalid_value' }, cause) =>
      say({
        type: 'error',
        error: {
          type: 'invalid_request_error',
          code,
          message,
          param,
          event_id: typeof cause === 'string' ? cause.slice(0, MAX_CAUSE_CHARS) : null,
        },
      }),
    fail: (code, message) =>
      say({ type: 'error', error: { type: 'server_error', code, message, param: null, event_id: null } }),
    send: (frame) => void toUpstream.push(JSON.stringify(frame)),
    spent: (usage) => void spent.push(usage),
    take: () => {
      const taken = { toUpstream, toClient, ...(spent.length > 0 && { spent }) }
      toUpstream = []
      toClient = []
      if (spent.length > 0) spent = []
      return taken
    },
  }
}

/** OpenAI's limit for an `event_id` of a client. */
const MAX_CAUSE_CHARS = 512
