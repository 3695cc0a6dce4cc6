import type { JsonObject } from '../../core/json.ts'
import { jsonReply, type Reply } from '../reply.ts'
import { countedTokens, messageReply } from './anthropic-answer.ts'
import { complaintAbout } from './anthropic-rules.ts'
import type { Native, NativeCall } from './native.ts'

/** Claude at Anthropic (https://platform.claude.com/docs/en/api/overview, read 2026-11-27). */
export const anthropic: Native = {
  id: 'anthropic',
  paths: /^(?!\/as-)(?:\/.+)?(?<own>\/v1\/messages(?:\/count_tokens)?)$/,
  answer: (call) => unauthorized(call) ?? wrongVersion(call) ?? served(call),
  error: anthropicError,
}

/** `{type, error: {type, message}, request_id}` (https://platform.claude.com/docs/en/api/errors). */
export function anthropicError(
  status: number,
  message: string,
  headers: Readonly<Record<string, string>> = {},
): Reply {
  const type = ERROR_TYPES[status] ?? (status >= 500 ? 'api_error' : 'invalid_request_error')
  return jsonReply(
    status,
    { type: 'error', error: { type, message }, request_id: REQUEST_ID },
    { 'request-id': REQUEST_ID, ...headers },
  )
}

const REQUEST_ID = 'req_011CSHoEeqs5C35K2UUqR7Fy'

const ERROR_TYPES: Readonly<Record<number, string>> = {
  401: 'authentication_error',
  402: 'billing_error',
  403: 'permission_error',
  404: 'not_found_error',
  413: 'request_too_large',
  429: 'rate_limit_error',
  504: 'timeout_error',
  529: 'overloaded_error',
}

/** What successes carry: limits far from used up. */
const HEADERS = {
  'request-id': REQUEST_ID,
  'anthropic-organization-id': '00000000-0000-4000-8000-000000000000',
  'anthropic-ratelimit-requests-limit': '50',
  'anthropic-ratelimit-requests-remaining': '49',
  'anthropic-ratelimit-requests-reset': '2030-01-01T00:00:00Z',
} as const

/** A key under its own header counts before a bearer, where both come. */
function unauthorized({ headers, keys }: NativeCall): Reply | undefined {
  const key = headers['x-api-key']
  if (typeof key === 'string' && key !== '')
    return keys === undefined || keys.has(key) ? undefined : anthropicError(401, 'invalid x-api-key')
  const token = /^bearer (\S+)$/i.exec(headers.authorization ?? '')?.[1]
  if (token === undefined) return anthropicError(401, 'x-api-key header is required')
  return keys === undefined || keys.has(token) ? undefined : anthropicError(401, 'Invalid bearer token')
}

const VERSIONS: ReadonlySet<string> = new Set(['2023-01-01', '2023-06-01', '2026-10-21'])

function wrongVersion({ headers }: NativeCall): Reply | undefined {
  const version = headers['anthropic-version']
  if (version === undefined) return anthropicError(400, 'anthropic-version: header is required')
  return typeof version === 'string' && VERSIONS.has(version)
    ? undefined
    : anthropicError(400, `anthropic-version: "${String(version)}" is not a valid version`)
}

function served(call: NativeCall): Reply {
  switch (`${call.method} ${call.path}`) {
    case 'POST /v1/messages':
      return told(call, 'message', (body) => messageReply(body, HEADERS))
    case 'POST /v1/messages/count_tokens':
      return told(call, 'count', (body) => jsonReply(200, countedTokens(body), HEADERS))
    case 'GET /v1/messages/batches':
      return listed(call, [])
    case 'GET /v1/models':
      return listed(call, [MODEL])
    default:
      return anthropicError(404, 'Not Found')
  }
}

const MODEL = {
  type: 'model',
  id: 'claude-haiku-4-5-20251001',
  display_name: 'Claude Haiku 4.5',
  created_at: '2025-10-15T00:00:00Z',
} as const

const PAGING: ReadonlySet<string> = new Set(['limit', 'after_id', 'before_id'])

function listed({ query }: NativeCall, data: readonly JsonObject[]): Reply {
  const unknown = [...query.keys()].find((name) => !PAGING.has(name))
  if (unknown !== undefined) return anthropicError(400, `${unknown}: Extra inputs are not permitted`)
  const first = data[0]?.['id'] ?? null
  return jsonReply(200, { data, has_more: false, first_id: first, last_id: first }, HEADERS)
}

function told(call: NativeCall, what: 'message' | 'count', answer: (body: JsonObject) => Reply): Reply {
  if (!/^application\/json\b/.test(call.headers['content-type'] ?? ''))
    return anthropicError(400, 'The request must have the content-type application/json')
  if (call.json === undefined) return anthropicError(400, 'The request body is not valid JSON')
  const complaint = complaintAbout(call.json, what, String(call.headers['anthropic-version']))
  return complaint === undefined ? answer(call.json) : anthropicError(400, complaint)
}
