import type { Deployment } from '../../core/deployment.ts'
import { asGatewayError, GatewayError } from '../../core/failure.ts'
import { isJsonObject } from '../../core/json.ts'
import type { JsonObject } from '../../core/json.ts'
import type { Line } from '../../providers/call.ts'
import {
  askCall,
  hasRealtimeCalls,
  realtimeCallRequest,
  realtimeStepRequest,
} from '../../providers/realtime-calls.ts'
import type { CallOffer, CallStep } from '../../providers/realtime-calls.ts'
import { ableCandidates, type Ability } from './able.ts'
import { createCopyHeaders, successHeaders } from '../answer/answer-head.ts'
import type { AnswerHeaders } from '../answer/answer-head.ts'
import type { RelayAnswer } from '../answer/relay-answer.ts'
import { candidateLine } from '../choice/candidate-line.ts'
import type { LineDeps } from '../choice/candidate-line.ts'
import type { Candidate, Directory } from '../choice/directory.ts'
import { severalTries } from '../journey/several-tries.ts'
import type { Outcome, Try, TryDeps } from '../journey/several-tries.ts'
import { decodeObjectId, deploymentKey, encodeObjectId, noSuch } from '../objects/id.ts'
import { limitsOf } from '../relay.ts'
import type { Exchange, RelaySettings } from '../relay.ts'
import { refuse, unknownModel } from '../request/request.ts'
import type { WireRequest, WireResponse } from '../road.ts'
import { grantedLine } from './granted.ts'
import { sessionModel, withSessionModel } from './model.ts'
import type { SessionGrant } from './session-keys.ts'

/** What calls over WebRTC run on. */
export interface RealtimeCallDeps extends LineDeps, TryDeps {
  readonly deployments: readonly Deployment[]
  readonly directory: Directory
  readonly settings: TryDeps['settings'] & RelaySettings
}

/** A client that wants to speak to a model over a peer connection of its own. */
export interface RealtimeCallRequest extends CallOffer {
  /** The name in a header or the query; it beats the session's. */
  readonly model: string | undefined
  /** What the client's key is good for; undefined where it may ask for everything. */
  readonly grant: SessionGrant | undefined
}

/** What is to be done to a call. */
export interface RealtimeStepRequest {
  /** As it stands in the path. */
  readonly id: string
  readonly step: CallStep
  /** The name in a header or the query: whom an id that is the provider's own belongs to. */
  readonly model: string | undefined
  readonly body?: JsonObject
}

/** Begins calls at providers, and takes what is done to them to where they are. Sound never comes by here. */
export interface RealtimeCalls {
  /** Never throws: whatever goes wrong becomes `answer.fail`. */
  create(request: RealtimeCallRequest, answer: RelayAnswer): Exchange
  /** The same. */
  step(request: RealtimeStepRequest, answer: RelayAnswer): Exchange
}

const ROUTE = '/realtime/calls'
const ABILITY: Ability = { route: ROUTE, isAble: hasRealtimeCalls, lack: 'takes no calls over WebRTC' }
const MAX_ANSWER_BYTES = 1024 * 1024

/** Makes the calls' side of one gateway. */
export function createRealtimeCalls(deps: RealtimeCallDeps): RealtimeCalls {
  const carry = (run: (signal: AbortSignal) => Promise<Outcome<void>>, answer: RelayAnswer): Exchange => {
    const leaving = new AbortController()
    run(leaving.signal)
      .then((outcome) => {
        if ('failure' in outcome) answer.fail(outcome.failure, outcome.route)
      })
      .catch((error: unknown) => answer.fail(asGatewayError(error), {}))
    return { resume: () => {}, cancel: () => leaving.abort() }
  }
  return {
    create: (request, answer) => carry((signal) => created(deps, request, answer, signal), answer),
    step: (request, answer) => carry((signal) => stepped(deps, request, answer, signal), answer),
  }
}

async function created(
  deps: RealtimeCallDeps,
  request: RealtimeCallRequest,
  answer: RelayAnswer,
  signal: AbortSignal,
): Promise<Outcome<void>> {
  const { grant, sdp, session } = request
  const named = request.model ?? sessionModel('client_secrets', session === undefined ? {} : { session })
  const granted = grant === undefined ? undefined : grantedLine(deps, ROUTE, grant, named)
  const model = grant?.model ?? named
  if (model === undefined) throw unknownModel({ route: ROUTE }, null)
  const candidates = granted === undefined ? ableCandidates(deps, model, ABILITY) : [granted.chosen]
  return asked(deps, { model, candidates, signal, answer }, (attempt) => {
    const line = granted?.line ?? candidateLine(deps, ROUTE, model, attempt.candidate)
    const isSettled = granted !== undefined && session === undefined
    const wanted = isSettled ? undefined : described(session, line.target.model)
    const wire = realtimeCallRequest(line, { sdp, ...(wanted !== undefined && { session: wanted }) })
    return { line, wire, head: (response) => headOf(line.deployment, response) }
  })
}

/** The session with the provider's name of the model. */
function described(session: JsonObject | undefined, model: string): JsonObject | undefined {
  const body = withSessionModel('client_secrets', session === undefined ? {} : { session }, model)
  return isJsonObject(body['session']) ? body['session'] : undefined
}

/**
 * Where the call is, by an id that remembers its deployment.
 * @throws GatewayError wrong_shape where there is no call: somebody else answered, such as a page to sign in on
 */
function headOf({ id }: Deployment, { headers, body }: WireResponse): AnswerHeaders {
  if (!Buffer.from(body).toString('latin1', 0, 64).trimStart().startsWith('v='))
    throw new GatewayError('wrong_shape', 'answered with no session description')
  const location = headers['location']
  const upstreamId = location?.split('?')[0]?.split('/').at(-1) ?? ''
  const type = { 'content-type': 'application/sdp' }
  if (!/^[\w.-]{1,256}$/.test(upstreamId)) return type
  return { ...type, location: `/v1${ROUTE}/${encodeObjectId('call', deploymentKey(id), upstreamId)}` }
}

async function stepped(
  deps: RealtimeCallDeps,
  request: RealtimeStepRequest,
  answer: RelayAnswer,
  signal: AbortSignal,
): Promise<Outcome<void>> {
  const { id, step, body } = request
  const ours = decodeObjectId('call', id)
  const model = request.model ?? (typeof body?.['model'] === 'string' ? body['model'] : undefined)
  const candidates = ours === undefined ? candidatesNamed(deps, model) : homeOf(deps, ours.deployment, id)
  return asked(deps, { model: undefined, candidates, signal, answer }, ({ candidate, line: plain }) => {
    const line = model === undefined ? plain : candidateLine(deps, ROUTE, model, candidate)
    // Whoever accepts a call says what answers it.
    const said = body?.['model'] === undefined ? body : { ...body, model: line.target.model }
    const wire = realtimeStepRequest(line, ours?.upstreamId ?? id, step, said)
    return { line, wire, head: ({ headers }) => typeOf(headers) }
  })
}

function typeOf({ 'content-type': type }: AnswerHeaders): AnswerHeaders {
  return type === undefined || !WRITABLE.test(type) ? {} : { 'content-type': type }
}

/** What can be said in a header. */
const WRITABLE = /^[\u0020-\u007e]{1,512}$/

function candidatesNamed(deps: RealtimeCallDeps, model: string | undefined): readonly Candidate[] {
  if (model !== undefined) return ableCandidates(deps, model, ABILITY)
  throw refuse(
    `${ROUTE}: nothing says whose call this is: give an id that came from this gateway, or name a model by ` +
      '`?model=` or the header `x-litellm-model`.',
    'model',
  )
}

function homeOf({ deployments }: RealtimeCallDeps, key: string, id: string): readonly Candidate[] {
  const home = deployments.find((each) => deploymentKey(each.id) === key)
  if (home === undefined) throw noSuch('call', id, 'its deployment is not in the config (any more)')
  return [{ deployment: home }]
}

/** Whom to ask for a call. */
interface Asked {
  readonly model: string | undefined
  readonly candidates: readonly Candidate[]
  readonly signal: AbortSignal
  readonly answer: RelayAnswer
}

/** A request to one of them, and what is said of its answer. */
interface Prepared {
  readonly line: Line
  readonly wire: WireRequest
  readonly head: (response: WireResponse) => AnswerHeaders
}

function asked(
  deps: RealtimeCallDeps,
  { model, candidates, signal, answer }: Asked,
  prepare: (attempt: Try) => Prepared,
): Promise<Outcome<void>> {
  const errand = { model, candidates, isSteady: false, isCostly: true, isWork: true, answer, signal }
  return severalTries(deps, errand, async (attempt) => {
    const { line, wire, head } = prepare(attempt)
    const { route, detours, connectTimeoutMs } = attempt
    const limits = limitsOf(deps.settings, line.deployment, {}, undefined)
    const own = { ...limits, connectTimeoutMs, maxBytes: MAX_ANSWER_BYTES, signal }
    const response = await askCall(line, wire, own)
    const body = Buffer.from(response.body)
    const length = { 'content-length': String(body.length) }
    const headers = { ...successHeaders(route, detours), ...head(response), ...length }
    answer.head(response.status, headers, createCopyHeaders()(response.headers, line.redact))
    answer.data(body)
    answer.end({ bytes: body.length })
  })
}
