import { timeMs, wholeRetries } from './asked-number.ts'

/** A client's headers, lower-case names. */
export type RequestHeaders = Readonly<Record<string, string | readonly string[] | undefined>>

/** What a client's headers say of retries and deadlines; LiteLLM's names, and they beat the body's members. */
export interface HeaderWishes {
  readonly timeoutMs?: number
  readonly streamTimeoutMs?: number
  readonly numRetries?: number
}

/** Reads the headers that concern routing; values that are no numbers count as not said. */
export function readHeaderWishes(headers: RequestHeaders): HeaderWishes | undefined {
  const timeout = headers['x-litellm-timeout']
  const streamTimeout = headers['x-litellm-stream-timeout']
  const retries = headers['x-litellm-num-retries']
  if (timeout === undefined && streamTimeout === undefined && retries === undefined) return undefined
  const timeoutMs = timeMs(numberIn(timeout))
  const streamTimeoutMs = timeMs(numberIn(streamTimeout))
  const numRetries = wholeRetries(numberIn(retries))
  return {
    ...(timeoutMs !== undefined && { timeoutMs }),
    ...(streamTimeoutMs !== undefined && { streamTimeoutMs }),
    ...(numRetries !== undefined && { numRetries }),
  }
}

function numberIn(value: RequestHeaders[string]): number | undefined {
  return typeof value === 'string' && /^\s*\d+(?:\.\d+)?\s*$/.test(value) ? Number(value) : undefined
}
