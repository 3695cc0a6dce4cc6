import type { ClientForm } from '../core/client-form.ts'
import { shortId, type Deployment, type Misconfiguration } from '../core/deployment.ts'
import { GatewayError } from '../core/failure.ts'
import type { JsonObject } from '../core/json.ts'
import { scanObject, spliceBody } from '../core/json-spans.ts'
import type { JsonSpans } from '../core/json-spans.ts'
import type { ResolveModel } from '../core/resolve.ts'
import type { Board } from '../health/board.ts'
import type { LineOrProblem } from '../health/subject.ts'
import type { Line } from '../providers/call.ts'
import type { RelayedForm } from '../providers/form-request.ts'
import { routeHeaders } from './answer-head.ts'
import type { AnswerHeaders, Detours } from './answer-head.ts'
import { allowing, clientConnection, redactWith, withClientConnection } from './client-connection.ts'
import type { Cooldowns } from './cooldown.ts'
import { fillWildcards } from './directory.ts'
import type { Candidate, Directory } from './directory.ts'
import { CONNECTION_FIELDS, GATEWAY_FIELDS, HONOURED_FIELDS } from './fields.ts'
import { fieldsAsJson } from './form-fields.ts'
import type { Operation } from './operation.ts'
import type { PickInputs } from './pick.ts'
import { readRequest, refuse, unknownModel } from './request.ts'
import type { RequestRead } from './request.ts'

/** What a choice is made from. */
export interface PlanDeps {
  readonly directory: Directory
  /** By `Deployment.index`, opened once. */
  readonly lines: (index: number) => LineOrProblem
  /** For a deployment derived for one request. */
  readonly openLine: (deployment: Deployment) => LineOrProblem
  readonly resolve: ResolveModel
  readonly board: Pick<Board, 'health'>
  readonly cooldowns: Cooldowns
  /** Uniform in [0, 1). */
  readonly random: () => number
}

/** A client's request: JSON, read whole, or a form, as far as it is held. */
export interface RelayRequest {
  /** What the route asks for. */
  readonly operation: Operation
  readonly body: Buffer | ClientForm
  /** The model that the URL names; it beats the body's. */
  readonly urlModel?: string
  /** Asked where neither names one. */
  readonly defaultModel?: string
}

/** A request as it was read, once, whatever becomes of it. */
export interface Asked {
  readonly operation: Operation
  /** JSON: of a form, its fields. */
  readonly body: Buffer
  readonly read: RequestRead
  readonly form?: RelayedForm
}

/** A model group that can be asked, and with what. */
export interface Group {
  /** The name that it was asked for by. */
  readonly model: string
  /** Never empty. */
  readonly candidates: readonly Candidate[]
  /** The client's body without what only the gateway reads. */
  readonly body: Buffer
  readonly spans: JsonSpans
}

/** Everything decided before the first byte goes out. */
export interface Plan {
  readonly operation: Operation
  readonly read: RequestRead
  readonly line: Line
  readonly body: Buffer
  readonly spans: JsonSpans
  readonly route: AnswerHeaders
  readonly detours: Detours
  readonly form: RelayedForm | undefined
}

/**
 * Reads a request.
 * @throws GatewayError bad_request, the client's doing
 */
export function readAsked({ operation, body, urlModel, defaultModel }: RelayRequest): Asked {
  if (Buffer.isBuffer(body))
    return { operation, body, read: readRequest(operation, body, urlModel, defaultModel) }
  const fields = fieldsAsJson(body.fields)
  // What else a large form holds is not known yet.
  const known = body.rest === undefined ? operation : { ...operation, required: [] }
  const form = { form: body, fields, removed: GATEWAY_FIELDS, refused: CONNECTION_FIELDS }
  return { operation, body: fields, read: readRequest(known, fields, urlModel), form }
}

/**
 * Finds who may answer for a model group. `members` are written over the body's own.
 * @throws GatewayError bad_request where the name is unknown, or no deployment of it may or can do this
 */
export function groupFor(
  deps: PlanDeps,
  { operation, body, read }: Asked,
  model: string,
  members: JsonObject,
): Group {
  const known = deps.directory.candidates(model)
  if (known.length === 0) throw unknownModel(operation, model)
  const candidates = capable(deps, operation, model, allowing(read.connectionFields, known))
  const remove = [...read.gatewayFields, ...read.connectionFields]
  const set = Object.entries(members)
    .filter(([key]) => isPlain(key))
    .map(([key, value]) => [key, JSON.stringify(value)])
  if (remove.length === 0 && set.length === 0) return { model, candidates, body, spans: read.spans }
  const own = spliceBody(body, read.spans, { remove, set: Object.fromEntries(set) })
  return { model, candidates, body: own, spans: scanObject(own) }
}

/** What says where a request goes, or how it is answered, is settled by then. */
function isPlain(key: string): boolean {
  return key !== 'stream' && !CONNECTION_FIELDS.has(key) && !GATEWAY_FIELDS.has(key)
}

/** What a choice among the candidates is made from. */
export function pickInputs(deps: PlanDeps): PickInputs {
  return {
    health: (index) => deps.board.health(index),
    problem: (index) => problemOf(deps.lines(index)),
    cooling: (index) => deps.cooldowns.cooling(index),
    random: deps.random,
  }
}

/**
 * Makes ready what the chosen deployment is sent.
 * @throws GatewayError bad_request (the client's doing), none_available
 */
export function planAttempt(
  deps: PlanDeps,
  { operation, body, read, form }: Asked,
  group: Group,
  chosen: Candidate,
  detours: Detours,
): Plan {
  const line = lineFor(deps, operation, chosen, body, read, group.model)
  return {
    operation,
    read,
    line,
    body: group.body,
    spans: group.spans,
    route: routeHeaders(
      group.model,
      line.deployment,
      line.target.base,
      read.gatewayFields.filter((field) => !HONOURED_FIELDS.has(field)),
    ),
    detours,
    form,
  }
}

function problemOf(opened: LineOrProblem): Misconfiguration | undefined {
  return 'misconfigured' in opened ? opened.misconfigured : undefined
}

/**
 * The candidates whose provider can do this at all: nearly always each of them.
 * @throws GatewayError bad_request where none can
 */
function capable(
  deps: PlanDeps,
  operation: Operation,
  model: string,
  candidates: readonly Candidate[],
): readonly Candidate[] {
  const can = ({ deployment }: Candidate): boolean => !lacks(deps.lines(deployment.index), operation)
  if (candidates.every(can)) return candidates
  const left = candidates.filter(can)
  if (left.length > 0) return left
  throw incapable(
    operation,
    model,
    candidates.map(({ deployment }) => deployment.provider),
  )
}

/** A deployment that cannot be called lacks nothing: why it cannot is for `pick` to say. */
function lacks(opened: LineOrProblem, { mode }: Operation): boolean {
  return 'line' in opened && opened.line.adapter.codecs[mode] === 'unsupported'
}

function incapable(
  { route, mode }: Operation,
  model: string,
  providers: readonly string[],
): ReturnType<typeof refuse> {
  const names = [...new Set(providers)].slice(0, 8).join(', ')
  return refuse(
    `${route}: model=${model.slice(0, 256)} cannot do this: its provider (${names}) has no ${mode}.`,
    'model',
  )
}

/** The line of the chosen deployment, with a wildcard's model and a client's connection filled in. */
function lineFor(
  deps: PlanDeps,
  operation: Operation,
  { deployment, captures }: Candidate,
  body: Buffer,
  read: RequestRead,
  asked: string,
): Line {
  const isFree = captures !== undefined && deployment.model.startsWith('*')
  const filled = isFree
    ? resolved(deps.resolve, operation, deployment, fillWildcards(deployment.model, captures))
    : deployment
  const client = clientConnection(body, read.spans, read.connectionFields)
  const isOwn = Object.keys(client).length > 0
  const opened =
    isOwn || filled !== deployment
      ? deps.openLine(isOwn ? withClientConnection(filled, client) : filled)
      : deps.lines(deployment.index)
  if ('misconfigured' in opened) {
    const message = `${deployment.group} (${shortId(deployment.id)}): ${opened.misconfigured.message}`
    throw new GatewayError('none_available', message, { source: 'gateway' })
  }
  const { line } = opened
  if (lacks(opened, operation)) throw incapable(operation, asked, [deployment.provider])
  const model = fillWildcards(line.target.model, captures)
  if (model === line.target.model && !isOwn) return line
  return {
    ...line,
    target: { ...line.target, model },
    redact: isOwn ? redactWith(line.redact, client) : line.redact,
  }
}

/** `model: "*"` takes any provider's model: whose it is shows only in the name asked for. */
function resolved(
  resolve: ResolveModel,
  operation: Operation,
  deployment: Deployment,
  model: string,
): Deployment {
  const { provider, upstreamModel, problem } = resolve(model, {})
  if (problem !== undefined) throw unknownModel(operation, model)
  return { ...deployment, model, provider, upstreamModel }
}
