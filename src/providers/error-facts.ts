import { isDeeperThan, isJsonObject, type Json, type JsonObject, parseJson } from '../core/json.ts'
import type { WireResponse } from '../transport/wire.ts'

/** What an error answer says of itself, whatever its shape. */
export interface ErrorFacts {
  /** The provider's sentence, one line, at most 500 characters; empty where it said nothing. */
  readonly text: string
  /** Its machine words: code, type, status, of the error and of the inner one. */
  readonly codes: readonly string[]
  /** An HTTP status that stands in the body (`error.code`, `statusCode`). */
  readonly status?: number
  /** The request parameter it blames. */
  readonly param?: string
}

const MAX_TEXT_CHARS = 500
/** What is longer is a sentence, not a machine word or a parameter's name. */
const MAX_WORD_CHARS = 100
const decoder = new TextDecoder()

/** The body as text; undecodable bytes become U+FFFD. */
export function bodyText(response: WireResponse): string {
  return decoder.decode(response.body)
}

/** Reads the error out of a whole answer. */
export function readError(response: WireResponse): ErrorFacts {
  const text = bodyText(response)
  const named = response.headers['x-amzn-errortype']
  const facts = errorIn(parseJson(text)) ?? {
    text: oneLine(looksLikeHtml(text) ? htmlTitle(text) : text),
    codes: [],
  }
  return named === undefined ? facts : { ...facts, codes: [...facts.codes, named] }
}

/**
 * The error that a JSON value carries, in any of the shapes that providers use: `error.message`, `error` as
 * text, `message`, `detail` (text, a list of `{loc, msg}`, `{message}`), `err_msg`, `fault.faultstring`,
 * `errors[0].message`. Undefined where it carries none.
 */
export function errorIn(value: Json | undefined): ErrorFacts | undefined {
  const body = Array.isArray(value) ? value[0] : value
  if (!isJsonObject(body)) return undefined
  const error = isJsonObject(body['error']) ? body['error'] : undefined
  const text = sentence(body, error)
  if (text === undefined) return undefined
  const inner = error !== undefined && isJsonObject(error['innererror']) ? error['innererror'] : undefined
  const detail = isJsonObject(body['detail']) ? body['detail'] : undefined
  const errors = body['errors']
  const first = Array.isArray(errors) && isJsonObject(errors[0]) ? errors[0] : undefined
  const codes = [
    ...[error, inner, body, detail, first].flatMap((part) => (part === undefined ? [] : words(part))),
    ...reasons(error?.['details']),
  ]
  const status = [error, body].flatMap((part) => (part === undefined ? [] : statuses(part)))[0]
  const param = error?.['param'] ?? body['param']
  return {
    text: oneLine(text),
    codes,
    ...(status === undefined ? {} : { status }),
    ...(isWord(param) ? { param } : {}),
  }
}

function sentence(body: JsonObject, error: JsonObject | undefined): string | undefined {
  const fault = body['fault']
  const errors = body['errors']
  const first = Array.isArray(errors) ? errors[0] : undefined
  const candidates = [
    error?.['message'],
    error === undefined ? undefined : jsonText(error),
    body['error'],
    body['message'],
    detailText(body['detail']),
    body['err_msg'],
    isJsonObject(fault) ? fault['faultstring'] : undefined,
    isJsonObject(first) ? first['message'] : first,
  ]
  return candidates.find((text): text is string => typeof text === 'string' && text !== '')
}

/** FastAPI's `detail`: text, a list of `{loc, msg}`, or an object. */
function detailText(value: Json | undefined): string | undefined {
  if (typeof value === 'string') return value
  if (isJsonObject(value)) return typeof value['message'] === 'string' ? value['message'] : jsonText(value)
  if (!Array.isArray(value)) return undefined
  return value.map(complaint).join('; ')
}

function complaint(one: Json): string {
  if (!isJsonObject(one)) return typeof one === 'string' ? one : jsonText(one)
  return place(one['loc']) + (typeof one['msg'] === 'string' ? one['msg'] : jsonText(one))
}

function place(loc: Json | undefined): string {
  const steps: readonly Json[] = Array.isArray(loc) ? loc : []
  const named = steps.filter((step) => typeof step === 'string' || typeof step === 'number')
  return named.length === 0 ? '' : `${named.join('.')}: `
}

/** No error is so deep; to write one that is would overflow the stack. */
const MAX_LEVELS = 64

/** A value as JSON; empty where it is nested too deep. */
export function jsonText(value: Json): string {
  return isDeeperThan(MAX_LEVELS, value) ? '' : JSON.stringify(value)
}

const CODE_KEYS = ['code', 'type', 'status', 'error_code', 'err_code', 'category'] as const

function words(part: JsonObject): string[] {
  return CODE_KEYS.flatMap((key) => {
    const value = part[key]
    return isWord(value) ? [value] : []
  })
}

/** Google's `ErrorInfo.reason` (https://cloud.google.com/apis/design/errors#error_info). */
function reasons(details: Json | undefined): string[] {
  if (!Array.isArray(details)) return []
  return details.flatMap((detail: Json) => {
    const reason = isJsonObject(detail) ? detail['reason'] : undefined
    return isWord(reason) ? [reason] : []
  })
}

function isWord(value: Json | undefined): value is string {
  return typeof value === 'string' && value !== '' && value.length <= MAX_WORD_CHARS
}

function statuses(part: JsonObject): number[] {
  return [part['code'], part['statusCode'], part['status']].flatMap((value) => {
    const number = typeof value === 'string' ? Number(value) : value
    return typeof number === 'number' && Number.isInteger(number) && number >= 400 && number <= 599
      ? [number]
      : []
  })
}

/** True for a web page where an API's answer should be. */
export function looksLikeHtml(text: string): boolean {
  return /^\s*</.test(text)
}

function htmlTitle(html: string): string {
  const title = /<title[^>]*>([^<]*)</i.exec(html)?.[1]
  return `a web page${title === undefined ? '' : ` titled "${title.trim()}"`}`
}

/** Control characters and runs of white space become one space, so that no upstream writes our log lines. */
export function oneLine(text: string): string {
  const flat = text.replaceAll(/[\s\p{Cc}]+/gu, ' ').trim()
  return flat.length > MAX_TEXT_CHARS ? `${flat.slice(0, MAX_TEXT_CHARS)}…` : flat
}
