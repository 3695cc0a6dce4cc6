import type { FastifyInstance, HTTPMethods } from 'fastify'
import { GatewayError } from '../core/failure.ts'
import type { Redact } from '../core/secret.ts'
import type { ErrorWords } from './error-words.ts'
import { sendError } from './json-reply.ts'

/** The methods that a known path may refuse: all that the router knows. Others are refused before it. */
const METHODS: readonly HTTPMethods[] = [
  'GET',
  'HEAD',
  'POST',
  'PUT',
  'PATCH',
  'DELETE',
  'OPTIONS',
  'TRACE',
  'QUERY',
]

/** Remembers which methods each path has, so that all others can be refused with `Allow`. */
export interface KnownPaths {
  /** To be registered before the routes. */
  watch(app: FastifyInstance): void
  /** To be called after the routes: answers every other method of their paths with 405. */
  refuseOthers(app: FastifyInstance, redact: Redact): void
}

/** Starts with no path. */
export function createKnownPaths(): KnownPaths {
  const paths = new Map<string, Set<string>>()
  const errors = new Map<string, ErrorWords>()
  return {
    watch: (app) => {
      app.addHook('onRoute', ({ url, method, config }) => {
        // A path of several APIs answers as the first of them.
        if (config?.errors !== undefined && !paths.has(url)) errors.set(url, config.errors)
        const methods = paths.get(url) ?? new Set()
        for (const each of Array.isArray(method) ? method : [method]) methods.add(each)
        paths.set(url, methods)
      })
    },
    refuseOthers: (app, redact) => {
      for (const [url, has] of Array.from(paths)) {
        const words = errors.get(url)
        const others = METHODS.filter((method) => !has.has(method))
        // HEAD goes with every GET (RFC 9110 §9.1) and is not named, as in LiteLLM's answers.
        const allow = [...has]
          .filter((method) => method !== 'HEAD')
          .sort()
          .join(', ')
        app.route({
          method: others,
          url,
          config: { isPublic: true, isRefusal: true, ...(words !== undefined && { errors: words }) },
          handler: (request, reply) => {
            const message = `${request.method} is not allowed here; allowed: ${allow}.`
            const error = new GatewayError('bad_request', message, { status: 405, source: 'client' })
            return sendError(reply.header('allow', allow), error, redact, 'Method Not Allowed')
          },
        })
      }
    },
  }
}
