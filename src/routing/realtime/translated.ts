import type { Clock } from '../../core/clock.ts'
import type { MessageBytes } from '../../core/web-socket.ts'
import type { SessionTranslator } from '../../providers/adapter.ts'
import { bytesOf, hasRoom, isFull, pause, resume, type Side } from './side.ts'

/** The middle of a bridge between two sides that speak different words. */
export interface Middle {
  /** Says what the client hears first. */
  open(): void
  /** A message of one of the sides. */
  pass(from: Side, data: MessageBytes): void
  /** The upstream is over: the client's last words come. */
  close(code: number, reason: string): void
  /** Forgets its deadline. */
  stop(): void
}

/** How long an upstream may take to be ready for what its client says, milliseconds. */
const READY_MS = 30_000

/** What a middle is told besides its two sides. */
interface MiddleOptions {
  readonly clock: Clock
  readonly translator?: SessionTranslator | undefined
}

/**
 * Makes it, where the two sides need one. A side is not read while too much waits for either one, for a message may be
 * answered to where it came from; the client is not read, either, while the upstream is not ready. `late`: it has not
 * become so in time.
 */
export function createMiddle(
  client: Side,
  upstream: Side,
  { clock, translator }: MiddleOptions,
  late: (why: string) => void,
): Middle | undefined {
  if (translator === undefined) return undefined
  let stopWaiting: (() => void) | undefined
  const stop = (): void => {
    stopWaiting?.()
    stopWaiting = undefined
  }
  const flushed = (): void => {
    if (!hasRoom(client)) return
    resume(upstream)
    if (hasRoom(upstream) && !translator.isWaiting()) resume(client)
  }
  const settle = (): void => {
    if (isFull(client)) pause(upstream)
    if (isFull(client) || isFull(upstream) || translator.isWaiting()) pause(client)
    if (translator.isWaiting()) {
      const why = `the upstream was not ready within ${READY_MS / 1000} s`
      stopWaiting ??= clock.after(READY_MS, () => late(why))
    } else if (stopWaiting !== undefined) {
      stop()
      flushed()
    }
  }
  const say = (to: Side, texts: readonly string[]): void => {
    for (const text of texts) to.socket.send(Buffer.from(text), { binary: false }, flushed)
  }
  return {
    open: () => say(client, translator.greeting()),
    pass: (from, data) => {
      const message = bytesOf(data).toString()
      const said = from === client ? translator.fromClient(message) : translator.fromUpstream(message)
      say(upstream, said.toUpstream)
      say(client, said.toClient)
      settle()
    },
    close: (code, reason) => say(client, translator.ended(code, reason)),
    stop,
  }
}
