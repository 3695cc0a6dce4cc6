import { countOf, waitOf } from './retry-after.ts'

type Headers = Readonly<Record<string, string>>

/** Below this share of what a minute or a day allows, what is left belongs to the clients. */
const SCARCE = 0.1
/** Nobody says when it is full again: most limits are a minute's. */
const USUAL_RESET_MS = 60_000
/** A day's limit comes back piece by piece. */
const LONGEST_MS = 3_600_000

/**
 * The names of a limit on requests, provider by provider: OpenAI's, which Azure, Groq and most others took over, and
 * Anthropic's (https://platform.claude.com/docs/en/api/rate-limits).
 */
const DIALECTS = [
  {
    limit: 'x-ratelimit-limit-requests',
    remaining: 'x-ratelimit-remaining-requests',
    reset: 'x-ratelimit-reset-requests',
  },
  {
    limit: 'anthropic-ratelimit-requests-limit',
    remaining: 'anthropic-ratelimit-requests-remaining',
    reset: 'anthropic-ratelimit-requests-reset',
  },
] as const

/**
 * For how long checks should leave the provider's allowance of requests to the clients, milliseconds: until it is full
 * again, where less than a tenth of it is left; 0 where there is plenty; undefined where the headers do not say.
 * Azure names no limit: then all that can be known is that nothing is left.
 */
export function scarceMs(headers: Headers): number | undefined {
  for (const { limit, remaining, reset } of DIALECTS) {
    const left = countOf(headers[remaining])
    if (left === undefined) continue
    const most = countOf(headers[limit])
    if (most === undefined && left > 0) return undefined
    if (most !== undefined && left >= most * SCARCE) return 0
    return Math.min(waitOf(headers[reset], headers) ?? USUAL_RESET_MS, LONGEST_MS)
  }
  return undefined
}
