import { setImmediate as nextTurn } from 'node:timers/promises'
import type { FastifyInstance } from 'fastify'
import { EXPOSITION_TYPE } from '../../metrics/exposition.ts'
import type { RouteContext } from '../gateway.ts'

/** Pieces written in one go: with ten thousand groups the page is megabytes, and requests must not wait for it. */
const PIECES_A_TURN = 500

/** `GET /metrics`, for Prometheus. */
export function metricsRoutes(app: FastifyInstance, { metrics, metricsNeedKey }: RouteContext): void {
  app.get('/metrics', { config: { isPublic: !metricsNeedKey } }, async (_, reply) => {
    let text = ''
    let pieces = 0
    for (const piece of metrics.page()) {
      text += piece
      pieces++
      if (pieces % PIECES_A_TURN === 0) await nextTurn()
    }
    return reply.header('content-type', EXPOSITION_TYPE).send(text)
  })
}
