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

/** No budget is shorter: younger calls, which come later in the list, need not be looked at. */
const LEAST_LOOK_MS = 1000

/** Calls that wait are linked by deployment, oldest first. */
interface Register {
  readonly oldest: (Call | undefined)[]
  readonly newest: (Call | undefined)[]
  readonly waiting: Int32Array
  readonly lastByte: Float64Array
  /** The 99th percentile of the pauses between two bytes, milliseconds. */
  readonly pauses: Float64Array
  readonly streaming: Set<Call>
  /** Deployments that somebody waits for. */
  readonly waited: Set<number>
}

/** Makes the register of calls of so many deployments. */
export function createCalls(count: number): Calls {
  const register: Register = {
    oldest: Array.from({ length: count }),
    newest: Array.from({ length: count }),
    waiting: new Int32Array(count),
    lastByte: new Float64Array(count).fill(NEVER),
    pauses: new Float64Array(count),
    streaming: new Set(),
    waited: new Set(),
  }
  const { waiting, oldest, lastByte, streaming, waited } = register
  return {
    add: (call) => link(register, call),
    answered: (call, now) => {
      if (call.state !== 'waiting') return
      unlink(register, call)
      call.state = 'streaming'
      call.lastByteAt = now
      call.firstByteMs = now - call.startedAt
      lastByte[call.index] = now
      streaming.add(call)
    },
    chunk: (call, now) => {
      if (call.state === 'streaming') paused(register, call, now)
    },
    remove: (call) => {
      if (call.state === 'waiting') unlink(register, call)
      else streaming.delete(call)
      call.state = 'over'
    },
    waiting: (index) => waiting[index] ?? 0,
    oldest: (index) => oldest[index],
    lastByteAt: (index) => lastByte[index] ?? NEVER,
    hung: (now, budgetMs) => silent(register, now, budgetMs),
    size: () => waited.size + streaming.size,
  }
}

function link({ oldest, newest, waiting, waited }: Register, call: Call): void {
  const { index } = call
  const last = newest[index]
  call.older = last
  if (last === undefined) oldest[index] = call
  else last.newer = call
  newest[index] = call
  waiting[index] = (waiting[index] ?? 0) + 1
  waited.add(index)
}

function unlink({ oldest, newest, waiting, waited }: Register, call: Call): void {
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

function paused({ pauses, lastByte }: Register, call: Call, now: number): void {
  const pause = Math.max(now - call.lastByteAt, 1)
  const known = Math.max(pauses[call.index] ?? 0, 1)
  pauses[call.index] = known * (pause > known ? 1 + STEP * QUANTILE : 1 - STEP * (1 - QUANTILE))
  call.lastByteAt = now
  lastByte[call.index] = now
}

function silent(register: Register, now: number, budgetMs: (call: Call) => number): readonly Call[] {
  const { waited, oldest, streaming, pauses } = register
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
    const stallMs = Math.max(STALL_MS, STALL_TIMES * (pauses[call.index] ?? 0))
    if (!call.isReported && now - call.lastByteAt >= stallMs) report(call)
  }
  return found
}
