import type { JsonObject } from '../../core/json.ts'
import { isJsonObject } from '../../core/json.ts'
import type { Reply } from '../reply.ts'
import { strangeMember } from './asked.ts'
import { compatibleNative } from './compatible.ts'
import { googleError } from './google.ts'
import { nameSet } from './misplaced.ts'
import { MISTRAL } from './mistral.ts'
import type { NativeCall } from './native.ts'

const PLACE = '^/v1(?:beta1)?/projects/[^/]+/locations/[a-z0-9-]+'
const SHARED = new RegExp(`${PLACE}/endpoints/openapi(/chat/completions|/embeddings)$`)
const DEPLOYED = new RegExp(`${PLACE}/endpoints/\\d+/chat/completions$`)
const PARTNER = new RegExp(
  `${PLACE}/publishers/(mistralai|ai21)/models/([\\w.@-]+):(rawPredict|streamRawPredict)$`,
)

/**
 * OpenAI's words as open models there take them
 * (https://docs.cloud.google.com/vertex-ai/generative-ai/docs/maas/call-open-model-apis, read 2026-11-27). Who calls has
 * shown a token already.
 */
const OPEN = compatibleNative({
  id: 'vertex-open',
  source: 'https://docs.cloud.google.com/vertex-ai/generative-ai/docs/maas/call-open-model-apis',
  base: 'https://open.test/v1',
  isKeyless: true,
  serves: ['embedding'],
  budget: 'max_tokens',
  models: 'none',
})

/** The answer of a model that is not Google's and not Claude; undefined for any other path. */
export function partnerReply(call: NativeCall): Reply | undefined {
  const path = decodeURIComponent(call.path)
  const route = SHARED.exec(path)?.[1]
  if (route !== undefined) return shared(call, route)
  if (DEPLOYED.test(path)) return deployed(call)
  const [, publisher, model = '', method = ''] = PARTNER.exec(path) ?? []
  if (publisher === undefined) return undefined
  const isStream = method === 'streamRawPredict'
  if ((call.json?.['stream'] === true) !== isStream)
    return googleError(400, `${method} does not go with this "stream".`)
  return publisher === 'ai21' ? ai21(call, model) : mistral(call, model)
}

/**
 * What bodies may hold (https://docs.cloud.google.com/vertex-ai/generative-ai/docs/multimodal/call-vertex-using-openai-library,
 * read 2026-11-27), with `top_k`, which open models have.
 */
const MEMBERS: Readonly<Record<string, ReadonlySet<string>>> = {
  '/chat/completions': nameSet(
    `model messages max_tokens n frequency_penalty presence_penalty reasoning_effort response_format seed stop stream
    stream_options temperature top_p top_k tools tool_choice logprobs top_logprobs logit_bias user`,
  ),
  '/embeddings': nameSet('model input encoding_format dimensions'),
}

/** The model stands in the body, with its publisher. */
function shared(call: NativeCall, route: string): Reply {
  const model = call.json?.['model']
  if (typeof model !== 'string' || !/^[a-z0-9-]+\/[\w.-]+$/.test(model))
    return listed(googleError(400, 'Malformed publisher model (expected {publisher}/{model}).'))
  const strange = strangeMember(call.json ?? {}, MEMBERS[route] ?? new Set())
  if (strange !== undefined)
    return listed(
      googleError(400, `Invalid JSON payload received. Unknown name "${strange}": Cannot find field.`),
    )
  return asked(call, route, call.json)
}

/** One endpoint, one model: its server knows no name of it. */
function deployed(call: NativeCall): Reply {
  if (call.json?.['model'] !== '') return listed(googleError(404, 'The model does not exist here.'))
  return asked(call, '/chat/completions', { ...call.json, model: 'the-model' })
}

function ai21(call: NativeCall, model: string): Reply {
  if (call.json?.['model'] !== model) return googleError(400, `model must be ${model}`)
  return asked(call, '/chat/completions', call.json)
}

function mistral(call: NativeCall, model: string): Reply {
  if (call.json?.['model'] !== model.replace(/@.*$/, '')) return googleError(400, 'Invalid model.')
  const { keys: _, ...rest } = call
  const headers = { ...call.headers, authorization: 'Bearer was-seen' }
  // A prompt asks for what is missing in the middle, of who can do that.
  const isFim = call.json['prompt'] !== undefined && model.startsWith('codestral')
  const path = isFim ? '/v1/fim/completions' : '/v1/chat/completions'
  return MISTRAL.answer({ ...rest, headers, path })
}

function asked(call: NativeCall, route: string, json: JsonObject | undefined): Reply {
  const reply = OPEN.answer({ ...call, path: `/v1${route}`, ...(json !== undefined && { json }) })
  return reply.status < 400 ? reply : listed(googleError(reply.status, messageIn(reply)))
}

function messageIn({ chunks }: Reply): string {
  const body: unknown = JSON.parse(chunks.map(String).join(''))
  const error = isJsonObject(body) ? body['error'] : undefined
  return isJsonObject(error) && typeof error['message'] === 'string' ? error['message'] : 'refused'
}

/** These routes put their errors into a list. */
function listed(reply: Reply): Reply {
  return { ...reply, chunks: [`[${reply.chunks.map(String).join('')}]`] }
}
