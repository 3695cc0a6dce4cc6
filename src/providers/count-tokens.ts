import { isJsonObject, type JsonObject, parseJson } from '../core/json.ts'
import type { ChatRequest } from '../core/mode.ts'
import type { Limits, WireRequest } from '../transport/wire.ts'
import { authorized } from './authorized.ts'
import type { Line } from './call.ts'
import { bodyText } from './error-facts.ts'

/** Longer nobody waits for a number that can be estimated. */
const MOST_MS = 5_000
/** An answer is one number. */
const MOST_BYTES = 64 * 1024

/**
 * What a chat would amount to, as its provider counts it; undefined where the provider does not, or will not: the model
 * is none that it counts for, the credentials may not, it is busy. What it says of counting says nothing of its models.
 * `messages`: the same in Anthropic's words, where it came in these.
 * @throws GatewayError cancelled
 */
export async function countedBy(
  line: Line,
  request: ChatRequest,
  limits: Limits,
  messages?: JsonObject,
): Promise<number | undefined> {
  const wire = wireOf(line, request, messages)
  if (wire === undefined) return undefined
  try {
    const timeoutMs = Math.min(limits.timeoutMs, MOST_MS)
    const ready = await authorized(line, wire, { ...limits, timeoutMs })
    const response = await line.transport.send(ready, { ...limits, timeoutMs, maxBytes: MOST_BYTES })
    const body = response.status === 200 ? parseJson(bodyText(response)) : undefined
    return isJsonObject(body) ? line.adapter.tokenCount?.decode(body) : undefined
  } catch (error) {
    if (limits.signal?.aborted === true) throw error
    return undefined
  }
}

function wireOf(
  { adapter: { tokenCount }, target }: Line,
  request: ChatRequest,
  messages: JsonObject | undefined,
): WireRequest | undefined {
  try {
    const own = messages === undefined ? undefined : tokenCount?.encodeMessages?.(messages, target)
    return own ?? tokenCount?.encode(request, target)
  } catch {
    // A picture that would be fetched first, or what only a stranger model takes: it can be estimated all the same.
    return undefined
  }
}
