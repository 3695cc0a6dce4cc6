import type { FastifyReply } from 'fastify'
import { GatewayError } from '../core/failure.ts'
import type { RunningRequests } from './running-requests.ts'

/** A client that waits for an answer. */
export interface Waiting {
  /** Aborts when it is gone, or when the gateway gives up all that wait. */
  readonly signal: AbortSignal
  /** What it is told when its work has failed: why the gateway gave it up, where it did. */
  reason(thrown: unknown): unknown
}

/** Watches a client until its answer is over. */
export function waitingFor(reply: FastifyReply, running: RunningRequests): Waiting {
  const left = new AbortController()
  const forget = running.add((reason) => left.abort(reason))
  reply.raw.once('close', () => {
    forget()
    left.abort()
  })
  const { signal } = left
  return { signal, reason: (thrown) => (signal.reason instanceof GatewayError ? signal.reason : thrown) }
}
