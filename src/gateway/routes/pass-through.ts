import type { IncomingHttpHeaders, IncomingMessage } from 'node:http'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { isFormType } from '../../core/client-form.ts'
import type { ClientForm } from '../../core/client-form.ts'
import { entryOf } from '../../core/entry-of.ts'
import { asGatewayError, GatewayError } from '../../core/failure.ts'
import { memberValue, scanObject } from '../../core/json-spans.ts'
import { PASSED_PROVIDERS } from '../../routing/pass-through/owners.ts'
import type { PassedProvider } from '../../routing/pass-through/owners.ts'
import { ANTHROPIC_ERRORS, AWS_ERRORS, GOOGLE_ERRORS, OPENAI_ERRORS, PLAIN_ERRORS } from '../error-words.ts'
import type { ErrorWords } from '../error-words.ts'
import type { RouteContext } from '../gateway.ts'
import type { Operation } from '../../routing/request/operation.ts'
import { readBody } from '../read-body.ts'
import { readForm } from '../read-form.ts'
import { relayed } from '../relayed.ts'
import type { RunningRequests } from '../running-requests.ts'
import { operationAt } from './operations.ts'

/** How the clients of each provider read errors; a sentence alone where it is not said. */
const ERRORS: Readonly<Record<string, ErrorWords>> = {
  anthropic: ANTHROPIC_ERRORS,
  openai: OPENAI_ERRORS,
  gemini: GOOGLE_ERRORS,
  vertex_ai: GOOGLE_ERRORS,
  bedrock: AWS_ERRORS,
}

/** A client's headers that say something of its request; all others, its key for this gateway above all, stay here. */
const PASSED_HEADERS: ReadonlySet<string> = new Set([
  'accept',
  'content-type',
  'idempotency-key',
  'x-client-name',
])
const PASSED_FORMS =
  /^(?:anthropic-|openai-(?!organization$|project$)|x-amzn-bedrock-|x-goog-(?!api-key|iam-|user-project$))/
/** Where Google's clients write a key in the query. */
const KEY_PARAMS = ['key', 'access_token'] as const

/** Each provider's own API below its name, with a deployment's credentials. */
export function passThroughRoutes(
  app: FastifyInstance,
  context: RouteContext,
  running: RunningRequests,
): void {
  for (const provider of PASSED_PROVIDERS) {
    for (const name of [provider.name, ...(provider.aliases ?? [])]) {
      app.route({
        method: ['GET', 'POST', 'DELETE'],
        url: `/${name}/*`,
        config: { errors: entryOf(ERRORS, provider.name) ?? PLAIN_ERRORS },
        handler: (request, reply) => serve(context, running, request, reply, provider),
      })
    }
  }
}

function serve(
  context: RouteContext,
  running: RunningRequests,
  request: FastifyRequest,
  reply: FastifyReply,
  provider: PassedProvider,
): void {
  const { raw, url } = request
  const method = methodOf(request.method)
  const mark = url.indexOf('?')
  const path = url.slice(url.indexOf('/', 1), mark === -1 ? undefined : mark)
  const query = mark === -1 ? '' : queryOf(url.slice(mark + 1))
  const asked = { provider, method, path, query, headers: passedHeaders(raw.headers) }
  const client = relayed(context, running, reply, 'pass_through')
  const { answer } = client
  const passOn = (read: Buffer | GatewayError | undefined): void =>
    client.begin(read, (body) =>
      context.passThrough.call({ ...asked, ...(body !== undefined && { body }) }, answer),
    )
  const { maxRequestBytes } = context.settings
  const operation = provider.name === 'openai' && method === 'POST' ? operationAt(path) : undefined
  if (method === 'GET') passOn(undefined)
  else if (operation === undefined)
    readBody(raw, maxRequestBytes, (body) => {
      const isNone = method === 'DELETE' && !(body instanceof GatewayError) && body.length === 0
      passOn(isNone ? undefined : body)
    })
  else
    readAsked(raw, operation, maxRequestBytes, (body) => {
      if (body instanceof GatewayError) passOn(body)
      else if (!namesOurs(context, operation, body)) wholeOf(body, passOn)
      else if (client.isWaiting()) {
        answer.countAs(operation.mode)
        client.carriedBy(context.relay.relay({ operation, body, headers: raw.headers }, answer))
      }
    })
}

/** Does a body name a model that the config has? Whatever else it is, is for the provider to say. */
function namesOurs({ directory }: RouteContext, { accepts }: Operation, body: Buffer | ClientForm): boolean {
  if (accepts === 'form' && Buffer.isBuffer(body)) return false
  const model = modelOf(body)
  return typeof model === 'string' && directory.candidates(model).length > 0
}

function modelOf(body: Buffer | ClientForm): unknown {
  if (!Buffer.isBuffer(body)) return body.fields.findLast(({ name }) => name === 'model')?.text
  try {
    return memberValue(body, scanObject(body), 'model')
  } catch (error) {
    if (error instanceof GatewayError) return undefined
    throw error
  }
}

/** JSON, or as much of a form as has its model in it. */
function readAsked(
  request: IncomingMessage,
  { accepts }: Operation,
  maxBytes: number,
  done: (body: Buffer | ClientForm | GatewayError) => void,
): void {
  const isForm = accepts !== undefined && isFormType(request.headers['content-type'] ?? '')
  if (isForm) readForm(request, { maxBytes, wanted: 'model' }, done)
  else readBody(request, maxBytes, done)
}

/** All of a form, as whatever is passed on is held. */
function wholeOf(body: Buffer | ClientForm, done: (body: Buffer | GatewayError) => void): void {
  const { held, rest } = Buffer.isBuffer(body) ? { held: body } : body
  if (rest === undefined) {
    done(held)
    return
  }
  const pieces = [held]
  rest.take({
    data: (chunk) => {
      pieces.push(chunk)
      return true
    },
    end: () => done(Buffer.concat(pieces)),
    fail: (error) => done(asGatewayError(error)),
  })
}

function methodOf(method: string): 'GET' | 'POST' | 'DELETE' {
  return method === 'POST' || method === 'DELETE' ? method : 'GET'
}

function queryOf(text: string): string {
  const query = new URLSearchParams(text)
  if (!KEY_PARAMS.some((name) => query.has(name))) return `?${text}`
  for (const name of KEY_PARAMS) query.delete(name)
  return query.size === 0 ? '' : `?${query.toString()}`
}

function passedHeaders(headers: IncomingHttpHeaders): Readonly<Record<string, string>> {
  return Object.fromEntries(
    Object.entries(headers).flatMap(([name, value]) =>
      typeof value === 'string' && (PASSED_HEADERS.has(name) || PASSED_FORMS.test(name))
        ? [[name, value]]
        : [],
    ),
  )
}
