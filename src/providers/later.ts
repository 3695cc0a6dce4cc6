import type { Clock } from '../core/clock.ts'
import { asGatewayError, GatewayError } from '../core/failure.ts'
import type { Stream, StreamSink } from '../transport/wire.ts'

/**
 * An exchange that begins when something else is there: a picture, a token, the rest of a form. A cancel meanwhile
 * means that nothing is sent; `stop` is then told that nobody waits any more.
 */
export function later<Value>(
  promise: Promise<Value>,
  start: (value: Value) => Stream,
  sink: Pick<StreamSink, 'fail'>,
  stop: () => void = () => {},
): Stream {
  let running: Stream | undefined
  let isCancelled = false
  promise
    .then((value) => {
      if (!isCancelled) running = start(value)
    })
    .catch((error: unknown) => {
      if (!isCancelled) sink.fail(asGatewayError(error))
    })
  return {
    resume: () => running?.resume(),
    cancel: () => {
      if (running !== undefined) running.cancel()
      else if (!isCancelled) {
        isCancelled = true
        stop()
        sink.fail(new GatewayError('cancelled', 'the caller went away', { source: 'client' }))
      }
    },
  }
}

/** The same promise with an end: what comes later is for nobody. `words` say what did not come. */
export function within<Value>(
  promise: Promise<Value>,
  timeoutMs: number,
  clock: Pick<Clock, 'after'>,
  words: string,
): Promise<Value> {
  return new Promise((resolve, reject) => {
    const cancel = clock.after(timeoutMs, () => {
      reject(new GatewayError('timeout', `${words} within ${timeoutMs} ms`, { source: 'gateway' }))
    })
    promise.then(
      (value) => {
        cancel()
        resolve(value)
      },
      (error: unknown) => {
        cancel()
        reject(error)
      },
    )
  })
}
