import { asGatewayError, GatewayError } from '../../core/failure.ts'
import { isJsonObject } from '../../core/json.ts'
import type { JsonObject } from '../../core/json.ts'
import { Secret } from '../../core/secret.ts'
import type { RealtimeKeyRoute } from '../../providers/adapter.ts'
import { askObject, hasRealtimeKeys, realtimeKeyRequest } from '../../providers/objects.ts'
import { ableCandidates } from './able.ts'
import { createCopyHeaders, successHeaders } from '../answer/answer-head.ts'
import { candidateLine } from '../choice/candidate-line.ts'
import type { LineDeps } from '../choice/candidate-line.ts'
import type { Candidate, Directory } from '../choice/directory.ts'
import type { RelayAnswer } from '../answer/relay-answer.ts'
import { sessionModel, withSessionModel } from './model.ts'
import { limitsOf } from '../relay.ts'
import type { Exchange, RelaySettings } from '../relay.ts'
import { unknownModel } from '../request/request.ts'
import type { SessionKeys } from './session-keys.ts'
import { severalTries } from '../journey/several-tries.ts'
import type { Outcome, Try, TryDeps } from '../journey/several-tries.ts'

/** What keys for sessions are made of. */
export interface RealtimeKeyDeps extends LineDeps, TryDeps {
  readonly directory: Directory
  readonly sessionKeys: SessionKeys
  readonly settings: TryDeps['settings'] & RelaySettings
}

/** A client that wants a key to hand to a browser. */
export interface RealtimeKeyRequest {
  readonly route: RealtimeKeyRoute
  /** The name in the path, a header or the query; it beats the body's. */
  readonly model: string | undefined
  /** What the session will be. */
  readonly body: JsonObject
}

/** Asks providers for keys of one session, and gives out its own in their place. */
export interface RealtimeKeys {
  /** Never throws: whatever goes wrong becomes `answer.fail`. */
  create(request: RealtimeKeyRequest, answer: RelayAnswer): Exchange
}

const MAX_ANSWER_BYTES = 1024 * 1024
/** A key that does not say how long it lives, as the beta's did: a minute. */
const DEFAULT_LIFE_MS = 60_000
/** The longest life that OpenAI gives. */
const LONGEST_LIFE_MS = 7_200_000

/** Makes the keys' side of one gateway. */
export function createRealtimeKeys(deps: RealtimeKeyDeps): RealtimeKeys {
  return {
    create: (request, answer) => {
      const leaving = new AbortController()
      const carry = async (): Promise<void> => {
        const outcome = await created(deps, request, answer, leaving.signal)
        if ('failure' in outcome) answer.fail(outcome.failure, outcome.route)
      }
      carry().catch((error: unknown) => answer.fail(asGatewayError(error), {}))
      return { resume: () => {}, cancel: () => leaving.abort() }
    },
  }
}

async function created(
  deps: RealtimeKeyDeps,
  request: RealtimeKeyRequest,
  answer: RelayAnswer,
  signal: AbortSignal,
): Promise<Outcome<void>> {
  const route = `/realtime/${request.route}`
  const model = request.model ?? sessionModel(request.route, request.body)
  if (model === undefined) throw unknownModel({ route }, null)
  const candidates = ableCandidates(deps, model, {
    route,
    isAble: hasRealtimeKeys,
    lack: 'hands out no keys',
  })
  const errand = { model, candidates, isSteady: false, isCostly: false, isWork: true, answer, signal }
  return severalTries(deps, errand, (attempt) =>
    give(deps, request, { model, route }, attempt, answer, signal),
  )
}

async function give(
  deps: RealtimeKeyDeps,
  { route, body }: RealtimeKeyRequest,
  asked: { readonly model: string; readonly route: string },
  { candidate, route: routeHeaders, detours, connectTimeoutMs }: Try,
  answer: RelayAnswer,
  signal: AbortSignal,
): Promise<void> {
  const line = candidateLine(deps, asked.route, asked.model, candidate)
  const wire = realtimeKeyRequest(line, route, withSessionModel(route, body, line.target.model))
  const limits = limitsOf(deps.settings, line.deployment, {}, undefined)
  const own = { ...limits, connectTimeoutMs, maxBytes: MAX_ANSWER_BYTES, signal }
  const { status, headers, json } = await askObject(line, wire, own, 'a key')
  const text = withOurKeys(deps, asked.model, candidate, json)
  const bytes = Buffer.from(text)
  const head = {
    ...successHeaders(routeHeaders, detours),
    'content-type': 'application/json',
    'content-length': String(bytes.length),
  }
  answer.head(status, head, createCopyHeaders()(headers, line.redact))
  answer.data(bytes)
  answer.end({ bytes: bytes.length })
}

/**
 * The answer with keys of ours wherever one of the provider's stood: used at the provider, its own would open a
 * session that passes this gateway by.
 */
function withOurKeys(
  { sessionKeys, clock }: RealtimeKeyDeps,
  model: string,
  { deployment }: Candidate,
  json: JsonObject,
): string {
  const keys = keysIn(json)
  if (keys.length === 0) throw new GatewayError('wrong_shape', 'answered without a key for the session')
  let text = JSON.stringify(json)
  for (const { value, expiresAt } of keys) {
    const now = clock.now()
    const endMs = expiresAt === undefined ? now + DEFAULT_LIFE_MS : expiresAt * 1000
    const grant = {
      deploymentId: deployment.id,
      model,
      key: new Secret(value),
      expiresAtMs: Math.min(endMs, now + LONGEST_LIFE_MS),
    }
    text = text.replaceAll(JSON.stringify(value).slice(1, -1), () => sessionKeys.give(grant))
  }
  return text
}

interface FoundKey {
  readonly value: string
  /** Seconds since 1970. */
  readonly expiresAt: number | undefined
}

/** `value` of today's form, `client_secret.value` of the beta's and inside a session. */
function keysIn(json: JsonObject): readonly FoundKey[] {
  const { client_secret: beta, session } = json
  const inSession = isJsonObject(session) ? session['client_secret'] : undefined
  const found = [json, beta, inSession].flatMap((holder): readonly FoundKey[] => {
    if (!isJsonObject(holder)) return []
    const { value, expires_at: expiresAt } = holder
    if (typeof value !== 'string' || value === '') return []
    return [{ value, expiresAt: typeof expiresAt === 'number' ? expiresAt : undefined }]
  })
  return found.filter(({ value }, index) => found.findIndex((each) => each.value === value) === index)
}
