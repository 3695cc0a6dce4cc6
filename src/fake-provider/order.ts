import { ruleNamed } from './rules.ts'
import type { Rule } from './rule.ts'

/** How the fake treats a request, parsed from an order word such as `e429r30`, `slow250` or `rule-no-usage`. */
export type Behaviour =
  | { readonly kind: PlainKind }
  /** An error status; Retry-After in seconds or as a date, or retry-after-ms, where the word asks for one. */
  | {
      readonly kind: 'status'
      readonly status: number
      readonly retryAfterS?: number
      readonly retryAfterMs?: number
      /** Told as a date so many seconds ahead. */
      readonly retryDateS?: number
    }
  /** The honest answer, `ms` late. */
  | { readonly kind: 'slow'; readonly ms: number }
  /** Headers at once, the first content `ms` later. */
  | { readonly kind: 'ttft'; readonly ms: number }
  /** The honest answer, one byte each `ms`. */
  | { readonly kind: 'drip'; readonly ms: number }
  /** A stream that says its second event over and over for `ms` before it goes on: Anthropic's is a ping. */
  | { readonly kind: 'mull'; readonly ms: number }
  /** 500 for the first `times` requests, honest from then on. */
  | { readonly kind: 'recover'; readonly times: number }
  /** A 200 whose body goes on for `megabytes`. */
  | { readonly kind: 'big'; readonly megabytes: number }
  /** Alive, with one provider's habit. */
  | { readonly kind: 'rule'; readonly rule: Rule }

type PlainKind = (typeof PLAIN_ORDERS)[number]

/** The order words without a number. */
const PLAIN_ORDERS = [
  'ok',
  // No answer, or half of one.
  'hang', // accepts the request and says nothing
  'reset', // breaks the connection before the headers
  'stall', // headers and half the body, then nothing
  'cut', // headers and half the body, then the end of the connection
  'tear', // headers and half the body, then a broken connection
  'half', // half the body as if it were all of it
  'overrun', // all of the body under a length of half
  'nodone', // a stream that ends without its last event
  'errevent', // an error as the second event of a stream
  'flood', // a body without an end
  'early', // an interim 102, then the honest answer
  // Answers with 200 that are none.
  'garbage', // JSON's content type, HTML's text
  'empty',
  'html', // a sign-in page
  'shape', // JSON of the wrong shape
  'err200', // an error body
  'wrongmodel', // the answer of another model
  'gzipbomb', // a small body that unpacks to hundreds of megabytes
  // Other answers.
  'quota', // 429, out of credit
  'redirect',
  'echo', // 401 that repeats the credentials in text and headers
  'echo200', // a good answer that repeats them in headers
  // Realtime only, after the upgrade; `ok` for everything else.
  'wserror', // an error event, then close 4000
  'wssilent',
  'wsclose1011',
  'wsbinary', // a frame of binary garbage
  'wsping', // pings and no message
] as const

const DEFAULT_BIG_MEGABYTES = 64

const NUMBERED: readonly { readonly pattern: RegExp; readonly make: (n: number) => Behaviour }[] = [
  { pattern: /^slow(\d{1,7})$/, make: (ms) => ({ kind: 'slow', ms }) },
  { pattern: /^ttft(\d{1,7})$/, make: (ms) => ({ kind: 'ttft', ms }) },
  { pattern: /^drip(\d{1,7})$/, make: (ms) => ({ kind: 'drip', ms }) },
  { pattern: /^mull(\d{1,7})$/, make: (ms) => ({ kind: 'mull', ms }) },
  { pattern: /^recover(\d{1,6})$/, make: (times) => ({ kind: 'recover', times }) },
  {
    pattern: /^big(\d{1,4})?$/,
    make: (megabytes) => ({ kind: 'big', megabytes: megabytes || DEFAULT_BIG_MEGABYTES }),
  },
]

/** Seconds of the Retry-After that a plain `e429` carries. */
const DEFAULT_RETRY_AFTER_S = 7

/**
 * An order word → what it asks for; undefined for any other word.
 * `e<status>` takes `r<seconds>` (Retry-After), `d<seconds>` (the same as a date) or `ms<milliseconds>`
 * (retry-after-ms): `e503r30`, `e503d30`, `e429ms1500`.
 */
export function parseOrder(word: string): Behaviour | undefined {
  const plain = PLAIN_ORDERS.find((order) => order === word)
  if (plain !== undefined) return { kind: plain }
  if (word.startsWith('rule-')) {
    const rule = ruleNamed(word.slice('rule-'.length))
    return rule && { kind: 'rule', rule }
  }
  for (const { pattern, make } of NUMBERED) {
    const match = pattern.exec(word)
    if (match !== null) return make(Number(match[1] ?? 0))
  }
  return parseStatus(word)
}

function parseStatus(word: string): Behaviour | undefined {
  const match = /^e([45]\d\d)(?:r(\d{1,7})|ms(\d{1,9})|d(\d{1,7}))?$/.exec(word)
  if (match === null) return undefined
  const status = Number(match[1])
  if (match[2] !== undefined) return { kind: 'status', status, retryAfterS: Number(match[2]) }
  if (match[3] !== undefined) return { kind: 'status', status, retryAfterMs: Number(match[3]) }
  if (match[4] !== undefined) return { kind: 'status', status, retryDateS: Number(match[4]) }
  return status === 429
    ? { kind: 'status', status, retryAfterS: DEFAULT_RETRY_AFTER_S }
    : { kind: 'status', status }
}
