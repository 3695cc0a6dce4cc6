import type { JsonObject } from '../../core/json.ts'
import { jsonReply, type Reply } from '../reply.ts'
import { chatAnswer, chatChunks, eventsReply, goodReply, saidTo } from './chat-answers.ts'
import { faultIn, messageFault, type Members } from './members.ts'
import type { Native, NativeCall } from './native.ts'
import { authorizationOf, formOf, isToken, strangeFields, tokenFor } from './tokens.ts'

/**
 * IBM's watsonx.ai (https://cloud.ibm.com/apidocs/watsonx-ai), and IBM Cloud's token endpoint at `/identity/token`
 * (https://cloud.ibm.com/apidocs/iam-identity-token-api), which refuses keys that begin with `wrong`.
 */
export const watsonx: Native = { id: 'watsonx', answer, error }

const CHAT: Members = {
  required: ['messages'],
  allowed: `tools tool_choice_option tool_choice frequency_penalty logit_bias logprobs top_logprobs max_tokens
    max_completion_tokens n presence_penalty response_format seed stop temperature top_p time_limit guided_choice
    guided_regex guided_grammar guided_json repetition_penalty length_penalty include_reasoning reasoning_effort
    chat_template_kwargs crypto context`.split(/\s+/),
}
const GENERATION: Members = { required: ['input'], allowed: ['parameters', 'moderations'] }
const PARAMETERS: Members = {
  required: [],
  allowed:
    `decoding_method length_penalty max_new_tokens min_new_tokens random_seed stop_sequences temperature
    time_limit top_k top_p repetition_penalty truncate_input_tokens return_options include_stop_sequence
    typical_p prompt_variables`.split(/\s+/),
}
const ROUTES: Readonly<Record<string, Members>> = {
  'text/chat': CHAT,
  'text/chat_stream': CHAT,
  'text/generation': GENERATION,
  'text/generation_stream': GENERATION,
  'text/embeddings': { required: ['inputs'], allowed: ['parameters'] },
  'text/rerank': { required: ['inputs', 'query'], allowed: ['parameters'] },
}

function answer(call: NativeCall): Reply {
  if (call.path === '/identity/token') return token(call)
  const isList = call.path === '/ml/v1/foundation_model_specs'
  const [, deployment, route = ''] =
    /^\/ml\/v1\/(?:deployments\/([^/]+)\/)?(text\/\w+)$/.exec(call.path) ?? []
  const members = ROUTES[route]
  const isThere = deployment === undefined || /chat|generation/.test(route)
  if (!isList && (members === undefined || !isThere || call.method !== 'POST'))
    return refused(404, 'not_found', `Not found: ${call.method} ${call.path}`)
  if (!/^\d{4}-\d\d-\d\d$/.test(call.query.get('version') ?? ''))
    return refused(400, 'invalid_query_parameter', "The 'version' query parameter must be a date.")
  const parameter = [...call.query.keys()].find((name) => name !== 'version' && !(isList && name === 'limit'))
  if (parameter !== undefined)
    return refused(400, 'invalid_query_parameter', `Unknown parameter '${parameter}'.`)
  if (!isAuthorized(call))
    return refused(
      401,
      'authentication_token_not_valid',
      'Failed to authenticate the request due to invalid token',
    )
  if (isList) return goodReply({ total_count: 0, limit: 1, resources: [] })
  const judged = members && judge(route, call.json ?? {}, members, deployment)
  return judged ?? served(route, call.json ?? {}, deployment)
}

function isAuthorized(call: NativeCall): boolean {
  const zen = authorizationOf(call, 'ZenApiKey')
  if (zen !== undefined) return call.keys === undefined || call.keys.has(zen)
  const bearer = authorizationOf(call, 'Bearer')
  return bearer !== undefined && (isToken(bearer, call.keys) || call.keys?.has(bearer) === true)
}

/** The members of a body; of a foundation model also whose it is. */
function judge(
  route: string,
  body: JsonObject,
  members: Members,
  deployment: string | undefined,
): Reply | undefined {
  const { model_id: model, project_id: project, space_id: space, ...rest } = body
  if (deployment !== undefined && [model, project, space].some((id) => id !== undefined))
    return invalid("Json document validation error: unexpected 'model_id', 'project_id' or 'space_id'")
  if (deployment === undefined && typeof model !== 'string')
    return invalid("Json document validation error: 'model_id' is required")
  if (deployment === undefined && (project === undefined) === (space === undefined))
    return refused(400, 'missing_project_or_space', "Either 'project_id' or 'space_id' has to be given")
  const { parameters } = rest
  const fault =
    faultIn(rest, members) ??
    (route.startsWith('text/generation') && typeof parameters === 'object' && parameters !== null
      ? faultIn(Object.fromEntries(Object.entries(parameters)), PARAMETERS)
      : undefined)
  if (fault?.kind === 'unknown')
    return invalid(`Json document validation error: unexpected field '${fault.name}'`)
  if (fault !== undefined) return invalid(`Json document validation error: '${fault.name}' is required`)
  if (model === 'ibm/none')
    return refused(404, 'model_not_supported', `Model '${model}' is not supported for this environment`)
  if (!route.startsWith('text/chat')) return undefined
  const wrong = messageFault(rest['messages'], (role) => role === 'user')
  return wrong === undefined ? undefined : invalid(`Json document validation error: ${wrong} is wrong`)
}

function served(route: string, body: JsonObject, deployment: string | undefined): Reply {
  const model = typeof body['model_id'] === 'string' ? body['model_id'] : (deployment ?? '')
  const own = { model_id: model, model: model, model_version: '1.0.0', created_at: '2023-11-14T22:13:20Z' }
  const system = { warnings: [{ message: 'This model is a double.', id: 'double' }] }
  const { inputs } = body
  const count = Array.isArray(inputs) ? inputs.length : 1
  switch (route) {
    case 'text/chat':
      return goodReply(chatAnswer(saidTo(body), { ...own, system }))
    case 'text/chat_stream':
      return eventsReply(numbered(chatChunks(saidTo(body), own)))
    case 'text/generation':
      return goodReply({ ...own, results: [generated('pong', 1, 5, 'eos_token')], system })
    case 'text/generation_stream':
      return eventsReply(
        numbered([
          { ...own, results: [generated('', 0, 5, 'not_finished')] },
          { ...own, results: [generated('pong', 1, 0, 'eos_token')] },
        ]),
      )
    case 'text/embeddings': {
      const results = Array.from({ length: count }, () => ({ embedding: [0.1, 0.2, 0.3] }))
      return goodReply({ ...own, results, input_token_count: 4 })
    }
    default: {
      const results = Array.from({ length: count }, (_, index) => ({ index, score: 0.9 / (index + 1) }))
      return goodReply({ ...own, results: results.slice(0, topOf(body) ?? count), input_token_count: 4 })
    }
  }
}

function topOf(body: JsonObject): number | undefined {
  const text = JSON.stringify(body['parameters'] ?? {})
  const top = /"top_n":(\d+)/.exec(text)?.[1]
  return top === undefined ? undefined : Number(top)
}

function generated(text: string, written: number, read: number, reason: string): JsonObject {
  return {
    generated_text: text,
    generated_token_count: written,
    input_token_count: read,
    stop_reason: reason,
  }
}

function numbered(events: readonly JsonObject[]): readonly string[] {
  return events.map((event, at) => `id: ${at + 1}\nevent: message\ndata: ${JSON.stringify(event)}\n\n`)
}

function token(call: NativeCall): Reply {
  const form = formOf(call)
  const key = form?.get('apikey') ?? ''
  if (call.method !== 'POST' || form?.get('grant_type') !== 'urn:ibm:params:oauth:grant-type:apikey')
    return iam(400, 'BXNIM0106E', 'Property missing or empty: grant_type')
  if (key === '' || strangeFields(form, ['grant_type', 'apikey']).length > 0)
    return iam(400, 'BXNIM0109E', 'Property missing or empty: apikey')
  if (key.startsWith('wrong') || call.keys?.has(key) === false)
    return iam(400, 'BXNIM0415E', 'Provided API key could not be found.')
  const expiration = 4_102_444_800
  const scope = 'ibm openid'
  return goodReply({
    access_token: tokenFor(key),
    refresh_token: 'not_supported',
    token_type: 'Bearer',
    expires_in: 3_600,
    expiration,
    scope,
  })
}

function iam(status: number, code: string, message: string): Reply {
  return jsonReply(status, { errorCode: code, errorMessage: message, context: { requestId: '0' } })
}

function invalid(message: string): Reply {
  return refused(400, 'invalid_request_entity', message)
}

function refused(status: number, code: string, message: string): Reply {
  const more = 'https://cloud.ibm.com/apidocs/watsonx-ai'
  return jsonReply(status, { errors: [{ code, message, more_info: more }], trace: '0', status_code: status })
}

function error(status: number, message: string, headers: Readonly<Record<string, string>>): Reply {
  const code = status === 429 ? 'rate_limit_reached_requests' : 'downstream_request_failed'
  return jsonReply(status, { errors: [{ code, message }], trace: '0', status_code: status }, headers)
}
