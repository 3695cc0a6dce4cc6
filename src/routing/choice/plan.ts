import type { ClientForm } from '../../core/client-form.ts'
import type { JsonObject } from '../../core/json.ts'
import { scanObject, spliceBody } from '../../core/json-spans.ts'
import type { JsonSpans } from '../../core/json-spans.ts'
import { BETA_HEADER, withClientBetas } from '../../providers/betas.ts'
import type { Line } from '../../providers/call.ts'
import type { RelayedForm } from '../../providers/form-request.ts'
import { routeHeaders } from '../answer/answer-head.ts'
import type { AnswerHeaders, Detours } from '../answer/answer-head.ts'
import { capable, lineFor, preferNative } from './attempt-line.ts'
import type { LineDeps } from './candidate-line.ts'
import { allowing } from './client-connection.ts'
import type { Candidate, Directory } from './directory.ts'
import { fitted } from '../request/field-rules.ts'
import { CONNECTION_FIELDS, droppedFields, GATEWAY_FIELDS } from '../request/fields.ts'
import { fieldsAsJson } from '../request/form-fields.ts'
import { createNeed } from '../request/need.ts'
import type { Need } from '../request/need.ts'
import type { Operation } from '../request/operation.ts'
import { OPERATIONS } from '../request/operations.ts'
import type { PickDeps } from './pick-inputs.ts'
import { promptHash } from '../request/prompt-hash.ts'
import { deploymentKey } from '../objects/id.ts'
import { readRequest, refuse, unknownModel } from '../request/request.ts'
import type { RequestRead } from '../request/request.ts'
import type { RequestHeaders } from '../request/request-headers.ts'
import { surfaceAttempt } from '../surfaces/attempt.ts'
import type { SurfaceAttempt } from '../surfaces/attempt.ts'
import { previousResponse } from '../surfaces/response-ids.ts'
import type { KnownResponse } from '../surfaces/response-ids.ts'
import type { Surface } from '../surfaces/surface.ts'
import { readTags, tagged, withoutTags } from './tags.ts'
import type { TagRules } from './tags.ts'

/** What a choice is made from. */
export interface PlanDeps extends LineDeps, PickDeps {
  readonly directory: Directory
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
  /** Of a request in another API's words. */
  readonly surface?: AskedSurface
  readonly need: Need
  /** A hash of who asks and what. */
  readonly prompt: number
  /** Of a chat: what it asks Anthropic for in beta, by a header. */
  readonly betas?: string
  /** What the request is tagged with; undefined where nobody looks at tags. */
  readonly tags: readonly string[] | undefined
}

/** What a request in another API's words says besides its body. */
export interface AskedSurface {
  /** The client's headers that belong to it. */
  readonly headers: Readonly<Record<string, string>>
  /** The response that it goes on from. */
  readonly previous: KnownResponse | undefined
  /** It asks for what only those can do who speak that API themselves. */
  readonly wantsNative: boolean
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
  readonly native: SurfaceAttempt['native']
  /** The answer is made here, and says nothing of the deployment. */
  readonly made: SurfaceAttempt['made']
  readonly reword: SurfaceAttempt['reword']
  readonly wording: SurfaceAttempt['wording']
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
  const { [BETA_HEADER]: betas } = headers
  // What else a large form holds is not known yet.
  const known = whole?.rest === undefined ? operation : { ...operation, required: [] }
  const read = readRequest(known, json, urlModel, headers, defaultModel)
  return {
    operation,
    body: json,
    read,
    need: createNeed(json, read.stream),
    prompt: promptHash(json, String(headers['authorization'] ?? headers['x-api-key'] ?? '')),
    tags: isEnabled ? readTags(json, read.spans, headers) : undefined,
    ...(typeof betas === 'string' && operation === OPERATIONS.chat && { betas }),
    ...(operation.surface !== undefined && { surface: askedSurface(operation.surface, json, read, headers) }),
    ...(whole !== undefined && {
      form: { form: whole, fields: json, removed: GATEWAY_FIELDS, refused: CONNECTION_FIELDS },
    }),
  }
}

const NO_HEADERS: RequestHeaders = {}

function askedSurface(
  { passedHeaders = [], remembers, wantsNative }: Surface,
  body: Buffer,
  { spans }: RequestRead,
  headers: RequestHeaders,
): AskedSurface {
  const passed = passedHeaders.flatMap((name) => {
    const value = headers[name]
    return typeof value === 'string' ? [[name, value] as const] : []
  })
  const previous = remembers === undefined ? undefined : previousResponse(body, spans)
  return { headers: Object.fromEntries(passed), previous, wantsNative: wantsNative?.(body, spans) === true }
}

/**
 * Finds who may answer for a model group. `members` are written over the body's own.
 * @throws GatewayError bad_request where the name is unknown, or no deployment of it may or can do this
 */
export function groupFor(
  deps: PlanDeps,
  { operation, body, read, tags, surface }: Asked,
  model: string,
  members: JsonObject,
): Group {
  const previous = surface?.previous
  const known = deps.directory.candidates(model)
  if (known.length === 0) throw unknownModel(operation, model)
  const all = capable(deps, operation, model, allowing(read.connectionFields, known))
  const isKept = surface?.wantsNative === true && previous === undefined
  const served = isKept ? preferNative(deps, operation, all) : all
  const able = previous === undefined ? served : goingOn(operation, model, served, previous)
  const candidates = tags === undefined ? able : tagged(model, able, tags, deps.settings.tags)
  const name = deps.directory.groupOf(model)
  const remove = [...read.gatewayFields, ...read.connectionFields]
  const set = Object.entries({
    ...(tags !== undefined && withoutTags(body, read.spans)),
    ...read.extraBody,
    ...members,
    ...(previous !== undefined && { previous_response_id: previous.upstreamId }),
  })
    .filter(([key]) => isPlain(key))
    .map(([key, value]) => [key, JSON.stringify(value)])
  if (remove.length === 0 && set.length === 0) return { model, name, candidates, body, spans: read.spans }
  const own = spliceBody(body, read.spans, { remove, set: Object.fromEntries(set) })
  return { model, name, candidates, body: own, spans: scanObject(own) }
}

/** A response can be gone on from where it lives, and nowhere else. */
function goingOn(
  { route }: Operation,
  model: string,
  candidates: readonly Candidate[],
  { deployment: home }: KnownResponse,
): readonly Candidate[] {
  const there = candidates.filter(({ deployment }) => deploymentKey(deployment.id) === home)
  if (there.length > 0) return there
  throw refuse(
    `${route}: the deployment where 'previous_response_id' lives does not answer to model=${model.slice(0, 256)}: ` +
      'name the model that gave it, or send the whole conversation as input.',
    'previous_response_id',
  )
}

/** What says where a request goes, or how it is answered, is settled by then. */
function isPlain(key: string): boolean {
  return key !== 'stream' && !CONNECTION_FIELDS.has(key) && !GATEWAY_FIELDS.has(key)
}

/**
 * Makes ready what the chosen deployment is sent.
 * @throws GatewayError bad_request (the client's doing), none_available
 */
export function planAttempt(
  deps: PlanDeps,
  asked: Asked,
  group: Group,
  chosen: Candidate,
  detours: Detours,
): Plan {
  const { operation, body, read, form } = asked
  const line = lineFor(deps, operation, chosen, body, read, group.model)
  const own = operation.surface === undefined ? undefined : inWordsOf(operation.surface, line, asked, group)
  const { body: said, spans } = own ?? withBetas(asked, line, group)
  const fit = fitted(said, spans, line, operation.mode, read.fieldRules)
  const dropped = [
    ...droppedFields(read.gatewayFields, {
      tags: deps.settings.tags.isEnabled,
      mockResponse: read.mockResponse !== undefined,
    }),
    ...fit.dropped.map((name) => own?.wording?.own(name) ?? name),
    ...(own?.dropped ?? []),
  ]
  return {
    operation: own?.operation ?? operation,
    read,
    line,
    body: fit.body,
    spans: fit.spans,
    route: routeHeaders(group.model, line.deployment, line.target.base, dropped),
    detours,
    form,
    native: own?.native,
    made: own?.made,
    reword: own?.reword,
    wording: own?.wording,
  }
}

/** What a chat's client asks for in beta by a header goes into the body of who reads it there. */
function withBetas({ betas }: Asked, { adapter, target }: Line, group: Group): Pick<Group, 'body' | 'spans'> {
  const codec = adapter.codecs.chat
  if (betas === undefined || codec === 'unsupported') return group
  return withClientBetas(codec, target, betas, group.body, group.spans) ?? group
}

function inWordsOf(surface: Surface, line: Line, asked: Asked, { body, spans }: Group): SurfaceAttempt {
  const { operation, read } = asked
  return surfaceAttempt(surface, line, {
    operation,
    body,
    spans,
    stream: read.stream,
    headers: asked.surface?.headers ?? {},
    previous: asked.surface?.previous,
    knownModel: line.deployment.facts?.baseModel ?? line.target.model,
    mayDrop: read.fieldRules?.dropParams ?? line.fieldRules.dropParams,
    isMocked: (read.mockResponse ?? line.deployment.mockResponse) !== undefined,
  })
}
