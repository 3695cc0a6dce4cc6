import type { Usage } from '../../core/answer-facts.ts'
import type { Clock } from '../../core/clock.ts'
import { asGatewayError } from '../../core/failure.ts'
import type { JsonObject } from '../../core/json.ts'
import type { MessageBytes } from '../../core/web-socket.ts'
import type { SessionTranslator } from '../../providers/realtime-face.ts'
import { readUsage } from '../answer/usage.ts'
import { bytesOf, hasRoom, isFull, pause, resume, type Side } from './side.ts'

/** The middle of a bridge between two sides that speak different words. */
export interface Middle {
  /** Says what the client hears first. */
  open(): void
  /** A message of one of the sides. */
  pass(from: Side, data: MessageBytes): void
  /** The upstream is over: the client's last words come. */
  close(code: number, reason: string): void
  /** Forgets its deadline, and what was not yet heard. */
  stop(): void
}

/** How long an upstream may take to be ready for what its client says, milliseconds. */
const READY_MS = 30_000

/** What a middle is told besides its two sides. */
interface MiddleOptions {
  readonly clock: Clock
  readonly translator?: SessionTranslator | undefined
  readonly spent?: ((usage: Usage) => void) | undefined
}

/** Why a middle ends its session. */
interface MiddleEnds {
  /** The upstream has not become ready in time. */
  readonly late: (why: string) => void
  /** The translator threw, which is a bug: it ends this session only. */
  readonly broken: (why: string) => void
}

/**
 * Makes it, where the two sides need one. A side is not read while too much waits for either one, for a message may be
 * answered to where it came from; the client is not read, either, while the upstream is not ready. What a client has
 * said in one piece with what stopped its reading waits here: a small event may be answered with a large one.
 */
export function createMiddle(
  client: Side,
  upstream: Side,
  { clock, translator, spent }: MiddleOptions,
  { late, broken }: MiddleEnds,
): Middle | undefined {
  if (translator === undefined) return undefined
  const held: MessageBytes[] = []
  const deadline = createDeadline(clock, late)
  const guarded = (run: () => void): void => {
    try {
      run()
    } catch (error) {
      broken(`the gateway failed: ${asGatewayError(error).message}`)
    }
  }
  const hearClient = (): void => {
    while (hasRoom(client) && hasRoom(upstream) && !translator.isWaiting()) {
      const next = held.shift()
      if (next === undefined) {
        resume(client)
        return
      }
      guarded(() => translate(client, next))
    }
  }
  const flushed = (): void => {
    if (!hasRoom(client)) return
    resume(upstream)
    hearClient()
  }
  const settle = (): void => {
    if (isFull(client)) pause(upstream)
    if (isFull(client) || isFull(upstream) || translator.isWaiting()) pause(client)
    if (translator.isWaiting()) deadline.start()
    else if (deadline.stop()) flushed()
  }
  const say = (to: Side, texts: readonly string[]): void => {
    for (const text of texts) to.socket.send(Buffer.from(text), { binary: false }, flushed)
  }
  const translate = (from: Side, data: MessageBytes): void => {
    const said = translator[from === client ? 'fromClient' : 'fromUpstream'](bytesOf(data).toString())
    say(upstream, said.toUpstream)
    say(client, said.toClient)
    if (said.spent !== undefined) for (const usage of countable(said.spent)) spent?.(usage)
    settle()
  }
  return {
    open: () => guarded(() => say(client, translator.greeting())),
    pass: (from, data) => {
      if (from === client && client.isPaused) held.push(data)
      else guarded(() => translate(from, data))
    },
    close: (code, reason) => guarded(() => say(client, translator.ended(code, reason))),
    stop: () => {
      held.length = 0
      deadline.stop()
    },
  }
}

function countable(costs: readonly JsonObject[]): readonly Usage[] {
  return costs.flatMap((cost) => readUsage(cost) ?? [])
}

/** By when an upstream must be ready. */
function createDeadline(clock: Clock, late: MiddleEnds['late']) {
  let cancel: (() => void) | undefined
  return {
    /** Runs from the first call on. */
    start: (): void => {
      cancel ??= clock.after(READY_MS, () => late(`the upstream was not ready within ${READY_MS / 1000} s`))
    },
    /** Did it run? */
    stop: (): boolean => {
      const did = cancel !== undefined
      cancel?.()
      cancel = undefined
      return did
    },
  }
}
