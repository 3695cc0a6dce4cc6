import type { IncomingMessage } from 'node:http'
import type { FastifyInstance, FastifyReply, FastifyRequest, onRequestHookHandler } from 'fastify'
import { isFormType } from '../../core/client-form.ts'
import type { ClientForm } from '../../core/client-form.ts'
import { GatewayError } from '../../core/failure.ts'
import type { Operation } from '../../routing/request/operation.ts'
import { OPERATIONS } from '../../routing/request/operations.ts'
import type { RelayAnswer } from '../../routing/answer/relay-answer.ts'
import type { Exchange } from '../../routing/relay.ts'
import type { GatewaySettings, RouteContext } from '../gateway.ts'
import { wildcardText } from '../json-reply.ts'
import { readBody } from '../read-body.ts'
import { readForm } from '../read-form.ts'
import { relayed } from '../relayed.ts'
import type { RunningRequests } from '../running-requests.ts'

interface OperationPath {
  readonly path: string
  readonly operation: Operation
  /** Versions that stand before it; default none and `/v1`. */
  readonly versions?: readonly string[]
  /** Who is asked where no model is named. */
  readonly defaultModel?: (settings: GatewaySettings) => string | undefined
}

/** Where each operation is asked for; the longer of two endings first. */
const PATHS: readonly OperationPath[] = [
  { path: '/chat/completions', operation: OPERATIONS.chat },
  { path: '/completions', operation: OPERATIONS.completion },
  { path: '/embeddings', operation: OPERATIONS.embedding },
  { path: '/images/generations', operation: OPERATIONS.image_generation },
  { path: '/images/edits', operation: OPERATIONS.image_edit },
  { path: '/audio/speech', operation: OPERATIONS.audio_speech },
  { path: '/audio/transcriptions', operation: OPERATIONS.audio_transcription },
  { path: '/audio/translations', operation: OPERATIONS.audio_translation },
  // Cohere's clients know it as version 2.
  { path: '/rerank', operation: OPERATIONS.rerank, versions: ['', '/v1', '/v2'] },
  {
    path: '/moderations',
    operation: OPERATIONS.moderation,
    // OpenAI's SDK for Azure names no deployment here.
    versions: ['', '/v1', '/openai', '/openai/v1'],
    defaultModel: ({ moderationModel }) => moderationModel,
  },
]
/** Azure's clients, and OpenAI's of old, name the model in the path. */
const MODEL_PATHS = ['/openai/deployments/*', '/engines/*', '/v1/engines/*']

/**
 * Every operation under all its paths. The request is read, and answered, past the framework, which would otherwise
 * look at the body's type and walk through hooks that nobody has set: this is the hot path.
 */
export function operationRoutes(app: FastifyInstance, context: RouteContext, running: RunningRequests): void {
  const take = (path: string, find: (request: FastifyRequest) => Asked | undefined): void => {
    const onRequest: onRequestHookHandler = (request, reply, done) => {
      const asked = find(request)
      if (asked === undefined) done()
      else serve(context, running, request, reply, asked)
    }
    app.post(path, { onRequest }, (_, reply) => reply.callNotFound())
  }
  for (const { path, operation, versions = ['', '/v1'], defaultModel } of PATHS) {
    const asked = { operation, urlModel: undefined, defaultModel: defaultModel?.(context.settings) }
    for (const version of versions) take(version + path, () => asked)
  }
  // The model may hold slashes, and a path parameter may not: the end is matched by hand. `api-version` is ignored.
  for (const path of MODEL_PATHS) {
    take(path, ({ params }) => askedIn(wildcardText(params)))
  }
}

/** What OpenAI's own path below its name asks for: clients that were given such an address ask there for models of the config too. */
export function operationAt(path: string): Operation | undefined {
  const bare = path.replace(/^\/v1(?=\/)/, '')
  return PATHS.find((each) => each.path === bare && each.versions === undefined)?.operation
}

/** What a request's path says. */
interface Asked {
  readonly operation: Operation
  readonly urlModel: string | undefined
  readonly defaultModel?: string | undefined
}

function askedIn(rest: string): Asked | undefined {
  // Without a model: `chat/completions` is not the completions of a model named chat.
  if (PATHS.some(({ path }) => path === `/${rest}`)) return undefined
  const found = PATHS.find(({ path }) => rest.endsWith(path))
  if (found === undefined || rest.length === found.path.length) return undefined
  return { operation: found.operation, urlModel: rest.slice(0, -found.path.length) }
}

function serve(
  context: RouteContext,
  running: RunningRequests,
  request: FastifyRequest,
  reply: FastifyReply,
  asked: Asked,
): void {
  const client = relayed(context, running, reply, asked.operation.mode)
  readRequestBody(request.raw, asked, context.settings.maxRequestBytes, (body) => {
    client.begin(body, (read) => start(context, read, asked, request.headers, client.answer))
  })
}

/** JSON unless the operation takes forms; one that takes either is asked by what the request says it is. */
function readRequestBody(
  request: IncomingMessage,
  { operation: { accepts = 'json', route }, urlModel }: Asked,
  maxBytes: number,
  done: (body: Buffer | ClientForm | GatewayError) => void,
): void {
  if (accepts === 'json') {
    readBody(request, maxBytes, done)
    return
  }
  const type = request.headers['content-type'] ?? ''
  if (accepts === 'either' && !/^multipart\//i.test(type)) {
    readBody(request, maxBytes, done)
  } else if (isFormType(type)) {
    readForm(request, { maxBytes, ...(urlModel === undefined && { wanted: 'model' }) }, done)
  } else {
    const given = type === '' ? 'no Content-Type' : `Content-Type '${type.slice(0, 80)}'`
    const message = `${route}: takes a form, not ${given}: send multipart/form-data with 'model' and the file as its parts.`
    done(new GatewayError('bad_request', message, { status: 415, source: 'client', param: 'request_body' }))
  }
}

function start(
  context: RouteContext,
  body: Buffer | ClientForm,
  { operation, urlModel, defaultModel }: Asked,
  headers: FastifyRequest['headers'],
  answer: RelayAnswer,
): Exchange {
  const named = {
    ...(urlModel !== undefined && { urlModel }),
    ...(defaultModel !== undefined && { defaultModel }),
  }
  return context.relay.relay({ operation, body, headers, ...named }, answer)
}
