import { GatewayError } from '../core/failure.ts'
import { isJsonObject, type Json, type JsonObject, parseJson } from '../core/json.ts'
import type { WireResponse } from '../transport/wire.ts'
import { kindOf, kindOfCodes } from './classify.ts'
import { bodyText, errorIn, jsonText, looksLikeHtml } from './error-facts.ts'

/** How much of a strange answer is quoted. */
const QUOTED_CHARS = 80

/**
 * The JSON object of a 2xx answer.
 * @throws GatewayError empty for no bytes, wrong_shape for HTML, other text, or JSON that is no object;
 * whatever the words mean for an error inside a 200
 */
export function readAnswer(response: WireResponse, expected: string): JsonObject {
  const text = bodyText(response)
  if (text.trim() === '') throw new GatewayError('empty', `answered ${response.status} with an empty body`)
  const body = parseJson(text)
  if (body === undefined) {
    const what = looksLikeHtml(text) ? 'a web page' : `no JSON: ${quoted(text)}`
    throw new GatewayError('wrong_shape', `answered ${response.status} with ${what}`)
  }
  if (!isJsonObject(body)) throw notAnAnswer(response, body, expected)
  const error = body['error']
  // `"error": null` stands in good answers of several providers.
  if (error !== undefined && error !== null && error !== '' && error !== false)
    throw notAnAnswer(response, body, expected)
  return body
}

/**
 * Names a 2xx answer that lacks what the mode promises: an error in disguise, or another shape.
 * An error inside a 200 has no error status of its own: the body's is read, else it is 500 and the machine words
 * say what failed.
 */
export function notAnAnswer(response: WireResponse, body: Json, expected: string): GatewayError {
  const facts = errorIn(body)
  if (facts === undefined) {
    return new GatewayError(
      'wrong_shape',
      `answered ${response.status} without ${expected}: ${quoted(jsonText(body))}`,
    )
  }
  const { status } = facts
  const code = facts.codes[0]
  return new GatewayError(
    status === undefined ? kindOfCodes(facts) : kindOf(status, facts),
    `answered ${response.status} with an error inside${code === undefined ? '' : ` (${code})`}: ${facts.text}`,
    { upstreamStatus: status ?? 500 },
  )
}

function quoted(text: string): string {
  const flat = text.replaceAll(/[\s\p{Cc}]+/gu, ' ').trim()
  return flat.length > QUOTED_CHARS ? `${flat.slice(0, QUOTED_CHARS)}…` : flat
}

/** A JSON value as text, where it is one. */
export function textOf(value: Json | undefined): string | undefined {
  return typeof value === 'string' ? value : undefined
}

/** A JSON value as a number, where it is one. */
export function numberOf(value: Json | undefined): number | undefined {
  return typeof value === 'number' ? value : undefined
}

/** The first element of a JSON array that is an object. */
export function firstObject(value: Json | undefined): JsonObject | undefined {
  const first = Array.isArray(value) ? value[0] : undefined
  return isJsonObject(first) ? first : undefined
}
