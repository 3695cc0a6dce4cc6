import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { isFormType } from '../../core/client-form.ts'
import type { ClientForm } from '../../core/client-form.ts'
import { asGatewayError, GatewayError } from '../../core/failure.ts'
import type { ObjectOperation } from '../../routing/objects/calls.ts'
import { OBJECT_OPERATIONS } from '../../routing/objects/calls.ts'
import type { ObjectRequest } from '../../routing/objects/objects.ts'
import type { RouteContext } from '../gateway.ts'
import { queryText } from '../json-reply.ts'
import { modelIn } from '../model-in.ts'
import { readForm } from '../read-form.ts'
import { readObject } from '../read-object.ts'
import { relayed } from '../relayed.ts'
import type { RunningRequests } from '../running-requests.ts'

/** Before each path: OpenAI's, Azure's, and Azure's with a deployment in it, as its SDK asks for batches. */
const BASES = ['', '/v1', '/openai', '/openai/v1', '/openai/deployments/:model'] as const

interface ObjectPath {
  readonly method: 'GET' | 'POST' | 'DELETE'
  readonly path: string
  readonly operation: ObjectOperation
  /** What its request is; absent: nothing. */
  readonly body?: 'json' | 'form'
}

const PATHS: readonly ObjectPath[] = [
  { method: 'POST', path: '/files', operation: OBJECT_OPERATIONS.createFile, body: 'form' },
  { method: 'GET', path: '/files', operation: OBJECT_OPERATIONS.listFiles },
  { method: 'GET', path: '/files/:id', operation: OBJECT_OPERATIONS.retrieveFile },
  { method: 'GET', path: '/files/:id/content', operation: OBJECT_OPERATIONS.fileContent },
  { method: 'DELETE', path: '/files/:id', operation: OBJECT_OPERATIONS.deleteFile },
  { method: 'GET', path: '/batches', operation: OBJECT_OPERATIONS.listBatches },
  { method: 'POST', path: '/batches', operation: OBJECT_OPERATIONS.createBatch, body: 'json' },
  { method: 'GET', path: '/batches/:id', operation: OBJECT_OPERATIONS.retrieveBatch },
  { method: 'POST', path: '/batches/:id/cancel', operation: OBJECT_OPERATIONS.cancelBatch },
  { method: 'POST', path: '/uploads', operation: OBJECT_OPERATIONS.createUpload, body: 'json' },
  { method: 'POST', path: '/uploads/:id/parts', operation: OBJECT_OPERATIONS.addPart, body: 'form' },
  {
    method: 'POST',
    path: '/uploads/:id/complete',
    operation: OBJECT_OPERATIONS.completeUpload,
    body: 'json',
  },
  { method: 'POST', path: '/uploads/:id/cancel', operation: OBJECT_OPERATIONS.cancelUpload },
]

/** Responses that were given; without a deployment in the path. */
const RESPONSE_PATHS: readonly ObjectPath[] = [
  { method: 'GET', path: '/responses/:id', operation: OBJECT_OPERATIONS.retrieveResponse },
  { method: 'DELETE', path: '/responses/:id', operation: OBJECT_OPERATIONS.deleteResponse },
  { method: 'POST', path: '/responses/:id/cancel', operation: OBJECT_OPERATIONS.cancelResponse },
  { method: 'GET', path: '/responses/:id/input_items', operation: OBJECT_OPERATIONS.responseItems },
]

/** Files, batches, uploads and responses. */
export function objectRoutes(app: FastifyInstance, context: RouteContext, running: RunningRequests): void {
  for (const base of BASES) {
    for (const each of base.includes(':') ? PATHS : [...PATHS, ...RESPONSE_PATHS]) {
      app.route({
        method: each.method,
        url: base + each.path,
        handler: (request, reply) => serve(context, running, request, reply, each),
      })
    }
  }
}

function serve(
  context: RouteContext,
  running: RunningRequests,
  request: FastifyRequest,
  reply: FastifyReply,
  { operation, body: kind }: ObjectPath,
): void {
  const client = relayed(context, running, reply, operation.kind)
  const asked = askedIn(request, operation)
  const { maxRequestBytes: maxBytes } = context.settings
  const begin = (read: Pick<ObjectRequest, 'body' | 'form'> | GatewayError): void =>
    client.begin(read, (more) => context.objects.call({ ...asked, ...more }, client.answer))
  switch (kind) {
    case undefined:
      begin({})
      return
    case 'json':
      readObject(request.raw, maxBytes, (body) => begin(body instanceof GatewayError ? body : { body }))
      return
    case 'form':
      readUpload(context, request, asked, begin)
  }
}

/** A large file is read no further than the model that it is for, where that must be known. */
function readUpload(
  { objects, settings }: RouteContext,
  { raw }: FastifyRequest,
  { operation, id, model, query }: ObjectRequest,
  begin: (more: { readonly form: ClientForm } | GatewayError) => void,
): void {
  const type = raw.headers['content-type'] ?? ''
  if (!isFormType(type)) {
    begin(noForm(operation, type))
    return
  }
  const isSettled = model === undefined && id === undefined ? objects.isClear(query) : Promise.resolve(true)
  const { maxRequestBytes: maxBytes } = settings
  isSettled.then(
    (isClear) =>
      readForm(raw, isClear ? { maxBytes } : { maxBytes, wanted: 'model' }, (form) =>
        begin(form instanceof GatewayError ? form : { form }),
      ),
    (error: unknown) => begin(asGatewayError(error)),
  )
}

function noForm({ route, parts = [] }: ObjectOperation, type: string): GatewayError {
  const given = type === '' ? 'no Content-Type' : `Content-Type '${type.slice(0, 80)}'`
  const wanted = parts.map((part) => `'${part}'`).join(' and ')
  const message = `${route}: takes a form, not ${given}: send multipart/form-data with ${wanted} as its parts.`
  return new GatewayError('bad_request', message, { status: 415, source: 'client', param: 'request_body' })
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
