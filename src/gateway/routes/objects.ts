import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { GatewayError } from '../../core/failure.ts'
import type { JsonObject } from '../../core/json.ts'
import type { ObjectOperation } from '../../routing/object-operations.ts'
import { OBJECT_OPERATIONS } from '../../routing/object-operations.ts'
import type { ObjectRequest } from '../../routing/objects.ts'
import type { RouteContext } from '../gateway.ts'
import { queryText } from '../json-reply.ts'
import { modelIn } from '../model-in.ts'
import { readObject } from '../read-object.ts'
import { relayed } from '../relayed.ts'
import type { RunningRequests } from '../running-requests.ts'

/** Before each path: OpenAI's, Azure's, and Azure's with a deployment in it, as its SDK asks for batches. */
const BASES = ['', '/v1', '/openai', '/openai/v1', '/openai/deployments/:model'] as const

interface ObjectPath {
  readonly method: 'GET' | 'POST' | 'DELETE'
  readonly path: string
  readonly operation: ObjectOperation
  /** Its request is a JSON object. */
  readonly hasBody?: true
}

const PATHS: readonly ObjectPath[] = [
  { method: 'GET', path: '/files', operation: OBJECT_OPERATIONS.listFiles },
  { method: 'GET', path: '/files/:id', operation: OBJECT_OPERATIONS.retrieveFile },
  { method: 'GET', path: '/files/:id/content', operation: OBJECT_OPERATIONS.fileContent },
  { method: 'DELETE', path: '/files/:id', operation: OBJECT_OPERATIONS.deleteFile },
  { method: 'GET', path: '/batches', operation: OBJECT_OPERATIONS.listBatches },
  { method: 'POST', path: '/batches', operation: OBJECT_OPERATIONS.createBatch, hasBody: true },
  { method: 'GET', path: '/batches/:id', operation: OBJECT_OPERATIONS.retrieveBatch },
  { method: 'POST', path: '/batches/:id/cancel', operation: OBJECT_OPERATIONS.cancelBatch },
]

/** Files and batches: everything about them but the upload of a file. */
export function objectRoutes(app: FastifyInstance, context: RouteContext, running: RunningRequests): void {
  for (const base of BASES) {
    for (const { method, path, operation, hasBody } of PATHS) {
      app.route({
        method,
        url: base + path,
        handler: (request, reply) => serve(context, running, request, reply, operation, hasBody === true),
      })
    }
  }
}

function serve(
  context: RouteContext,
  running: RunningRequests,
  request: FastifyRequest,
  reply: FastifyReply,
  operation: ObjectOperation,
  hasBody: boolean,
): void {
  const client = relayed(context, running, reply)
  const asked = askedIn(request, operation)
  const begin = (body?: JsonObject): void => {
    const whole = body === undefined ? asked : { ...asked, body }
    if (client.isWaiting()) client.carriedBy(context.objects.call(whole, client.answer))
  }
  if (!hasBody) begin()
  else
    readObject(request.raw, context.settings.maxRequestBytes, (body) => {
      if (body instanceof GatewayError) client.answer.fail(body, {})
      else begin(body)
    })
}

/** What a request says before its body is read. */
function askedIn(request: FastifyRequest, operation: ObjectOperation): ObjectRequest {
  const id = queryText(request.params, 'id')
  const model = modelIn(request)
  return {
    operation,
    query: queryOf(request),
    ...(id !== undefined && { id }),
    ...(model !== undefined && { model }),
  }
}

function queryOf({ url }: FastifyRequest): URLSearchParams {
  const mark = url.indexOf('?')
  return new URLSearchParams(mark === -1 ? '' : url.slice(mark + 1))
}
