import { Worker } from 'node:worker_threads'
import type { Cancel, Clock } from '../../core/clock.ts'
import { GatewayError } from '../../core/failure.ts'
import { samplesOf } from './text-samples.ts'

/** What the thread is asked. */
export interface CountOrder {
  readonly id: number
  readonly pieces: readonly string[]
}

/** What it answers. */
export interface CountAnswer {
  readonly id: number
  readonly tokens: number
}

/**
 * How many tokens a text is.
 * @throws GatewayError cancelled; throttled where too many wait; internal where the thread fails
 */
export type CountText = (text: string, signal: AbortSignal) => Promise<number>

/** Texts that are counted or wait for it, at once; those that nobody waits for any more among them. */
const MOST_WAITING = 256
/** The worst text takes a tenth of a second, and so do all that wait before it. */
const WITHIN_MS = 30_000
/** So long a thread is kept that nobody needs. */
const IDLE_MS = 60_000
/** A thread that wants more is ended, and not the process. */
const LIMITS = { maxOldGenerationSizeMb: 256 }

/** A text in the thread's queue, which counts it whether anybody still waits for it or not. */
interface Waiting {
  readonly answer: PromiseWithResolvers<number>
  /** Ends its deadline. */
  readonly stop: Cancel
}

interface Thread {
  readonly worker: Worker
  readonly waiting: Map<number, Waiting>
}

/** Counts in a thread of its own, which is there while it is needed. */
export function createTextCounter({ after }: Pick<Clock, 'after'>): CountText {
  let thread: Thread | undefined
  let orders = 0
  let stopIdling: Cancel = () => {}
  const end = (ended: Thread, error: GatewayError): void => {
    if (thread !== ended) return
    thread = undefined
    for (const { answer, stop } of ended.waiting.values()) {
      stop()
      answer.reject(error)
    }
    ended.waiting.clear()
    ended.worker.terminate().catch(() => undefined)
  }
  const idle = (idling: Thread): void => {
    stopIdling = after(IDLE_MS, () => end(idling, failed('was not needed')))
  }
  return async (text, signal) => {
    if (text === '') return 0
    if (signal.aborted) throw gone()
    stopIdling()
    const mine = (thread ??= startThread(end, idle))
    const { waiting, worker } = mine
    if (waiting.size >= MOST_WAITING) throw busy()
    const { pieces, share } = samplesOf(text)
    const id = (orders += 1)
    const answer = Promise.withResolvers<number>()
    const late = (): void => end(mine, failed(`took longer than ${WITHIN_MS / 1000} s`))
    waiting.set(id, { answer, stop: after(WITHIN_MS, late) })
    const order: CountOrder = { id, pieces }
    worker.postMessage(order)
    const left = (): void => answer.reject(gone())
    signal.addEventListener('abort', left, { once: true })
    try {
      return Math.round((await answer.promise) * share)
    } finally {
      signal.removeEventListener('abort', left)
    }
  }
}

/** The thread's own file stands beside this one, or beside the bundle. */
function startThread(
  end: (thread: Thread, error: GatewayError) => void,
  idle: (thread: Thread) => void,
): Thread {
  const name = import.meta.url.endsWith('.ts') ? './count-thread.ts' : './count-thread.js'
  const worker = new Worker(new URL(name, import.meta.url), { execArgv: [], resourceLimits: LIMITS })
  const thread: Thread = { worker, waiting: new Map() }
  worker.on('message', ({ id, tokens }: CountAnswer) => {
    const { waiting } = thread
    const counted = waiting.get(id)
    if (counted === undefined) return
    waiting.delete(id)
    counted.stop()
    counted.answer.resolve(tokens)
    if (waiting.size === 0) idle(thread)
  })
  worker.on('error', (error) => end(thread, failed(`failed: ${String(error)}`)))
  worker.on('exit', () => end(thread, failed('ended')))
  // It holds no process that wants to end.
  worker.unref()
  return thread
}

function failed(how: string): GatewayError {
  return new GatewayError('internal', `the thread that counts tokens ${how}`, { source: 'gateway' })
}

function busy(): GatewayError {
  const message = `${MOST_WAITING} texts wait to be counted: ask again in a moment.`
  return new GatewayError('throttled', message, { source: 'gateway', retryAfterMs: 1_000 })
}

function gone(): GatewayError {
  return new GatewayError('cancelled', 'the caller went away', { source: 'client' })
}
