import type { FastifyInstance } from 'fastify'
import { EXPOSITION_TYPE } from '../../metrics/exposition.ts'
import type { RouteContext } from '../gateway.ts'

/** `GET /metrics`, for Prometheus. */
export function metricsRoutes(app: FastifyInstance, { metrics, metricsNeedKey }: RouteContext): void {
  app.get('/metrics', { config: { isPublic: !metricsNeedKey } }, (_, reply) =>
    reply.header('content-type', EXPOSITION_TYPE).send(metrics.page()),
  )
}
