import { isJsonObject, type Json, type JsonObject, parseJson } from '../core/json.ts'
import type { Codec, Encoded, Target } from './adapter.ts'

/**
 * The same request with those members that it was not told of, but that the deployment or the client says the provider
 * takes all the same: they go out as they are, where the provider looks for what only some models know. LiteLLM's
 * meaning of `allowed_openai_params`. What is no member of a JSON body, such as a part of a message, stays left out.
 */
export function withAllowed(
  codec: Pick<Codec<'chat'>, 'strangersIn'>,
  target: Target,
  encoded: Encoded,
  request: Readonly<Record<string, unknown>>,
  allowed: readonly string[],
): Encoded {
  const { dropped = [], body } = encoded
  const filled = { ...target.bodyDefaults, ...request }
  const meant = dropped.filter((name) => allowed.includes(name) && filled[name] !== undefined)
  const json = meant.length === 0 || typeof body !== 'string' ? undefined : parseJson(body)
  if (!isJsonObject(json)) return encoded
  const members = Object.fromEntries(meant.map((name) => [name, asJson(filled[name])]))
  const place = codec.strangersIn?.(target)
  return {
    ...encoded,
    body: JSON.stringify(place === undefined ? { ...json, ...members } : placed(json, place, members)),
    dropped: dropped.filter((name) => !meant.includes(name)),
  }
}

function placed(json: JsonObject, place: string, members: JsonObject): JsonObject {
  const there = json[place]
  return { ...json, [place]: { ...(isJsonObject(there) && there), ...members } }
}

/** What came as JSON is JSON. */
function asJson(value: unknown): Json {
  const json: Json = JSON.parse(JSON.stringify(value))
  return json
}
