import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { entryOf } from '../../core/entry-of.ts'
import { GatewayError } from '../../core/failure.ts'
import type { Exchange } from '../../routing/relay.ts'
import type { Operation } from '../../routing/request/operation.ts'
import { SURFACE_OPERATIONS } from '../../routing/request/operations.ts'
import { ANTHROPIC_ERRORS, GOOGLE_ERRORS, RESPONSES_ERRORS } from '../error-words.ts'
import type { ErrorWords } from '../error-words.ts'
import type { RouteContext } from '../gateway.ts'
import { googleAnswer } from '../google-answer.ts'
import type { GoogleForm } from '../google-answer.ts'
import { queryText, wildcardText } from '../json-reply.ts'
import { readBody } from '../read-body.ts'
import { relayed } from '../relayed.ts'
import type { RunningRequests } from '../running-requests.ts'

interface SurfacePath {
  readonly path: string
  readonly operation: Operation
  readonly name: string
  readonly errors: ErrorWords
  /** Versions that stand before it; default none and `/v1`. */
  readonly versions?: readonly string[]
}

/** Other APIs in front of the deployments that chat. */
const PATHS: readonly SurfacePath[] = [
  { path: '/messages', operation: SURFACE_OPERATIONS.messages, name: 'messages', errors: ANTHROPIC_ERRORS },
  {
    path: '/messages/count_tokens',
    operation: SURFACE_OPERATIONS.countTokens,
    name: 'count_tokens',
    errors: ANTHROPIC_ERRORS,
  },
  {
    path: '/responses',
    operation: SURFACE_OPERATIONS.responses,
    name: 'responses',
    errors: RESPONSES_ERRORS,
    // Azure's clients name no deployment here.
    versions: ['', '/v1', '/openai', '/openai/v1'],
  },
]
/** Gemini's clients name model and method in the path, and the model may hold slashes. */
const GEMINI_PATHS = ['/v1beta/models/*', '/v1/models/*', '/models/*']
const GEMINI_METHODS: Readonly<Record<string, Operation>> = {
  generateContent: SURFACE_OPERATIONS.generateContent,
  streamGenerateContent: SURFACE_OPERATIONS.streamGenerateContent,
  countTokens: SURFACE_OPERATIONS.countContent,
}

/** Anthropic's, OpenAI's newer and Gemini's APIs. */
export function surfaceRoutes(app: FastifyInstance, context: RouteContext, running: RunningRequests): void {
  for (const { path, operation, name, errors, versions = ['', '/v1'] } of PATHS) {
    for (const version of versions) {
      app.post(version + path, { config: { errors } }, (request, reply) =>
        serve(context, running, request, reply, { operation, name }),
      )
    }
  }
  for (const path of GEMINI_PATHS)
    app.post(path, { config: { errors: GOOGLE_ERRORS } }, (request, reply) => {
      serve(context, running, request, reply, geminiAsked(request))
    })
}

/** What a request's path says. */
interface Asked {
  readonly operation: Operation
  /** In metrics and log. */
  readonly name: string
  readonly urlModel?: string
  /** Present where a client of Gemini's is answered. */
  readonly form?: GoogleForm
}

function geminiAsked({ params, query }: FastifyRequest): Asked {
  const rest = wildcardText(params)
  const colon = rest.lastIndexOf(':')
  const method = rest.slice(colon + 1)
  const operation = colon > 0 ? entryOf(GEMINI_METHODS, method) : undefined
  if (operation === undefined) {
    const message =
      'no such method of a model: ask for {model}:generateContent, {model}:streamGenerateContent or {model}:countTokens.'
    throw new GatewayError('not_found', message, { status: 404, source: 'client' })
  }
  const urlModel = rest.slice(0, colon)
  if (method === 'countTokens') return { operation, name: 'count_tokens', urlModel }
  const form =
    operation.streams !== 'always' ? 'whole' : queryText(query, 'alt') === 'sse' ? 'events' : 'array'
  return { operation, name: 'generate_content', urlModel, form }
}

function serve(
  context: RouteContext,
  running: RunningRequests,
  request: FastifyRequest,
  reply: FastifyReply,
  { operation, name, urlModel, form }: Asked,
): void {
  const client = relayed(context, running, reply, name)
  readBody(request.raw, context.settings.maxRequestBytes, (read) =>
    client.begin(read, (body) => {
      let exchange: Exchange | undefined
      const answer =
        form === undefined
          ? client.answer
          : googleAnswer(client.answer, form, context.redact, () => exchange?.cancel())
      const { headers } = request
      const asked = { operation, body, headers, ...(urlModel !== undefined && { urlModel }) }
      exchange = context.relay.relay(asked, answer)
      return exchange
    }),
  )
}
