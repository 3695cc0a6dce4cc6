import type { Usage } from '../../core/answer-facts.ts'
import { isJsonObject, parseJson } from '../../core/json.ts'
import { readUsage } from '../answer/usage.ts'

/** Events that say what something has cost (https://platform.openai.com/docs/api-reference/realtime-server-events). */
const COSTLY = /"(?:response\.done|conversation\.item\.input_audio_transcription\.completed)"/
/** An event's type stands among its first members, or, where they are in the order of the alphabet, is the last. */
const EDGE_BYTES = 256
/** Larger ones are not read. None is: the sound has come before, in pieces. */
const MOST_BYTES = 4 * 1024 * 1024

/** What an event of an upstream's says that it has cost; of all others only the edges are looked at. */
export function usageInEvent(message: Buffer): Usage | undefined {
  const { length } = message
  // One byte a character is enough: what is looked for is ASCII.
  const mayCost =
    COSTLY.test(message.toString('latin1', 0, Math.min(length, EDGE_BYTES))) ||
    (length > EDGE_BYTES && COSTLY.test(message.toString('latin1', length - EDGE_BYTES, length)))
  return mayCost && length <= MOST_BYTES ? usageIn(message) : undefined
}

function usageIn(message: Buffer): Usage | undefined {
  const event = parseJson(message.toString())
  if (!isJsonObject(event) || typeof event['type'] !== 'string' || !COSTLY.test(`"${event['type']}"`))
    return undefined
  const { response, usage } = event
  return readUsage(isJsonObject(response) ? response['usage'] : usage)
}
