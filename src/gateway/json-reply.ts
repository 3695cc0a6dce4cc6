import type { FastifyReply } from 'fastify'
import type { GatewayError } from '../core/failure.ts'
import type { Redact } from '../core/secret.ts'
import { errorAnswer } from './error-answer.ts'
import type { Detail } from './error-answer.ts'

/** Sends JSON as bytes: to text the framework would add a charset, which JSON has not (RFC 8259 §11). */
export function sendJson(reply: FastifyReply, status: number, body: unknown): FastifyReply {
  return sendJsonText(reply, status, JSON.stringify(body))
}

/** Sends what is JSON text already, or its bytes. */
export function sendJsonText(reply: FastifyReply, status: number, text: string | Buffer): FastifyReply {
  const bytes = typeof text === 'string' ? Buffer.from(text) : text
  return reply.code(status).header('content-type', 'application/json').send(bytes)
}

/** Sends an error, with LiteLLM's `detail` beside it where one is given. */
export function sendError(
  reply: FastifyReply,
  error: GatewayError,
  redact: Redact,
  detail?: Detail,
): FastifyReply {
  const { status, headers, body } = errorAnswer(
    error,
    redact,
    detail,
    reply.request.routeOptions.config.errors,
  )
  return reply.code(status).headers(headers).send(Buffer.from(body))
}

/** A query parameter: the first where it stands several times, undefined where it is absent or empty. */
export function queryText(query: unknown, name: string): string | undefined {
  if (typeof query !== 'object' || query === null || !Object.hasOwn(query, name)) return undefined
  const value: unknown = Reflect.get(query, name)
  const first: unknown = Array.isArray(value) ? value[0] : value
  return typeof first === 'string' && first !== '' ? first : undefined
}

/** What `*` stood for in the route's path. */
export function wildcardText(params: unknown): string {
  return queryText(params, '*') ?? ''
}
