import type { Usage } from '../../core/answer-facts.ts'
import type { Clock } from '../../core/clock.ts'
import type { Deployment } from '../../core/deployment.ts'
import { asGatewayError, failureRow, GatewayError } from '../../core/failure.ts'
import type { OpenSocket } from '../../core/web-socket.ts'
import type { Line } from '../../providers/call.ts'
import { hasSessions, openSession, sessionTranslator } from '../../providers/open-session.ts'
import { routeHeaders } from '../answer/answer-head.ts'
import type { AnswerHeaders } from '../answer/answer-head.ts'
import { bridge } from './bridge.ts'
import type { Bridge, SessionEnd } from './bridge.ts'
import { candidateLine } from '../choice/candidate-line.ts'
import type { LineDeps } from '../choice/candidate-line.ts'
import type { Candidate, Directory } from '../choice/directory.ts'
import { grantedLine } from './granted.ts'
import { tell } from '../journey/evidence.ts'
import { explain } from '../answer/explain.ts'
import type { Ledger } from '../choice/ledger.ts'
import { NOTHING } from '../request/need.ts'
import { choose, noneAvailable } from '../choice/pick.ts'
import { pickInputs } from '../choice/pick-inputs.ts'
import type { PickDeps } from '../choice/pick-inputs.ts'
import { refuse, unknownModel } from '../request/request.ts'
import type { SessionGrant } from './session-keys.ts'
import { createWaits, MAX_DEPLOYMENTS, OPEN_MS } from './waits.ts'

/** What realtime sessions are made of. */
export interface RealtimeDeps extends LineDeps, PickDeps {
  readonly directory: Directory
  readonly ledger: Pick<Ledger, 'begin' | 'failed' | 'spent'>
  readonly clock: Clock
  readonly settings: {
    /** Where a deployment names no timeout of its own, milliseconds. It bounds the opening, not the session. */
    readonly requestTimeoutMs: number
    /** How long all tries together may wait for connections, milliseconds. */
    readonly connectTimeoutMs: number
  }
}

/** A client that wants a session; its own upgrade waits for the answer. */
export interface SessionRequest {
  /** The name asked for; undefined where the URL has none. */
  readonly model: string | undefined
  /** The client's headers that concern the upstream, lower-case names. */
  readonly headers: AnswerHeaders
  /** True where it speaks the events of the beta; those that are passed on are whatever they are. */
  readonly isBeta: boolean
  /** What the client's key is good for; undefined where it may ask for everything. */
  readonly grant?: SessionGrant | undefined
  /** Told of the deployments that the request comes to: one of its group first, then each that is asked. */
  readonly meets?: (deployment: Deployment) => void
  /** The client is gone, or the process ends. */
  readonly signal: AbortSignal
}

/** A session whose upstream side is open and waits, unread. */
export interface Session {
  /** Says who answers: for the client's upgrade. */
  readonly headers: AnswerHeaders
  /** Joins the client's socket. */
  join(client: OpenSocket, told: SessionListener): Bridge
  /** The client never came: the upstream is told so. */
  abandon(): void
}

/** Told how a session goes. */
export interface SessionListener {
  /** Called once. */
  readonly ended: (end: SessionEnd) => void
  /** Called each time that the upstream says what something has cost. */
  readonly spent: (usage: Usage) => void
}

/** Why there is no session, and who said so, where anybody was asked. */
export interface NoSession {
  readonly failure: GatewayError
  readonly headers: AnswerHeaders
}

/** Opens realtime sessions. */
export interface RealtimeRelay {
  /** Never throws: whatever goes wrong is a `failure`. */
  open(request: SessionRequest): Promise<Session | NoSession>
}

/** LiteLLM's name of the route, which its error sentences start with. */
const ROUTE = '/realtime'

/** Makes the realtime side of one gateway. */
export function createRealtimeRelay(deps: RealtimeDeps): RealtimeRelay {
  return {
    open: async (request) => {
      try {
        return await (request.grant === undefined
          ? openAny(deps, request)
          : openGranted(deps, request, request.grant))
      } catch (error) {
        return { failure: asGatewayError(error), headers: {} }
      }
    },
  }
}

/** Asks one deployment after the other, none twice; the first refusal is the one that is told. */
async function openAny(deps: RealtimeDeps, request: SessionRequest): Promise<Session | NoSession> {
  const { model } = request
  if (model === undefined) throw unknownModel({ route: ROUTE }, null)
  const candidates = candidatesFor(deps, model)
  if (candidates[0] !== undefined) request.meets?.(candidates[0].deployment)
  const inputs = pickInputs(deps)
  const waits = createWaits(deps, candidates, inputs)
  const { tried } = waits
  let first: NoSession | undefined
  while (tried.size < MAX_DEPLOYMENTS) {
    const chosen = choose(candidates, inputs, NOTHING, (index) => tried.has(index))
    if (chosen === undefined) break
    const line = candidateLine(deps, ROUTE, model, chosen)
    const isLastResort = inputs.choices?.weight(chosen.deployment.index, inputs.now()) === 0
    const retries = tried.size
    const opened = await openAt(
      deps,
      { model, chosen, line, tells: tellsOf, ...waits.begin(chosen) },
      request,
    )
    if (!('failure' in opened)) return { ...opened, headers: { ...opened.headers, ...attempts(retries) } }
    // Nobody is back: whoever has found that out is told what the others are told meanwhile.
    first ??= isLastResort
      ? { ...opened, failure: noneAvailable(model, candidates, inputs, NOTHING) }
      : opened
    const { failure } = opened
    if (failure.source === 'client' || !failureRow(failure.kind).tryNext || waits.end(failure)) break
  }
  return first ?? { failure: noneAvailable(model, candidates, inputs, NOTHING), headers: {} }
}

/** LiteLLM's words for how often a request was asked again. */
function attempts(retries: number): AnswerHeaders {
  return { 'x-litellm-attempted-retries': String(retries), 'x-litellm-attempted-fallbacks': '0' }
}

/** Who answers to the name, without those whose provider has no sessions. */
function candidatesFor({ directory, lines }: RealtimeDeps, model: string): readonly Candidate[] {
  const known = directory.candidates(model)
  if (known.length === 0) throw unknownModel({ route: ROUTE }, model)
  const able = known.filter(({ deployment }) => {
    const opened = lines(deployment.index)
    // One that cannot be called at all lacks nothing: why it cannot is for `pick` to say.
    return 'misconfigured' in opened || hasSessions(opened.line)
  })
  if (able.length > 0) return able
  const providers = [...new Set(known.map(({ deployment }) => deployment.provider))].slice(0, 8).join(', ')
  throw refuse(
    `${ROUTE}: model=${model.slice(0, 256)} cannot do this: its provider (${providers}) has no realtime sessions.`,
    'model',
  )
}

/** Opens the session that a key was given for, with the provider's own key for it. */
async function openGranted(
  deps: RealtimeDeps,
  request: SessionRequest,
  grant: SessionGrant,
): Promise<Session | NoSession> {
  const { chosen, line } = grantedLine(deps, ROUTE, grant, request.model)
  // Whatever is said to that key says nothing about the deployment's own.
  return openAt(deps, { model: grant.model, chosen, line, tells: (_, { isUnsent }) => isUnsent }, request)
}

/** Whom to open a session at. */
interface Opening {
  /** The name asked for. */
  readonly model: string
  readonly chosen: Candidate
  readonly line: Line
  /** Does such a failure say something about the deployment? */
  readonly tells: (chosen: Candidate, failure: GatewayError) => boolean
  /** Longest wait for its upgrade, milliseconds, and for the connection; absent: all that there is. */
  readonly openMs?: number
  readonly connectTimeoutMs?: () => number
}

async function openAt(
  deps: RealtimeDeps,
  { model, chosen, line, tells, openMs = OPEN_MS, connectTimeoutMs }: Opening,
  request: SessionRequest,
): Promise<Session | NoSession> {
  request.meets?.(chosen.deployment)
  const headers = routeHeaders(model, line.deployment, line.target.base, [])
  const timeoutMs = Math.min(line.deployment.timeouts.timeoutMs ?? deps.settings.requestTimeoutMs, openMs)
  const { traffic } = deps.health.engine
  const call = traffic.begin(chosen.deployment.index, { ...NO_PROMPT, timeoutMs })
  const booking = deps.ledger.begin(chosen.deployment, NOTHING)
  // A session takes its place among those in flight for as long as it lasts.
  const over = (): void => deps.ledger.failed(booking, 'cancelled')
  try {
    const upstream = await openSession(line, {
      headers: request.headers,
      timeoutMs,
      signal: request.signal,
      ...(connectTimeoutMs !== undefined && { connectTimeoutMs }),
    })
    traffic.answered(call)
    traffic.succeeded(call)
    return {
      headers,
      join: (client, told) =>
        bridge(client, upstream, {
          clock: deps.clock,
          redact: line.redact,
          translator: sessionTranslator(line, {
            sessionId: newSessionId(deps.random),
            isBeta: request.isBeta,
          }),
          ended: (end) => {
            over()
            told.ended(end)
          },
          spent: (usage) => {
            deps.ledger.spent(booking, usage)
            told.spent(usage)
          },
        }),
      abandon: () => {
        over()
        upstream.terminate()
      },
    }
  } catch (error) {
    const failure = asGatewayError(error)
    const told = explain(line, failure)
    over()
    tell(deps, chosen.deployment, call, tells(chosen, failure) ? told : undefined)
    return { failure: told, headers }
  }
}

/** The stem of ids that a client meets in one session; no secret. */
function newSessionId(random: () => number): string {
  return Math.floor(random() * 36 ** 10)
    .toString(36)
    .padStart(10, '0')
}

/** A session has no prompt that could be at fault. */
const NO_PROMPT = { promptBytes: 0, isStreamed: true, request: 0, prompt: 0, isTenantsOwn: false } as const

/** A deployment for something else, or a name that a wildcard took, may well refuse and be alive. */
function tellsOf({ deployment, captures }: Candidate, failure: GatewayError): boolean {
  return failure.isUnsent || (captures === undefined && deployment.mode === 'realtime')
}
