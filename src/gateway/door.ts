import type { IncomingMessage, ServerResponse } from 'node:http'
import type { FastifyInstance } from 'fastify'
import { createAdmission, isExempt, type Admission, type AdmissionDeps } from './admission.ts'
import type { BrokenRequests } from './broken-requests.ts'
import { createBusyShare } from './busy-loop.ts'
import type { GatewayDeps, GatewaySettings } from './gateway.ts'

/** Where requests come in, or do not. */
export interface Door {
  /** As admission's, for what does not come in as a plain request. */
  readonly refusal: Admission['refusal']
}

/** Hands a request to the framework. */
export type Routing = (request: IncomingMessage, response: ServerResponse) => void

/** What a door is made with. */
type DoorDeps = Pick<GatewayDeps, 'clock' | 'log' | 'metrics'> & {
  readonly settings: Pick<GatewaySettings, 'maxInFlight'>
}

/** Puts admission before everything else that the server does with a request. */
export function createDoor(
  app: FastifyInstance,
  route: Routing,
  { clock, log, settings, metrics }: DoorDeps,
  broken: Pick<BrokenRequests, 'arrived'>,
  { inFlight, headers }: Pick<AdmissionDeps, 'inFlight' | 'headers'>,
): Door {
  const admission = createAdmission({
    clock,
    log,
    elapsed: () => performance.now(),
    busyShare: createBusyShare(),
    maxInFlight: settings.maxInFlight,
    inFlight,
    headers,
    refused: (kind) => metrics.refused(kind),
  })
  guard(app, route, admission, broken)
  return { refusal: () => admission.refusal() }
}

/** Turns requests away before anything of the framework, or of their bodies, is touched. */
function guard(
  app: FastifyInstance,
  route: Routing,
  admission: Admission,
  broken: Pick<BrokenRequests, 'arrived'>,
): void {
  const enter = (request: IncomingMessage, response: ServerResponse): void => {
    broken.arrived(request, response)
    const refusal = isExempt(request) ? undefined : admission.refusal()
    if (refusal === undefined) route(request, response)
    else admission.refuse(refusal, request, response)
  }
  app.server.removeAllListeners('request').on('request', enter)
  app.server.on('checkContinue', (request: IncomingMessage, response: ServerResponse) => {
    const { shouldKeepAlive } = response
    // Whoever is refused need not send its body, and then nobody knows where the next request begins.
    response.shouldKeepAlive = false
    request.once('resume', () => {
      if (response.headersSent) return
      response.shouldKeepAlive = shouldKeepAlive
      response.writeContinue()
    })
    enter(request, response)
  })
}
