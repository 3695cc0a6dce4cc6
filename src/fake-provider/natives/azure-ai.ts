import type { Json, JsonObject } from '../../core/json.ts'
import { azureError, jsonReply, type Reply } from '../reply.ts'
import { claudeAnswer, claudeError } from './azure-claude.ts'
import { chatAnswer, chatChunks, embeddingAnswer, eventsReply, goodReply, saidTo } from './chat-answers.ts'
import { faultIn, messageFault, type Members } from './members.ts'
import type { Native, NativeCall } from './native.ts'
import { authorizationOf, isToken } from './tokens.ts'

/**
 * Azure AI Foundry: the Model Inference API below `/models` (https://learn.microsoft.com/rest/api/aifoundry/modelinference),
 * the v1 API below `/openai/v1`, models deployed on their own at the root, and Cohere's rerank.
 */
export const azureAi: Native = { id: 'azure_ai', answer, error }

const CHAT =
  `frequency_penalty stream presence_penalty temperature top_p max_tokens response_format stop tools
  tool_choice seed modalities`.split(/\s+/)
const OPENAI_CHAT =
  `max_completion_tokens parallel_tool_calls stream_options logprobs top_logprobs logit_bias n
  reasoning_effort user metadata store audio prediction service_tier verbosity`.split(/\s+/)
/** What the models behind it know, where the service passes on what it does not know itself. */
const OF_MODELS = [...OPENAI_CHAT, 'top_k', 'min_p', 'safe_prompt']
const EMBEDDING = ['dimensions', 'encoding_format', 'input_type']

interface Route {
  readonly serves: 'chat' | 'completion' | 'embedding' | 'image' | 'rerank'
  readonly members: Members
  /** Its date must be given. */
  readonly isDated?: true
}

const chatRoute = (more: readonly string[] = []): Route => ({
  serves: 'chat',
  members: { required: ['messages'], allowed: ['model', ...CHAT, ...more] },
})
const embeddingRoute: Route = {
  serves: 'embedding',
  members: { required: ['input'], allowed: ['model', ...EMBEDDING] },
}
const rerankRoute = (allowed: readonly string[]): Route => ({
  serves: 'rerank',
  members: { required: ['model', 'query', 'documents'], allowed: ['top_n', ...allowed] },
})

const ROUTES: Readonly<Record<string, Route>> = {
  '/models/chat/completions': { ...chatRoute(), isDated: true },
  '/models/embeddings': { ...embeddingRoute, isDated: true },
  '/openai/v1/chat/completions': chatRoute(OPENAI_CHAT),
  '/openai/v1/embeddings': {
    ...embeddingRoute,
    members: { required: ['model', 'input'], allowed: [...EMBEDDING, 'user'] },
  },
  '/chat/completions': chatRoute(),
  '/v1/chat/completions': chatRoute(),
  '/embeddings': embeddingRoute,
  // https://learn.microsoft.com/azure/ai-studio/reference/reference-model-inference-completions
  '/completions': {
    serves: 'completion',
    members: {
      required: ['prompt'],
      allowed: ['model', ...CHAT.filter((name) => !name.startsWith('tool')), 'suffix'],
    },
  },
  '/v1/rerank': rerankRoute(['return_documents', 'max_chunks_per_doc', 'rank_fields']),
  '/v2/rerank': rerankRoute(['max_tokens_per_doc']),
  '/providers/cohere/v2/rerank': rerankRoute(['max_tokens_per_doc']),
}

/**
 * Black Forest Labs' models are asked as OpenAI's are
 * (https://learn.microsoft.com/azure/ai-foundry/foundry-models/concepts/models-sold-directly-by-azure).
 */
const IMAGES: Route = {
  serves: 'image',
  members: { required: ['prompt'], allowed: ['model', 'n', 'size', 'output_format', 'quality', 'user'] },
  isDated: true,
}
const IMAGES_PATH = /^\/openai\/deployments\/[\w.-]+\/images\/generations$/

const CLAUDE_PATH = '/anthropic/v1/messages'

function answer(call: NativeCall): Reply {
  if (call.path === CLAUDE_PATH && call.method === 'POST') {
    return isAuthorized(call)
      ? claudeAnswer(call)
      : claudeError(401, 'authentication_error', 'invalid x-api-key')
  }
  const route = IMAGES_PATH.test(call.path) ? IMAGES : ROUTES[call.path]
  if (route === undefined || call.method !== 'POST') return azureError(404, '404', 'Resource not found')
  const parameter = [...call.query.keys()].find((name) => name !== 'api-version')
  if (parameter !== undefined) return azureError(400, 'BadRequest', `Unknown parameter: ${parameter}`)
  if (route.isDated === true && !call.query.has('api-version'))
    return azureError(400, 'BadRequest', "Query parameter 'api-version' is required.")
  if (call.path.startsWith('/openai/v1') && call.query.has('api-version'))
    return azureError(400, 'BadRequest', 'api-version query parameter is not allowed when using /v1 path')
  if (!isAuthorized(call))
    return azureError(401, '401', 'Access denied due to invalid subscription key or wrong API endpoint.')
  return judge(call, route) ?? served(call.json ?? {}, route)
}

function isAuthorized(call: NativeCall): boolean {
  const key = call.headers['api-key'] ?? call.headers['x-api-key'] ?? authorizationOf(call, 'Bearer')
  if (typeof key !== 'string' || key === '') return false
  return call.keys === undefined || call.keys.has(key) || isToken(key, call.keys)
}

function judge(call: NativeCall, { serves, members }: Route): Reply | undefined {
  const { json: body = {}, headers } = call
  const passes =
    serves !== 'rerank' && !call.path.startsWith('/openai/') && headers['extra-parameters'] === 'pass-through'
  const fault = faultIn(body, passes ? { ...members, allowed: [...members.allowed, ...OF_MODELS] } : members)
  if (fault?.kind === 'unknown')
    return azureError(
      400,
      'Bad Request',
      `Extra parameters ['${fault.name}'] are not allowed when extra-parameters is not set or set to be 'error'. Set extra-parameters to 'pass-through' to pass to the model.`,
    )
  if (fault?.kind === 'missing') return azureError(400, 'invalid_input', `${fault.name}: Field required`)
  if (body['model'] === 'no-such-model')
    return azureError(400, 'unknown_model', 'Unknown model: no-such-model')
  if (serves === 'rerank' && call.path.endsWith('/v2/rerank') && !isTexts(body['documents']))
    return azureError(400, 'invalid_input', 'documents: must be strings')
  if (serves !== 'chat') return undefined
  const wrong = messageFault(body['messages'], () => true)
  return wrong === undefined ? undefined : azureError(400, 'invalid_input', `${wrong}: invalid input`)
}

function served(body: JsonObject, { serves }: Route): Reply {
  const { model, documents } = body
  switch (serves) {
    case 'chat': {
      const said = saidTo(body)
      if (body['stream'] !== true) return goodReply(chatAnswer(said, { model }))
      const wanted = typeof body['stream_options'] === 'object'
      const chunks = chatChunks(said, { model }).filter(({ usage }) => wanted || usage === undefined)
      return eventsReply([...chunks.map((chunk) => `data: ${JSON.stringify(chunk)}\n\n`), 'data: [DONE]\n\n'])
    }
    case 'completion': {
      const choices = [{ index: 0, text: 'pong', finish_reason: 'stop', logprobs: null }]
      return goodReply({ id: 'cmpl-1', object: 'text_completion', created: 1_700_000_000, model, choices })
    }
    case 'image':
      return goodReply({ created: 1_700_000_000, data: [{ b64_json: 'iVBORw0KGgo=' }] })
    case 'embedding':
      return goodReply(embeddingAnswer(body, model))
    case 'rerank': {
      const count = Array.isArray(documents) ? documents.length : 1
      const { top_n: top = count } = body
      const results = Array.from({ length: count }, (_, index) => ({
        index,
        relevance_score: 0.9 / (index + 1),
      }))
      return goodReply({
        id: 'r1',
        results: results.slice(0, Number(top)),
        meta: { billed_units: { search_units: 1 } },
      })
    }
  }
}

function isTexts(documents: Json | undefined): boolean {
  return Array.isArray(documents) && documents.every((one: Json) => typeof one === 'string')
}

const CODES: Readonly<Record<number, string>> = { 404: 'unknown_model', 429: 'RateLimitReached' }

function error(status: number, message: string, headers: Readonly<Record<string, string>>): Reply {
  return jsonReply(status, { error: { code: CODES[status] ?? String(status), message } }, headers)
}
