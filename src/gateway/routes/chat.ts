import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { GatewayError } from '../../core/failure.ts'
import type { RelayAnswer } from '../../routing/passage.ts'
import type { Exchange } from '../../routing/relay.ts'
import { createChatAnswer } from '../chat-answer.ts'
import type { RouteContext } from '../gateway.ts'
import { wildcardText } from '../json-reply.ts'
import { readBody } from '../read-body.ts'
import type { RunningRequests } from '../running-requests.ts'

const SUFFIX = '/chat/completions'

/** OpenAI's chat under all its paths. The request is read, and answered, past the framework: this is the hot path. */
export function chatRoutes(app: FastifyInstance, context: RouteContext, running: RunningRequests): void {
  for (const path of [SUFFIX, `/v1${SUFFIX}`]) {
    app.post(path, (request, reply) => serve(context, running, request, reply, undefined))
  }
  // The model may hold slashes, and a path parameter may not: the end is matched by hand. `api-version` is ignored.
  for (const path of ['/openai/deployments/*', '/engines/*']) {
    app.post(path, (request, reply) => {
      const rest = wildcardText(request.params)
      if (!rest.endsWith(SUFFIX) || rest.length === SUFFIX.length) return reply.callNotFound()
      return serve(context, running, request, reply, rest.slice(0, -SUFFIX.length))
    })
  }
}

function serve(
  context: RouteContext,
  running: RunningRequests,
  request: FastifyRequest,
  reply: FastifyReply,
  urlModel: string | undefined,
): void {
  reply.hijack()
  const { raw: response } = reply
  const answer = createChatAnswer({
    response,
    headers: plainHeaders(reply),
    redact: context.redact,
    log: context.log,
    clock: context.clock,
  })
  let exchange: Exchange | undefined
  const forget = running.add((reason) => {
    answer.fail(reason, {})
    exchange?.cancel()
  })
  response.on('drain', () => exchange?.resume())
  response.once('close', () => {
    forget()
    // The client went away before the end: nobody else waits for what the upstream is still doing.
    if (!response.writableFinished) exchange?.cancel()
  })
  readBody(request.raw, context.settings.maxRequestBytes, (body) => {
    if (body instanceof GatewayError) answer.fail(body, {})
    else if (!response.destroyed) exchange = start(context, body, urlModel, answer)
  })
}

function start(
  context: RouteContext,
  body: Buffer,
  urlModel: string | undefined,
  answer: RelayAnswer,
): Exchange {
  return context.relay.relay({ body, ...(urlModel !== undefined && { urlModel }) }, answer)
}

/** What hooks have set so far; a hijacked reply does not send them by itself. */
function plainHeaders(reply: FastifyReply): Record<string, string> {
  const headers: Record<string, string> = {}
  for (const [name, value] of Object.entries(reply.getHeaders())) {
    if (typeof value === 'string') headers[name] = value
  }
  return headers
}
