import { jsonReply, type Reply } from '../reply.ts'
import { isJsonObject } from '../../core/json.ts'
import { counted, embeddings, googleError, modelReply } from './google.ts'
import { COUNT } from './google-shapes.ts'
import { liveSession } from './live.ts'
import type { Native, NativeCall } from './native.ts'

/** A base that somebody wrote may stand for the version: LiteLLM puts nothing else between it and the model. */
const METHOD = /^(?:\/v1(?:beta|alpha)?)?\/((?:models|tunedModels)\/([^/:]+)):(\w+)$/
const LIVE = /^\/ws\/google\.ai\.generativelanguage\.v1(beta|alpha)\.GenerativeService\.BidiGenerateContent$/

/** Google AI Studio (https://ai.google.dev/api). */
export const GEMINI: Native = {
  id: 'gemini',
  paths: /^\/models\/[^/:]+:(generateContent|streamGenerateContent|batchEmbedContents|countTokens)$/,
  answer: (call) => refusedKey(call) ?? listed(call) ?? method(call),
  error: googleError,
  session: (call) => {
    if (!LIVE.test(call.path)) return googleError(404, `${call.path} was not found on this server.`)
    return refusedKey(call) ?? liveSession(/^models\/.+/)
  },
}

function method(call: NativeCall): Reply {
  const [, name = '', model = '', verb = ''] = METHOD.exec(decodeURIComponent(call.path)) ?? []
  if (name === '') return googleError(404, 'The requested URL was not found on this server.')
  const reply =
    verb === 'batchEmbedContents'
      ? embeddings(call, name)
      : verb === 'countTokens'
        ? (refusedModel(call, name) ?? counted(call, COUNT))
        : modelReply(call, model, verb)
  return (
    reply ?? googleError(404, `${name} is not found for API version v1beta, or is not supported for ${verb}.`)
  )
}

/** A whole request names its model, and no other. */
function refusedModel({ json }: NativeCall, name: string): Reply | undefined {
  const whole = json?.['generateContentRequest']
  return !isJsonObject(whole) || whole['model'] === name
    ? undefined
    : googleError(
        400,
        '* CountTokensRequest.generateContentRequest.model: model must match the one of the path\n',
      )
}

/** The models, which are free to look at. */
function listed(call: NativeCall): Reply | undefined {
  if (call.method !== 'GET' || !/^\/v1(beta|alpha)?\/models$/.test(call.path)) return undefined
  const unknown = [...call.query.keys()].find((name) => name !== 'pageSize' && name !== 'pageToken')
  if (unknown !== undefined)
    return googleError(400, `Unknown name "${unknown}": Cannot bind query parameter.`)
  const supported = ['generateContent', 'countTokens']
  return jsonReply(200, {
    models: [{ name: 'models/gemini-2.5-flash', version: '001', supportedGenerationMethods: supported }],
  })
}

/** The key stands in its header, and nothing else in another one's. */
function refusedKey({ headers, query, keys }: NativeCall): Reply | undefined {
  const key = headers['x-goog-api-key']
  if (headers['authorization'] !== undefined)
    return googleError(
      401,
      'Request had invalid authentication credentials. Expected OAuth 2 access token, login cookie or other valid authentication credential.',
    )
  if (typeof key !== 'string' || key === '' || query.has('key'))
    return googleError(
      403,
      "Method doesn't allow unregistered callers (callers without established identity). Please use API Key or other form of API consumer identity to call this API.",
    )
  if (keys === undefined || keys.has(key)) return undefined
  const details = [
    {
      '@type': 'type.googleapis.com/google.rpc.ErrorInfo',
      reason: 'API_KEY_INVALID',
      domain: 'googleapis.com',
    },
  ]
  return googleError(400, 'API key not valid. Please pass a valid API key.', {}, details)
}
