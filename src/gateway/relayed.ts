import type { FastifyReply } from 'fastify'
import { asGatewayError, GatewayError } from '../core/failure.ts'
import type { Exchange } from '../routing/relay.ts'
import { createClientAnswer } from './client-answer.ts'
import type { ClientAnswer } from './client-answer.ts'
import type { RouteContext } from './gateway.ts'
import type { RunningRequests } from './running-requests.ts'

/** A request that is answered past the framework, piece by piece. */
export interface Relayed {
  readonly answer: ClientAnswer
  /** The client is there and waits. */
  isWaiting(): boolean
  /** From now on the client's pauses and its leaving are told to this exchange. */
  carriedBy(exchange: Exchange): void
  /** Begins with what was read of the request: what could not be read is refused, and who has left is not begun for. */
  begin<Read>(read: Read | GatewayError, start: (read: Read) => Exchange): void
}

/**
 * Takes a reply out of the framework's hands; it is ended with the others when the process ends. `operation` is its
 * name in metrics and log.
 */
export function relayed(
  context: RouteContext,
  running: RunningRequests,
  reply: FastifyReply,
  operation: string,
): Relayed {
  reply.hijack()
  const { raw: response } = reply
  let exchange: Exchange | undefined
  const answer = createClientAnswer({
    response,
    headers: reply.request.common ?? {},
    operation,
    redact: context.redact,
    report: context.report,
    clock: context.clock,
    finish: context.steps.finish,
    errors: reply.request.routeOptions.config.errors,
    drained: () => exchange?.resume(),
  })
  const forget = running.add((reason) => {
    answer.fail(reason, {})
    exchange?.cancel()
  })
  response.once('close', () => {
    forget()
    if (response.writableFinished) {
      // An upstream may answer before it has all of a form; what it did not want stands before the next request.
      if (!response.req.complete) response.req.resume()
      return
    }
    // The client went away before the end: nobody else waits for what the upstream is still doing.
    exchange?.cancel()
    answer.fail(new GatewayError('cancelled', 'the client went away', { source: 'client' }), {})
  })
  const isWaiting = (): boolean => !response.destroyed && !response.writableEnded
  return {
    answer,
    isWaiting,
    carriedBy: (carrier) => {
      exchange = carrier
    },
    begin: (read, start) => {
      if (read instanceof GatewayError) {
        answer.fail(read, {})
        return
      }
      context.steps.begin(() => {
        if (!isWaiting()) return
        try {
          exchange = start(read)
        } catch (thrown) {
          answer.fail(asGatewayError(thrown), {})
        }
      })
    },
  }
}
