import type { FastifyInstance } from 'fastify'
import { LITELLM_VERSION } from '../../core/version.ts'
import type { RouteContext } from '../gateway.ts'
import { page } from '../page.ts'

/** `GET /`: what this is and where to look, for people. */
export function rootRoutes(app: FastifyInstance, { version, isDraining }: RouteContext): void {
  app.get('/', { config: { isPublic: true } }, (_, reply) =>
    reply
      .headers({
        'content-type': 'text/html; charset=utf-8',
        'content-security-policy':
          "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; frame-ancestors 'none'",
        'x-content-type-options': 'nosniff',
        'cache-control': 'no-cache',
      })
      .send(page({ version, litellmVersion: LITELLM_VERSION, isDraining: isDraining() })),
  )
}
