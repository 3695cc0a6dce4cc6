import type { IncomingHttpHeaders } from 'node:http'
import type { FastifyInstance } from 'fastify'
import { LITELLM_VERSION } from '../../core/version.ts'
import type { RouteContext } from '../gateway.ts'
import { page } from '../page.ts'

/** A name or an address, with or without a port; anything else in `Host` is not repeated. */
const HOST = /^(?:[\w.-]{1,253}|\[[\da-f:.]{2,45}\])(?::\d{1,5})?$/i

/** `GET /`: what this is and where to look, for people. */
export function rootRoutes(app: FastifyInstance, { version, isDraining }: RouteContext): void {
  app.get('/', { config: { isPublic: true } }, (request, reply) =>
    reply
      .headers({
        'content-type': 'text/html; charset=utf-8',
        'content-security-policy':
          "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
        'x-content-type-options': 'nosniff',
        'referrer-policy': 'no-referrer',
        'cache-control': 'no-store',
      })
      .send(
        page({
          version,
          litellmVersion: LITELLM_VERSION,
          isDraining: isDraining(),
          address: addressOf(request.headers),
        }),
      ),
  )
}

/** As the reader typed it; a proxy that ends TLS says so in `x-forwarded-proto`. It is only shown, never trusted. */
function addressOf(headers: IncomingHttpHeaders): string {
  const host = headers.host ?? ''
  const scheme = headers['x-forwarded-proto'] === 'https' ? 'https' : 'http'
  return HOST.test(host) ? `${scheme}://${host}` : 'http://localhost:4000'
}
