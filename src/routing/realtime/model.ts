import { isJsonObject } from '../../core/json.ts'
import type { Json, JsonObject } from '../../core/json.ts'
import type { RealtimeKeyRoute } from '../../providers/adapter.ts'

/** Where a session's description names its model; the first place is where one is added. */
const PLACES: Readonly<Record<RealtimeKeyRoute, readonly (readonly string[])[]>> = {
  client_secrets: [
    ['session', 'model'],
    ['session', 'audio', 'input', 'transcription', 'model'],
  ],
  sessions: [['model']],
  transcription_sessions: [['input_audio_transcription', 'model'], ['model']],
}

/** The model that a request for a session key names; undefined where it names none. */
export function sessionModel(route: RealtimeKeyRoute, body: JsonObject): string | undefined {
  for (const place of [...PLACES[route], ['model']]) {
    const value = valueAt(body, place)
    if (typeof value === 'string' && value !== '') return value
  }
  return undefined
}

/** The same description with the provider's name of the model in the place where one stood, or belongs. */
export function withSessionModel(route: RealtimeKeyRoute, body: JsonObject, model: string): JsonObject {
  const places = PLACES[route]
  const named = places.find((place) => typeof valueAt(body, place) === 'string') ?? missingPlace(route, body)
  // At the top of `client_secrets` it is our own word.
  const { model: _, ...rest } = body
  return placed(route === 'client_secrets' ? rest : body, named, model)
}

function missingPlace(route: RealtimeKeyRoute, body: JsonObject): readonly string[] {
  const [first = [], ofTranscription = first] = PLACES[route]
  const isTranscription = route === 'client_secrets' && valueAt(body, ['session', 'type']) === 'transcription'
  return isTranscription ? ofTranscription : first
}

function valueAt(body: JsonObject, place: readonly string[]): Json | undefined {
  let here: Json | undefined = body
  for (const name of place) here = isJsonObject(here) ? here[name] : undefined
  return here
}

function placed(body: JsonObject, [name = '', ...rest]: readonly string[], model: string): JsonObject {
  const inner = body[name]
  if (rest.length === 0) return { ...body, [name]: model }
  const added = name === 'session' && !isJsonObject(inner) ? { type: 'realtime' } : {}
  return { ...body, [name]: placed(isJsonObject(inner) ? inner : added, rest, model) }
}
