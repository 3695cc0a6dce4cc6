import type { ClientForm } from '../../core/client-form.ts'
import { asGatewayError } from '../../core/failure.ts'
import type { JsonObject } from '../../core/json.ts'
import { askObject, objectRequest } from '../../providers/objects.ts'
import type { ObjectCall } from '../../providers/objects.ts'
import type { Line } from '../../providers/call.ts'
import type { RelayedForm } from '../../providers/form-request.ts'
import { createCopyHeaders, successHeaders } from '../answer/answer-head.ts'
import { CONNECTION_FIELDS, GATEWAY_FIELDS } from '../request/fields.ts'
import { fieldsAsJson } from '../request/form-fields.ts'
import { withOurIds } from './answer.ts'
import { batchContent, partContent } from './batch-models.ts'
import { passContent } from './content.ts'
import { decodeObjectId, deploymentKey, noSuch } from './id.ts'
import type { ObjectOperation } from './calls.ts'
import { answersTo, createOwners } from './owner.ts'
import type { Owner, OwnerDeps, OwnerHints, Owners } from './owner.ts'
import type { RelayAnswer } from '../answer/relay-answer.ts'
import { limitsOf, silenceOf } from '../relay.ts'
import type { Exchange, RelaySettings } from '../relay.ts'
import { refuse } from '../request/request.ts'
import type { Limits, Stream, WireRequest } from '../road.ts'
import { severalTries } from '../journey/several-tries.ts'
import type { Outcome, Try, TryDeps } from '../journey/several-tries.ts'

/** What calls about files and batches run on. */
export interface ObjectDeps extends OwnerDeps, TryDeps {
  readonly settings: TryDeps['settings'] & RelaySettings
}

/** A client's call about a file or a batch. */
export interface ObjectRequest {
  readonly operation: ObjectOperation
  /** As it stands in the path. */
  readonly id?: string
  /** The name in the path, a header or the query, in this order. */
  readonly model?: string
  readonly query: URLSearchParams
  /** Of a POST that has one. */
  readonly body?: JsonObject
  /** Of an upload. */
  readonly form?: ClientForm
}

/** Takes calls about files, uploads and batches to where these live. */
export interface Objects {
  /** True where calls that name no model have somewhere to go: there is just one account. */
  isClear(query: URLSearchParams): Promise<boolean>
  /** Never throws: whatever goes wrong becomes `answer.fail`. */
  call(request: ObjectRequest, answer: RelayAnswer): Exchange
}

/** A page of ten thousand files is half as large. */
const MAX_OBJECT_BYTES = 16 * 1024 * 1024
/** What only the gateway reads, in the query or in a body. */
const OUR_NAMES = ['model', 'custom_llm_provider', 'target_model_names'] as const

const REMOVED_FIELDS: ReadonlySet<string> = new Set([...GATEWAY_FIELDS, ...OUR_NAMES])

/** Makes the objects' side of one gateway. */
export function createObjects(deps: ObjectDeps): Objects {
  const owners = createOwners(deps)
  return {
    isClear: (query) => owners.isClear(query.get('custom_llm_provider') ?? undefined),
    call: (request, answer) => {
      const leaving = new AbortController()
      let running: Stream | undefined
      const carry = async (): Promise<void> => {
        const outcome = await served(deps, owners, request, answer, leaving.signal, (stream) => {
          running = stream
        })
        if ('failure' in outcome) answer.fail(outcome.failure, outcome.route)
      }
      carry().catch((error: unknown) => answer.fail(asGatewayError(error), {}))
      return {
        resume: () => running?.resume(),
        cancel: () => leaving.abort(),
      }
    },
  }
}

async function served(
  deps: ObjectDeps,
  owners: Owners,
  request: ObjectRequest,
  answer: RelayAnswer,
  signal: AbortSignal,
  runs: (stream: Stream) => void,
): Promise<Outcome<void>> {
  const { operation, form } = request
  if (form !== undefined) checkForm(operation, form)
  if (request.query.get('stream') === 'true' && operation.kind === 'response')
    throw refuse(`${operation.route}: a response is read whole here: leave 'stream' out.`, 'stream')
  const owner = await owners.find(hintsOf(request))
  if (operation.method === 'POST') checkModel(deps, request, owner)
  const call = callOf(request, owner)
  const isNew = operation.method === 'POST' && idOf(request) === undefined
  const { model, candidates } = owner
  const errand = {
    model,
    candidates,
    // Whatever is put anywhere is found there by its id; what is looked for may be in one place only.
    isSteady: !isNew,
    isCostly: operation.isCostly,
    isWork: operation.method === 'POST',
    answer,
    canRepeat: () => form?.rest?.isTaken() !== true,
    signal,
  }
  return severalTries(deps, errand, (attempt) => {
    const { line, connectTimeoutMs } = attempt
    const form = call.form && { ...call.form, ...contentRule(deps, request, owner, line) }
    const wire = objectRequest(line, form === undefined ? call : { ...call, form })
    if (operation.answer === 'content') {
      const limits = {
        ...limitsOf(deps.settings, line.deployment, {}, silenceOf(deps.settings, line.deployment, {})),
        connectTimeoutMs,
        signal,
      }
      return passContent(attempt, wire, limits, answer, runs)
    }
    const limits = { ...limitsOf(deps.settings, line.deployment, {}, undefined), connectTimeoutMs }
    return passObject(operation, attempt, wire, { ...limits, maxBytes: MAX_OBJECT_BYTES, signal }, answer)
  })
}

/** What a file's lines go through on their way. */
function contentRule(
  deps: OwnerDeps,
  request: ObjectRequest,
  owner: Owner,
  line: Line,
): Pick<RelayedForm, 'content' | 'keepsSize'> {
  const isPart = request.operation.answers === 'part'
  const content = isPart
    ? partContent(deps, owner, line)
    : batchContent(deps, owner, line, textOf(request, 'purpose'))
  return content === undefined ? {} : { content, keepsSize: isPart }
}

function hintsOf(request: ObjectRequest): OwnerHints {
  const { operation, query } = request
  const id = idOf(request)
  return {
    route: operation.route,
    kind: operation.kind,
    model: modelOf(request),
    provider: query.get('custom_llm_provider') ?? textOf(request, 'custom_llm_provider'),
    ...(id !== undefined && { id }),
  }
}

/** The id that says where to go: the path's; a new batch's file; where a list goes on. */
function idOf({ operation, id, query, body }: ObjectRequest): OwnerHints['id'] {
  const { kind, names, route } = operation
  if (id !== undefined) return { kind, text: id }
  if (body !== undefined) {
    if (names === undefined) return undefined
    const text = body[names.member]
    if (typeof text !== 'string' || text === '')
      throw refuse(`${route}: Missing required parameter: '${names.member}'.`, names.member)
    return { kind: names.kind, text }
  }
  const after = query.get('after')
  return after === null || after === '' ? undefined : { kind, text: after }
}

function modelOf(request: ObjectRequest): string | undefined {
  const named = request.model ?? textOf(request, 'model')
  const target = named ?? request.query.get('target_model_names') ?? textOf(request, 'target_model_names')
  if (named === undefined && target?.includes(',') === true)
    throw refuse(
      "'target_model_names' with several names is not supported: name one model.",
      'target_model_names',
    )
  return target
}

/** A member of the body, or a field of the form. */
function textOf({ body, form }: ObjectRequest, name: string): string | undefined {
  const value = body?.[name] ?? form?.fields.findLast((field) => field.name === name)?.text
  return typeof value === 'string' && value !== '' ? value : undefined
}

/** What can be said of a form before it is sent: of a large one little more than that it is a form. */
function checkForm({ route, parts = [] }: ObjectOperation, { fields, rest }: ClientForm): void {
  if (rest !== undefined) return
  for (const name of parts) {
    if (fields.some((field) => field.name === name)) continue
    throw refuse(`${route}: Missing required parameter: '${name}'.`, name)
  }
}

/** A batch runs where its file is: a model of another place was surely meant otherwise. */
function checkModel(deps: OwnerDeps, request: ObjectRequest, { candidates }: Owner): void {
  const { operation, body } = request
  const model = modelOf(request)
  const [home] = candidates
  if (body === undefined || model === undefined || home === undefined) return
  if (answersTo(deps, home.deployment, model)) return
  throw refuse(
    `${operation.route}: model=${model.slice(0, 256)} is served elsewhere than where '${operation.names?.member}' lives ` +
      `(${home.deployment.group}); leave the model out, or upload the file for it.`,
    'model',
  )
}

/** The call in the provider's own ids. */
function callOf(request: ObjectRequest, owner: Owner): ObjectCall {
  const { operation, id, query, body, form } = request
  const { upstreamId = '' } = owner
  const { method } = operation
  const path = operation.path(id === undefined ? '' : encodeURIComponent(upstreamId))
  const accept = operation.answer === 'content' ? { accept: '*/*' } : {}
  if (form !== undefined) return { method, path, query: '', form: relayedForm(form) }
  if (body !== undefined)
    return { method, path, query: '', body: { ...own(body), ...upstreamIds(operation, body, owner) } }
  const passed = new URLSearchParams(query)
  for (const name of [...OUR_NAMES, 'api-version']) passed.delete(name)
  if (id === undefined && passed.has('after')) passed.set('after', upstreamId)
  const text = passed.toString()
  return { method, path, query: text === '' ? '' : `?${text}`, ...accept }
}

/** The ids in a body, as the provider wrote them. */
function upstreamIds(
  { names }: ObjectOperation,
  body: JsonObject,
  { upstreamId, candidates }: Owner,
): JsonObject {
  if (names === undefined) return {}
  const value = body[names.member]
  if (names.isList !== true) return { [names.member]: upstreamId ?? '' }
  if (!Array.isArray(value)) return {}
  const home = candidates[0] && deploymentKey(candidates[0].deployment.id)
  const ids = value.map((each) => {
    const ours = typeof each === 'string' ? decodeObjectId(names.kind, each) : undefined
    if (ours === undefined) return each
    if (ours.deployment === home) return ours.upstreamId
    throw noSuch(names.kind, String(each), 'it lives elsewhere than what it is said to be a part of')
  })
  return { [names.member]: ids }
}

/** What only the gateway reads is taken out, wherever in the form it stands. */
function relayedForm(form: ClientForm): NonNullable<ObjectCall['form']> {
  return { form, fields: fieldsAsJson(form.fields), removed: REMOVED_FIELDS, refused: CONNECTION_FIELDS }
}

function own(body: JsonObject): JsonObject {
  return Object.fromEntries(Object.entries(body).filter(([name]) => !OUR_NAMES.some((ours) => ours === name)))
}

async function passObject(
  { kind, answers = kind, answer: form }: ObjectOperation,
  { line, route, detours }: Try,
  wire: WireRequest,
  limits: Limits,
  answer: RelayAnswer,
): Promise<void> {
  const { status, headers, json } = await askObject(line, wire, limits, `a ${answers} or a list`)
  const own = form === 'foreign' ? json : withOurIds(answers, deploymentKey(line.deployment.id), json)
  const text = JSON.stringify(own)
  const body = Buffer.from(text)
  const head = {
    ...successHeaders(route, detours),
    'content-type': 'application/json',
    'content-length': String(body.length),
  }
  answer.head(status, head, createCopyHeaders()(headers, line.redact))
  answer.data(body)
  answer.end({ bytes: body.length })
}
