import { NEVER } from './standing.ts'

/** One call of a client that is under way. Whoever began it ends it once. */
export interface Call {
  readonly index: number
  readonly startedAt: number
  /** Of `bucketOf`. */
  readonly bucket: number
  /** After this the caller gives up, milliseconds. */
  readonly timeoutMs: number
  readonly request: number
  readonly prompt: number
  readonly isTenantsOwn: boolean
  /** It is its group's last resort. */
  readonly isPanic: boolean
  /** Which of the deployment's probations it was begun in. */
  readonly probation: number
  state: 'waiting' | 'streaming' | 'over'
  /** When its first or newest byte came. */
  lastByteAt: number
  /** From its start to its first byte, milliseconds. */
  firstByteMs: number
  /** Its silence was counted as a failure already. */
  isReported: boolean
  older: Call | undefined
  newer: Call | undefined
}

/** Calls under way, by deployment; the oldest that waits for its first byte is found at once. */
export interface Calls {
  add(call: Call): void
  /** The first byte came. */
  answered(call: Call, now: number): void
  /** Another one came. */
  chunk(call: Call, now: number): void
  remove(call: Call): void
  waiting(index: number): number
  /** The one that has waited longest for its first byte. */
  oldest(index: number): Call | undefined
  /** When this deployment last sent any byte. */
  lastByteAt(index: number): number
  /** All that are silent for longer than they may be, each once. `budgetMs` is that of a call's first byte. */
  hung(now: number, budgetMs: (call: Call) => number): readonly Call[]
  size(): number
}

/** A stream may pause for half a minute, or for ten times its deployment's longest usual pause. */
const STALL_MS = 30_000
const STALL_TIMES = 10
/** The 99th percentile of the pauses is followed in steps of this share. */
const STEP = 0.05
const QUANTILE = 0.99

/** Makes the register of calls of so many deployments. */
export function createCalls(count: number): Calls {
  const oldest: (Call | undefined)[] = Array.from({ length: count })
  const newest: (Call | undefined)[] = Array.from({ length: count })
  const waiting = new Int32Array(count)
  const lastByte = new Float64Array(count).fill(NEVER)
  const pauses = new Float64Array(count)
  const streaming = new Set<Call>()
  const waited = new Set<number>()
  const unlink = (call: Call): void => {
    const { index, older, newer } = call
    if (older === undefined) oldest[index] = newer
    else older.newer = newer
    if (newer === undefined) newest[index] = older
    else newer.older = older
    call.older = undefined
    call.newer = undefined
    const left = (waiting[index] ?? 0) - 1
    waiting[index] = left
    if (left === 0) waited.delete(index)
  }
  const pausesOf = (index: number): number => pauses[index] ?? 0
  return {
    add: (call) => {
      const { index } = call
      const last = newest[index]
      call.older = last
      if (last === undefined) oldest[index] = call
      else last.newer = call
      newest[index] = call
      waiting[index] = (waiting[index] ?? 0) + 1
      waited.add(index)
    },
    answered: (call, now) => {
      if (call.state !== 'waiting') return
      unlink(call)
      call.state = 'streaming'
      call.lastByteAt = now
      call.firstByteMs = now - call.startedAt
      lastByte[call.index] = now
      streaming.add(call)
    },
    chunk: (call, now) => {
      if (call.state !== 'streaming') return
      const pause = Math.max(now - call.lastByteAt, 1)
      const known = Math.max(pausesOf(call.index), 1)
      pauses[call.index] = known * (pause > known ? 1 + STEP * QUANTILE : 1 - STEP * (1 - QUANTILE))
      call.lastByteAt = now
      lastByte[call.index] = now
    },
    remove: (call) => {
      if (call.state === 'waiting') unlink(call)
      else streaming.delete(call)
      call.state = 'over'
    },
    waiting: (index) => waiting[index] ?? 0,
    oldest: (index) => oldest[index],
    lastByteAt: (index) => lastByte[index] ?? NEVER,
    hung: (now, budgetMs) => {
      const found: Call[] = []
      const report = (call: Call): void => {
        call.isReported = true
        found.push(call)
      }
      for (const index of waited) {
        for (let call = oldest[index]; call !== undefined; call = call.newer) {
          if (now - call.startedAt < LEAST_LOOK_MS) break
          if (!call.isReported && now - call.startedAt >= budgetMs(call)) report(call)
        }
      }
      for (const call of streaming) {
        const stallMs = Math.max(STALL_MS, STALL_TIMES * pausesOf(call.index))
        if (!call.isReported && now - call.lastByteAt >= stallMs) report(call)
      }
      return found
    },
    size: () => waited.size + streaming.size,
  }
}

/** No budget is shorter: younger calls, which come later in the list, need not be looked at. */
const LEAST_LOOK_MS = 1000
