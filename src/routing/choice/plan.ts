import type { ClientForm } from '../../core/client-form.ts'
import type { Misconfiguration } from '../../core/deployment.ts'
import type { JsonObject } from '../../core/json.ts'
import { scanObject, spliceBody } from '../../core/json-spans.ts'
import type { JsonSpans } from '../../core/json-spans.ts'
import type { Board } from '../../health/board.ts'
import type { LineOrProblem } from '../../health/subject.ts'
import type { Line } from '../../providers/call.ts'
import type { RelayedForm } from '../../providers/form-request.ts'
import { routeHeaders } from '../answer/answer-head.ts'
import type { AnswerHeaders, Detours } from '../answer/answer-head.ts'
import { capable, lineFor } from './attempt-line.ts'
import type { LineDeps } from './candidate-line.ts'
import { allowing } from './client-connection.ts'
import type { Cooldowns } from './cooldown.ts'
import type { Candidate, Directory } from './directory.ts'
import { fitted } from '../request/field-rules.ts'
import { CONNECTION_FIELDS, droppedFields, GATEWAY_FIELDS } from '../request/fields.ts'
import { fieldsAsJson } from '../request/form-fields.ts'
import type { LimitWait } from './limits.ts'
import { createNeed } from '../request/need.ts'
import type { Need } from '../request/need.ts'
import type { Operation } from '../request/operation.ts'
import type { PickInputs } from './pick.ts'
import { readRequest, unknownModel } from '../request/request.ts'
import type { RequestRead } from '../request/request.ts'
import type { RequestHeaders } from '../request/request-headers.ts'
import type { Strategy } from './strategy.ts'
import { readTags, tagged, withoutTags } from './tags.ts'
import type { TagRules } from './tags.ts'

/** What a choice is made from. */
export interface PlanDeps extends LineDeps {
  readonly directory: Directory
  readonly board: Pick<Board, 'health'>
  readonly cooldowns: Cooldowns
  readonly limitMs: LimitWait
  readonly strategy: Strategy | undefined
  /** Uniform in [0, 1). */
  readonly random: () => number
  readonly settings: { readonly tags: TagRules }
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
  /** The request's own, lower-case names. */
  readonly headers?: RequestHeaders
}

/** A request as it was read, once, whatever becomes of it. */
export interface Asked {
  readonly operation: Operation
  /** JSON: of a form, its fields. */
  readonly body: Buffer
  readonly read: RequestRead
  readonly form?: RelayedForm
  readonly need: Need
  /** What the request is tagged with; undefined where nobody looks at tags. */
  readonly tags: readonly string[] | undefined
}

/** A model group that can be asked, and with what. */
export interface Group {
  /** The name that it was asked for by. */
  readonly model: string
  /** The group that this name stands for: another one only where it is an alias. */
  readonly name: string
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
export function readAsked(
  { operation, body, urlModel, defaultModel, headers = NO_HEADERS }: RelayRequest,
  { isEnabled }: Pick<TagRules, 'isEnabled'>,
): Asked {
  const whole = Buffer.isBuffer(body) ? undefined : body
  const json = Buffer.isBuffer(body) ? body : fieldsAsJson(body.fields)
  // What else a large form holds is not known yet.
  const known = whole?.rest === undefined ? operation : { ...operation, required: [] }
  const read = readRequest(known, json, urlModel, headers, defaultModel)
  return {
    operation,
    body: json,
    read,
    need: createNeed(json, read.stream),
    tags: isEnabled ? readTags(json, read.spans, headers) : undefined,
    ...(whole !== undefined && {
      form: { form: whole, fields: json, removed: GATEWAY_FIELDS, refused: CONNECTION_FIELDS },
    }),
  }
}

const NO_HEADERS: RequestHeaders = {}

/**
 * Finds who may answer for a model group. `members` are written over the body's own.
 * @throws GatewayError bad_request where the name is unknown, or no deployment of it may or can do this
 */
export function groupFor(
  deps: PlanDeps,
  { operation, body, read, tags }: Asked,
  model: string,
  members: JsonObject,
): Group {
  const known = deps.directory.candidates(model)
  if (known.length === 0) throw unknownModel(operation, model)
  const able = capable(deps, operation, model, allowing(read.connectionFields, known))
  const candidates = tags === undefined ? able : tagged(model, able, tags, deps.settings.tags)
  const name = deps.directory.groupOf(model)
  const remove = [...read.gatewayFields, ...read.connectionFields]
  const set = Object.entries({
    ...(tags !== undefined && withoutTags(body, read.spans)),
    ...read.extraBody,
    ...members,
  })
    .filter(([key]) => isPlain(key))
    .map(([key, value]) => [key, JSON.stringify(value)])
  if (remove.length === 0 && set.length === 0) return { model, name, candidates, body, spans: read.spans }
  const own = spliceBody(body, read.spans, { remove, set: Object.fromEntries(set) })
  return { model, name, candidates, body: own, spans: scanObject(own) }
}

/** What says where a request goes, or how it is answered, is settled by then. */
function isPlain(key: string): boolean {
  return key !== 'stream' && !CONNECTION_FIELDS.has(key) && !GATEWAY_FIELDS.has(key)
}

/** What a choice among the candidates is made from. A client's own connection has limits that nobody here knows. */
export function pickInputs(deps: PlanDeps, { read }: Pick<Asked, 'read'>): PickInputs {
  return {
    health: (index) => deps.board.health(index),
    problem: (index) => problemOf(deps.lines(index)),
    cooling: (index) => deps.cooldowns.cooling(index),
    ...(read.connectionFields.length === 0 && { limitMs: deps.limitMs }),
    strategy: deps.strategy,
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
  const fit = fitted(group.body, group.spans, line, operation.mode, read.fieldRules)
  const dropped = [
    ...droppedFields(read.gatewayFields, {
      tags: deps.settings.tags.isEnabled,
      mockResponse: read.mockResponse !== undefined,
    }),
    ...fit.dropped,
  ]
  return {
    operation,
    read,
    line,
    body: fit.body,
    spans: fit.spans,
    route: routeHeaders(group.model, line.deployment, line.target.base, dropped),
    detours,
    form,
  }
}

function problemOf(opened: LineOrProblem): Misconfiguration | undefined {
  return 'misconfigured' in opened ? opened.misconfigured : undefined
}
