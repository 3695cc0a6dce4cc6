import { entryOf } from '../core/entry-of.ts'
/** A provider that asks for more than a day has lost its clock. */
const MAX_WAIT_MS = 24 * 60 * 60 * 1_000

type Headers = Readonly<Record<string, string>>

/**
 * How long an answer asks us to stay away, milliseconds: `retry-after-ms`, then `retry-after` (RFC 9110
 * §10.2.3, seconds or a date, fractions allowed), then on a 429 the `x-ratelimit-reset-*` of what is used up.
 * Dates are counted from the answer's own `date` header: our clocks may differ, its own two do not.
 */
export function retryAfterMs(status: number, headers: Headers): number | undefined {
  const wait =
    countOf(headers['retry-after-ms']) ??
    secondsOrDate(headers['retry-after'], headers) ??
    (status === 429 ? limitReset(headers) : undefined)
  return wait === undefined ? undefined : Math.min(Math.max(Math.round(wait), 0), MAX_WAIT_MS)
}

function secondsOrDate(value: string | undefined, headers: Headers): number | undefined {
  if (value === undefined) return undefined
  const seconds = countOf(value)
  if (seconds !== undefined) return seconds * 1_000
  // JavaScript takes a bare `-1`, which some send for "nobody knows", for a year.
  return /[a-z]/i.test(value) ? sinceAnswer(Date.parse(value), headers) : undefined
}

function sinceAnswer(atMs: number, headers: Headers): number | undefined {
  const answeredAt = Date.parse(headers['date'] ?? '')
  return Number.isNaN(atMs) || Number.isNaN(answeredAt) ? undefined : atMs - answeredAt
}

/** The reset of whichever allowance is at 0; where none says so, the nearest one. */
function limitReset(headers: Headers): number | undefined {
  const resets = ['requests', 'tokens'].flatMap((what) => {
    const wait = waitOf(headers[`x-ratelimit-reset-${what}`], headers)
    return wait === undefined
      ? []
      : [{ wait, spent: countOf(headers[`x-ratelimit-remaining-${what}`]) === 0 }]
  })
  const spent = resets.filter((reset) => reset.spent).map((reset) => reset.wait)
  if (spent.length > 0) return Math.max(...spent)
  if (resets.length > 0) return Math.min(...resets.map((reset) => reset.wait))
  return waitOf(headers['x-ratelimit-reset'], headers)
}

/**
 * How long a limit's reset is away, milliseconds: a duration, or a point in time. Azure sends 0 and -1 for limits that
 * are used up (https://learn.microsoft.com/answers/questions/5625878, read 2026-11-22): they say nothing.
 */
export function waitOf(value: string | undefined, headers: Headers): number | undefined {
  const wait = duration(value, headers)
  return wait !== undefined && wait > 0 ? wait : undefined
}

const UNIT_MS: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 }

/** OpenAI's `6m0s`, `250ms`; bare seconds; or a point in time: a date, or seconds or milliseconds since 1970. */
function duration(value: string | undefined, headers: Headers): number | undefined {
  const bare = countOf(value)
  if (bare !== undefined) {
    if (bare > 1e12) return sinceAnswer(bare, headers)
    return bare > 1e9 ? sinceAnswer(bare * 1_000, headers) : bare * 1_000
  }
  if (value === undefined) return undefined
  // Anthropic's RFC 3339.
  if (/^\d{4}-\d\d-\d\dT/.test(value)) return sinceAnswer(Date.parse(value), headers)
  if (!/^(\d+(\.\d+)?(ms|s|m|h|d))+$/.test(value)) return undefined
  let total = 0
  for (const [, amount, unit] of value.matchAll(/(\d+(?:\.\d+)?)(ms|s|m|h|d)/g)) {
    total += Number(amount) * (entryOf(UNIT_MS, unit ?? '') ?? 0)
  }
  return total
}

/** A header's plain number. */
export function countOf(value: string | undefined): number | undefined {
  return value !== undefined && /^\d+(\.\d+)?$/.test(value.trim()) ? Number(value) : undefined
}
