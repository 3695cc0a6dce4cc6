import { asGatewayError } from '../../core/failure.ts'
import type { JsonObject } from '../../core/json.ts'
import type { Line } from '../../providers/call.ts'
import { countedBy } from '../../providers/count-tokens.ts'
import { JSON_HEADERS } from '../answer/answer-form.ts'
import type { Limits } from '../road.ts'
import { CHAT_TRANSLATION } from '../translate/chat.ts'
import { countableOf } from './estimate.ts'
import type { Make } from './surface.ts'
import type { CountText } from './text-counter.ts'

/** So that nobody takes it for a count. */
const ESTIMATED = { 'x-pulsegate-estimated': 'true' } as const

/**
 * Counts a chat: its provider does where it can, and we estimate where it cannot. `mayAsk` false: we do, at once. `write`:
 * the answer, in a surface's words; `messages`: what came in Anthropic's.
 */
export function countTokens(
  chat: JsonObject,
  line: Line,
  mayAsk: boolean,
  write: (tokens: number) => JsonObject,
  messages?: JsonObject,
): Make {
  return (limits, sink, { countText, tell }) => {
    const leaving = new AbortController()
    const { signal } = leaving
    count({ chat, messages }, mayAsk ? line : undefined, countText, { ...limits, signal }).then(
      ({ tokens, isEstimate }) => {
        if (isEstimate) tell((route) => ({ ...route, ...ESTIMATED }))
        sink.head(200, JSON_HEADERS)
        sink.data(Buffer.from(JSON.stringify(write(tokens))))
        sink.end()
      },
      (error: unknown) => sink.fail(asGatewayError(error)),
    )
    return { resume: () => {}, cancel: () => leaving.abort() }
  }
}

async function count(
  { chat, messages }: { readonly chat: JsonObject; readonly messages: JsonObject | undefined },
  line: Line | undefined,
  countText: CountText,
  limits: Limits & { readonly signal: AbortSignal },
): Promise<{ readonly tokens: number; readonly isEstimate: boolean }> {
  const request = CHAT_TRANSLATION.read(chat)
  const counted = line === undefined ? undefined : await countedBy(line, request, limits, messages)
  if (counted !== undefined) return { tokens: counted, isEstimate: false }
  const { text, tokens } = countableOf(chat)
  return { tokens: tokens + (await countText(text, limits.signal)), isEstimate: true }
}
