import type { Json, JsonObject } from '../core/json.ts'

/** Whose words a route speaks. */
export type Dialect = 'openai' | 'azure' | 'cohere'

/** An HTTP answer, ready to be written. More than one chunk means a stream. */
export interface Reply {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly chunks: readonly (string | Buffer)[]
}

/** What every success carries: the limits left and the region, with fixed values that tests can name. */
export const SUCCESS_HEADERS = {
  'x-ratelimit-remaining-requests': '9',
  'x-ratelimit-remaining-tokens': '900',
  'x-ms-region': 'East US',
} as const

/** A JSON answer. */
export function jsonReply(
  status: number,
  body: JsonObject,
  headers: Readonly<Record<string, string>> = {},
): Reply {
  return {
    status,
    headers: { 'content-type': 'application/json', ...headers },
    chunks: [JSON.stringify(body)],
  }
}

/** The parts of an error that OpenAI's envelope has. */
export interface ErrorWords {
  readonly message: string
  readonly type?: string
  readonly param?: string | null
  readonly code?: string | null
}

/** `{"error":{message,type,param,code}}`: all four are always there (OpenAI's API description). */
export function openaiError(
  status: number,
  words: ErrorWords,
  headers: Readonly<Record<string, string>> = {},
): Reply {
  const { message, type = 'invalid_request_error', param = null, code = null } = words
  return jsonReply(status, { error: { message, type, param, code } }, headers)
}

/** `{"error":{code,message}}`, as Azure's front door writes it; `more` for innererror and the like. */
export function azureError(status: number, code: string, message: string, more: JsonObject = {}): Reply {
  return jsonReply(status, { error: { code, message, ...more } })
}

/** Azure's answer to a path it does not have, a missing api-version included. */
export function azureNotFound(): Reply {
  return jsonReply(404, { statusCode: 404, message: 'Resource not found' })
}

/** `{"id","message"}`: Cohere's API description, the error answers 400 to 504. */
export function cohereError(
  status: number,
  message: string,
  headers: Readonly<Record<string, string>> = {},
): Reply {
  return jsonReply(status, { id: 'c0ffee00-0000-4000-8000-000000000000', message }, headers)
}

/** The error that an `e<status>` order asks for, in the dialect's words. */
export function orderedError(
  dialect: Dialect,
  status: number,
  headers: Readonly<Record<string, string>>,
): Reply {
  const message = `upstream says ${status}`
  if (dialect === 'cohere') return cohereError(status, message, headers)
  if (dialect === 'azure') {
    return jsonReply(status, { error: { code: AZURE_CODES[status] ?? String(status), message } }, headers)
  }
  return openaiError(
    status,
    { message, type: openaiType(status), code: OPENAI_CODES[status] ?? null },
    headers,
  )
}

const OPENAI_CODES: Readonly<Record<number, string>> = { 401: 'invalid_api_key', 404: 'model_not_found' }
const AZURE_CODES: Readonly<Record<number, string>> = { 404: 'DeploymentNotFound' }

function openaiType(status: number): string {
  if (status === 429) return 'rate_limit_error'
  return status >= 500 ? 'server_error' : 'invalid_request_error'
}

/** The JSON type of a value, in the words of OpenAI's type errors. */
export function typeWord(value: Json | undefined): string {
  if (value === null || value === undefined) return 'null'
  if (Array.isArray(value)) return 'an array'
  if (typeof value === 'string') return 'a string'
  if (typeof value === 'boolean') return 'a boolean'
  if (typeof value === 'number') return Number.isInteger(value) ? 'an integer' : 'a decimal number'
  return 'an object'
}
