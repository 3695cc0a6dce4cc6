import { createHash, createPublicKey, verify } from 'node:crypto'
import { isJsonObject, type Json, type JsonObject } from '../../core/json.ts'
import { jsonReply, type Reply } from '../reply.ts'
import { counted, googleError, modelReply, refusedBody, vectorOf } from './google.ts'
import { VERTEX_COUNT, VERTEX_EMBED } from './google-shapes.ts'
import { liveSession } from './live.ts'
import type { Native, NativeCall } from './native.ts'
import { claudeCount, claudeErrorAfter, claudeReply } from './vertex-claude.ts'
import { partnerReply } from './vertex-partners.ts'

const METHOD =
  /^\/v1(?:beta1)?\/projects\/[^/]+\/locations\/([a-z0-9-]+)\/(?:publishers\/google\/models|endpoints)\/([^/:]+):(\w+)$/
const CLAUDE =
  /^\/v1\/projects\/[^/]+\/locations\/[a-z0-9-]+\/publishers\/anthropic\/models\/(claude-[^/:]+):(rawPredict|streamRawPredict)$/
/** A model of its own counts for all Claudes, and not everywhere. */
const CLAUDE_COUNT =
  /^\/v1\/projects\/[^/]+\/locations\/(us-east5|us-central1|europe-west1|europe-west4|asia-east1|asia-southeast1)\/publishers\/anthropic\/models\/count-tokens:rawPredict$/
const LIVE = /^\/ws\/google\.cloud\.aiplatform\.v1(beta1)?\.LlmBidiService\/BidiGenerateContent$/
const LIVE_MODEL = /^projects\/[^/]+\/locations\/[^/]+\/publishers\/google\/models\/[^/]+$/

/** Vertex AI, and in the same place the endpoint that gives its tokens. */
export const VERTEX_AI: Native = {
  id: 'vertex_ai',
  paths: /^\/v1(?:beta1)?\/projects\/.+$/,
  answer: (call) => (call.path === '/token' ? token(call) : (refusedToken(call) ?? method(call))),
  error: googleError,
  errorAfter: claudeErrorAfter,
  session: (call) => {
    if (!LIVE.test(call.path)) return googleError(404, `${call.path} was not found on this server.`)
    return refusedToken(call) ?? liveSession(LIVE_MODEL, ['user', 'model', 'system'])
  },
}

function method(call: NativeCall): Reply {
  if (CLAUDE_COUNT.test(call.path)) return claudeCount(call)
  const [, claude, how] = CLAUDE.exec(decodeURIComponent(call.path)) ?? []
  if (claude !== undefined) return claudeReply(call, claude, how === 'streamRawPredict')
  const partners = partnerReply(call)
  if (partners !== undefined) return partners
  const [, location = '', model = '', verb = ''] = METHOD.exec(decodeURIComponent(call.path)) ?? []
  if (model === '') return googleError(404, 'The requested URL was not found on this server.')
  const isEmbedding = verb === 'predict' && /embedding/.test(model)
  if (verb === 'countTokens') return counted(call, VERTEX_COUNT)
  return (
    (isEmbedding ? embedded(call) : modelReply(call, model, verb)) ??
    googleError(404, `Publisher Model \`publishers/google/models/${model}\` was not found in ${location}.`)
  )
}

function embedded(call: NativeCall): Reply {
  const refused = refusedBody(call, VERTEX_EMBED)
  if (refused !== undefined) return refused
  const instances = call.json?.['instances']
  if (!Array.isArray(instances) || instances.length === 0) return googleError(400, 'Empty instances.')
  const parameters = call.json?.['parameters']
  const size = isJsonObject(parameters) ? parameters['outputDimensionality'] : undefined
  return jsonReply(200, {
    predictions: instances.map(() => ({
      embeddings: { statistics: { truncated: false, token_count: 1 }, values: vectorOf(size) },
    })),
  })
}

/** A token that this very server gave, or an API key in its header. */
function refusedToken({ headers, keys }: NativeCall): Reply | undefined {
  const bearer = /^Bearer (\S+)$/.exec(headers['authorization'] ?? '')?.[1]
  const key = headers['x-goog-api-key']
  const shown = bearer ?? (typeof key === 'string' ? key : undefined)
  const isBoth = bearer !== undefined && key !== undefined
  const isWellFormed = bearer === undefined ? shown !== undefined && shown !== '' : bearer.startsWith('ya29.')
  const isKnown = shown !== undefined && (keys === undefined || keys.has(shown) || GIVEN.test(shown))
  if (!isBoth && isWellFormed && isKnown) return undefined
  return googleError(
    401,
    'Request had invalid authentication credentials. Expected OAuth 2 access token, login cookie or other valid authentication credential. See https://developers.google.com/identity/sign-in/web/devconsole-project.',
  )
}

const GIVEN = /^ya29\.fake-[\w-]{43}$/
const ASSERTION = 'urn:ietf:params:oauth:grant-type:jwt-bearer'
const SCOPE = 'https://www.googleapis.com/auth/cloud-platform'

/**
 * A token for a signed assertion (https://developers.google.com/identity/protocols/oauth2/service-account#httprest). The
 * key that it is checked with is the one that its `kid` is: service accounts of tests are named so.
 */
function token(call: NativeCall): Reply {
  if (call.method !== 'POST') return googleError(405, 'Only POST is allowed here')
  if (!(call.headers['content-type'] ?? '').startsWith('application/x-www-form-urlencoded'))
    return denied('invalid_request', 'The body must be a form.')
  const form = new URLSearchParams(call.body.toString())
  const unknown = [...form.keys()].find((name) => name !== 'grant_type' && name !== 'assertion')
  if (unknown !== undefined) return denied('invalid_request', `Unknown parameter: ${unknown}`)
  if (form.get('grant_type') !== ASSERTION) return denied('unsupported_grant_type', 'Invalid grant_type')
  const claims = verified(form.get('assertion') ?? '')
  if (claims === undefined) return denied('invalid_grant', 'Invalid JWT Signature.')
  const wrong = claimObjection(claims, call)
  if (wrong !== undefined) return denied('invalid_grant', wrong)
  const secret = `ya29.fake-${createHash('sha256').update(JSON.stringify(claims['iss'])).digest('base64url')}`
  return jsonReply(200, { access_token: secret, expires_in: 3599, token_type: 'Bearer' })
}

function denied(error: string, description: string): Reply {
  return jsonReply(400, { error, error_description: description })
}

/** The claims of an assertion whose signature is right. */
function verified(assertion: string): JsonObject | undefined {
  const [head = '', body = '', signature = '', ...more] = assertion.split('.')
  const header = decoded(head)
  const kid = header?.['kid']
  if (more.length > 0 || header?.['alg'] !== 'RS256' || typeof kid !== 'string') return undefined
  try {
    const key = createPublicKey({ key: Buffer.from(kid, 'base64url'), format: 'der', type: 'spki' })
    const said = Buffer.from(`${head}.${body}`)
    return verify('RSA-SHA256', said, key, Buffer.from(signature, 'base64url')) ? decoded(body) : undefined
  } catch {
    return undefined // No key of this server's.
  }
}

function decoded(part: string): JsonObject | undefined {
  try {
    const value: Json = JSON.parse(Buffer.from(part, 'base64url').toString())
    return isJsonObject(value) ? value : undefined
  } catch {
    return undefined
  }
}

function claimObjection({ iss, aud, scope, iat, exp }: JsonObject, call: NativeCall): string | undefined {
  if (typeof iss !== 'string' || !iss.endsWith('.iam.gserviceaccount.com')) return 'Invalid issuer'
  if (
    typeof aud !== 'string' ||
    !aud.startsWith(`http://${String(call.headers.host)}/`) ||
    !aud.endsWith('/token')
  )
    return 'Invalid JWT: Failed audience check.'
  if (scope !== SCOPE) return 'Invalid OAuth scope or ID token audience provided.'
  if (typeof iat !== 'number' || typeof exp !== 'number' || exp <= iat || exp - iat > 3_600)
    return 'Invalid JWT: Token must be a short-lived token (60 minutes) and in a reasonable timeframe. Check your iat and exp values in the JWT claim.'
  return undefined
}
