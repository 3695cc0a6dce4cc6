import type { FastifyInstance } from 'fastify'
import type { RealtimeKeyRequest } from '../../routing/realtime/keys.ts'
import type { RouteContext } from '../gateway.ts'
import { modelIn } from '../model-in.ts'
import { readObject } from '../read-object.ts'
import { relayed } from '../relayed.ts'
import type { RunningRequests } from '../running-requests.ts'

interface KeyPath {
  readonly path: string
  readonly route: RealtimeKeyRequest['route']
}

const PATHS: readonly KeyPath[] = [
  { path: '/realtime/client_secrets', route: 'client_secrets' },
  { path: '/realtime/sessions', route: 'sessions' },
  { path: '/realtime/transcription_sessions', route: 'transcription_sessions' },
]
/** What stands before these paths, and those of calls. */
export const VERSIONS = ['', '/v1', '/openai', '/openai/v1'] as const

/** Keys that a browser may have: they open one realtime session through this gateway, and nothing else. */
export function realtimeKeyRoutes(
  app: FastifyInstance,
  context: RouteContext,
  running: RunningRequests,
): void {
  for (const version of VERSIONS) {
    for (const { path, route } of PATHS) {
      app.post(version + path, (request, reply) => {
        const client = relayed(context, running, reply, 'realtime_key')
        const model = modelIn(request)
        readObject(request.raw, context.settings.maxRequestBytes, (read) =>
          client.begin(read, (body) => context.realtimeKeys.create({ route, model, body }, client.answer)),
        )
      })
    }
  }
}
