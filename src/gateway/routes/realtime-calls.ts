import type { IncomingMessage } from 'node:http'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { isFormType } from '../../core/client-form.ts'
import type { ClientForm } from '../../core/client-form.ts'
import { GatewayError } from '../../core/failure.ts'
import { isJsonObject } from '../../core/json.ts'
import type { JsonObject } from '../../core/json.ts'
import { scanObject } from '../../core/json-spans.ts'
import type { RealtimeCallRequest, RealtimeStepRequest } from '../../routing/realtime/calls.ts'
import { refuse } from '../../routing/request/request.ts'
import type { RouteContext } from '../gateway.ts'
import { queryText } from '../json-reply.ts'
import { sessionGrant } from '../key-check.ts'
import { modelIn } from '../model-in.ts'
import { readBody } from '../read-body.ts'
import { readForm } from '../read-form.ts'
import { readObject } from '../read-object.ts'
import { relayed } from '../relayed.ts'
import type { RunningRequests } from '../running-requests.ts'
import { VERSIONS } from './realtime-keys.ts'

/** What a client offers. */
type CallOffer = Pick<RealtimeCallRequest, 'sdp' | 'session'>

type CallStep = RealtimeStepRequest['step']

const PATH = '/realtime/calls'
const STEPS: readonly CallStep[] = ['accept', 'hangup', 'refer', 'reject']
/** Far more than any offer and session have. */
const MAX_OFFER_BYTES = 1024 * 1024

/** Calls over WebRTC: the offer and the answer pass here, the sound goes straight between the two. */
export function realtimeCallRoutes(
  app: FastifyInstance,
  context: RouteContext,
  running: RunningRequests,
): void {
  for (const version of VERSIONS) {
    app.post(version + PATH, { config: { takesSessionKeys: true } }, (request, reply) =>
      create(context, running, request, reply),
    )
    for (const step of STEPS)
      app.post(`${version}${PATH}/:id/${step}`, (request, reply) =>
        take(context, running, request, reply, step),
      )
  }
}

function create(
  context: RouteContext,
  running: RunningRequests,
  request: FastifyRequest,
  reply: FastifyReply,
): void {
  const client = relayed(context, running, reply, 'realtime_call')
  const { answer } = client
  const model = modelIn(request)
  const grant = sessionGrant(request.headers, context.sessionKeys)
  if (grant instanceof GatewayError) {
    answer.fail(grant, {})
    return
  }
  readOffer(request.raw, context.settings.maxRequestBytes, (read) =>
    client.begin(read, (offer) => context.realtimeCalls.create({ ...offer, model, grant }, answer)),
  )
}

function take(
  context: RouteContext,
  running: RunningRequests,
  request: FastifyRequest,
  reply: FastifyReply,
  step: CallStep,
): void {
  const client = relayed(context, running, reply, 'realtime_call')
  const asked = { id: queryText(request.params, 'id') ?? '', step, model: modelIn(request) }
  const begin = (read: JsonObject | GatewayError | undefined): void =>
    client.begin(read, (body) => {
      const call = { ...asked, ...(body !== undefined && { body }) }
      return context.realtimeCalls.step(call, client.answer)
    })
  const { raw } = request
  const isEmpty = raw.headers['content-length'] === '0' || raw.headers['content-type'] === undefined
  if (isEmpty) begin(undefined)
  else readObject(raw, context.settings.maxRequestBytes, begin)
}

/** A form of `sdp` and `session`, or the offer alone. */
function readOffer(
  request: IncomingMessage,
  maxBytes: number,
  done: (offer: CallOffer | GatewayError) => void,
): void {
  const type = request.headers['content-type'] ?? ''
  const most = Math.min(maxBytes, MAX_OFFER_BYTES)
  if (isFormType(type))
    readForm(request, { maxBytes: most }, (form) => done(form instanceof GatewayError ? form : offerIn(form)))
  else if (/^application\/sdp\b/i.test(type))
    readBody(request, most, (body) => done(body instanceof GatewayError ? body : offerOf(body.toString())))
  else done(unreadable(type))
}

function offerIn({ fields }: ClientForm): CallOffer | GatewayError {
  const textOf = (name: string): string | undefined => fields.findLast((each) => each.name === name)?.text
  const offer = offerOf(textOf('sdp') ?? '')
  if (offer instanceof GatewayError || !fields.some(({ name }) => name === 'session')) return offer
  const session = sessionIn(textOf('session') ?? '')
  return session === undefined
    ? refuse(`${PATH}: 'session' must be a JSON object of at most 64 kB.`, 'session')
    : { ...offer, session }
}

/** RFC 8866 §5.1: it begins with its version. */
function offerOf(sdp: string): CallOffer | GatewayError {
  if (sdp.trimStart().startsWith('v=')) return { sdp }
  return refuse(`${PATH}: Missing required parameter: 'sdp', a session description (v=0 …).`, 'sdp')
}

function sessionIn(text: string): JsonObject | undefined {
  try {
    // Bounds its depth: deeper than that it could be read, but not be written again.
    scanObject(Buffer.from(text))
    const session: unknown = JSON.parse(text)
    return isJsonObject(session) ? session : undefined
  } catch (error) {
    if (error instanceof SyntaxError || error instanceof GatewayError) return undefined
    throw error
  }
}

function unreadable(type: string): GatewayError {
  const given = type === '' ? 'no Content-Type' : `Content-Type '${type.slice(0, 80)}'`
  const message =
    `${PATH}: takes an offer, not ${given}: send application/sdp, or multipart/form-data with 'sdp' and 'session' ` +
    'as its parts.'
  return new GatewayError('bad_request', message, { status: 415, source: 'client', param: 'request_body' })
}
