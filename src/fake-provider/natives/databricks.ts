import type { JsonObject } from '../../core/json.ts'
import { jsonReply, type Reply } from '../reply.ts'
import { chatAnswer, chatChunks, embeddingAnswer, eventsReply, goodReply, saidTo } from './chat-answers.ts'
import { faultIn, messageFault, type Members } from './members.ts'
import type { Native, NativeCall } from './native.ts'
import { authorizationOf, formOf, isToken, strangeFields, tokenFor } from './tokens.ts'

/**
 * A Databricks workspace (https://docs.databricks.com/machine-learning/foundation-model-apis/api-reference): its
 * serving endpoints, their list, and its token endpoint, which refuses secrets that begin with `wrong`. A model whose
 * name says `claude` and that is told to think answers in lists.
 */
export const databricks: Native = { id: 'databricks', answer, error }

const SAMPLING = ['max_tokens', 'temperature', 'top_p', 'top_k', 'stop', 'n', 'stream']
const ROUTES: Readonly<Record<string, Members>> = {
  '/serving-endpoints/chat/completions': {
    required: ['model', 'messages'],
    allowed: [
      ...SAMPLING,
      'tools',
      'tool_choice',
      'logprobs',
      'top_logprobs',
      'reasoning_effort',
      'response_format',
      'thinking',
    ],
  },
  '/serving-endpoints/completions': {
    required: ['model', 'prompt'],
    allowed: [...SAMPLING, 'error_behavior', 'use_raw_prompt', 'suffix', 'echo'],
  },
  '/serving-endpoints/embeddings': {
    required: ['model', 'input'],
    allowed: ['instruction', 'encoding_format'],
  },
}

function answer(call: NativeCall): Reply {
  if (call.path === '/oidc/v1/token') return token(call)
  const isList = call.path === '/api/2.0/serving-endpoints'
  const members = ROUTES[call.path]
  if (!isList && members === undefined)
    return refused(404, 'ENDPOINT_NOT_FOUND', `No API found for '${call.method} ${call.path}'.`)
  if (call.method !== (isList ? 'GET' : 'POST'))
    return refused(405, 'METHOD_NOT_ALLOWED', `${call.method} is not allowed here.`)
  const key = authorizationOf(call, 'Bearer')
  if (key === undefined)
    return refused(401, 401, 'Credential was not sent or was of an unsupported type for this API.')
  if (!isKnown(key, call)) return refused(403, 403, 'Invalid access token.')
  const [parameter] = call.query.keys()
  if (parameter !== undefined) return refused(400, 'BAD_REQUEST', `Unknown parameter: ${parameter}`)
  return isList ? goodReply({ endpoints: [] }) : served(call.path, call.json ?? {}, members)
}

function isKnown(key: string, { keys }: NativeCall): boolean {
  if (key.startsWith('dapi')) return keys === undefined || keys.has(key)
  return isToken(key, keys)
}

function served(path: string, body: JsonObject, members: Members | undefined): Reply {
  const fault = members && faultIn(body, members)
  if (fault?.kind === 'unknown')
    return refused(400, 'BAD_REQUEST', `${fault.name}: Extra inputs are not permitted`)
  if (fault !== undefined) return refused(400, 'BAD_REQUEST', `${fault.name}: Field required`)
  const { model } = body
  if (model === 'no-such-endpoint')
    return refused(
      404,
      'RESOURCE_DOES_NOT_EXIST',
      'The given endpoint does not exist, please retry after checking the specified model and version deployment exists.',
    )
  if (path.endsWith('/embeddings')) return goodReply(embeddingAnswer(body, model))
  if (!path.endsWith('/chat/completions'))
    return goodReply({
      id: 'cmpl-1',
      object: 'text_completion',
      created: 1_700_000_000,
      model,
      choices: [{ index: 0, text: 'pong', finish_reason: 'stop', logprobs: null }],
      usage: { prompt_tokens: 5, completion_tokens: 1, total_tokens: 6 },
    })
  const wrong = messageFault(body['messages'], () => true)
  if (wrong !== undefined) return refused(400, 'BAD_REQUEST', `${wrong}: Input should be valid`)
  return chat(body)
}

const THOUGHT = {
  type: 'reasoning',
  summary: [{ type: 'summary_text', text: 'They say ping.', signature: 'c2ln' }],
} as const

function chat(body: JsonObject): Reply {
  const { model } = body
  const said = saidTo(body)
  if (body['thinking'] === undefined) return reply(body, said.message, said.finish, model)
  const words = said.message['content']
  const content = [THOUGHT, ...(typeof words === 'string' ? [{ type: 'text', text: words }] : [])]
  return reply(body, { ...said.message, content }, said.finish, model)
}

function reply(
  body: JsonObject,
  message: JsonObject,
  finish: 'stop' | 'tool_calls',
  model: JsonObject[string],
): Reply {
  if (body['stream'] !== true) return goodReply(chatAnswer({ message, finish }, { model }))
  const { content } = message
  const isList = Array.isArray(content)
  const plain = { ...message, content: isList ? 'pong' : content }
  const [first = {}, ...rest] = chatChunks({ message: plain, finish }, { model })
  const thought = { ...first, choices: [{ index: 0, delta: { content: [THOUGHT] }, finish_reason: null }] }
  // Usage stands in every event there.
  const usage = { prompt_tokens: 5, completion_tokens: 1, total_tokens: 6 }
  const events = [first, ...(isList ? [thought] : []), ...rest].filter(
    ({ choices }) => Array.isArray(choices) && choices.length > 0,
  )
  return eventsReply([
    ...events.map((event) => `data: ${JSON.stringify({ ...event, usage })}\n\n`),
    'data: [DONE]\n\n',
  ])
}

/** https://docs.databricks.com/dev-tools/auth/oauth-m2m */
function token(call: NativeCall): Reply {
  const form = formOf(call)
  const basic = authorizationOf(call, 'Basic')
  if (call.method !== 'POST' || form === undefined || strangeFields(form, ['grant_type', 'scope']).length > 0)
    return oauth(400, 'invalid_request', 'The request is malformed.')
  if (form.get('grant_type') !== 'client_credentials')
    return oauth(400, 'unsupported_grant_type', 'The grant type is not supported.')
  if (form.get('scope') !== 'all-apis')
    return oauth(400, 'invalid_scope', 'The requested scope is not valid.')
  const [client = '', secret = ''] = Buffer.from(basic ?? '', 'base64')
    .toString()
    .split(':')
  if (client === '' || secret === '' || secret.startsWith('wrong') || call.keys?.has(secret) === false)
    return oauth(401, 'invalid_client', 'Client authentication failed.')
  return goodReply({
    access_token: tokenFor(secret),
    scope: 'all-apis',
    token_type: 'Bearer',
    expires_in: 3_600,
  })
}

function oauth(status: number, code: string, sentence: string): Reply {
  return jsonReply(status, { error: code, error_description: sentence, error_id: '0' })
}

function refused(status: number, code: string | number, message: string): Reply {
  return jsonReply(status, { error_code: code, message })
}

const CODES: Readonly<Record<number, string>> = {
  401: 'UNAUTHENTICATED',
  403: 'PERMISSION_DENIED',
  404: 'RESOURCE_DOES_NOT_EXIST',
  429: 'REQUEST_LIMIT_EXCEEDED',
  500: 'INTERNAL_ERROR',
  503: 'TEMPORARILY_UNAVAILABLE',
}

function error(status: number, message: string, headers: Readonly<Record<string, string>>): Reply {
  return jsonReply(status, { error_code: CODES[status] ?? 'BAD_REQUEST', message }, headers)
}
