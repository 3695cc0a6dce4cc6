import { spreadOf, shownSpread, table } from './figures.ts'
import { ask, orderTo, type Ground } from './ground.ts'
import type { LoopSeen, Seen, Task } from './order.ts'
import { canPin, CONTESTANT_CORE, coreBusyMs, cpuMs } from './pinned.ts'

/** One way of asking for more than can be served. */
export interface Press {
  readonly name: string
  /** Good answers a second for each one at the peak of the same round. */
  readonly goodput: readonly number[]
  readonly windows: readonly PressWindow[]
}

/** One window of it. */
export interface PressWindow extends LoopSeen {
  /** Good answers within the time, a second. */
  readonly perSecond: number
  readonly askedPerSecond: number
  /** Of good answers, from the planned moment on. */
  readonly p50Us: number
  readonly p99Us: number
  /** CPU of the generator, and of the upstream, which share a core: near one in sum, it is they that are measured. */
  readonly loadBusy: number
  readonly upstreamBusy: number
  /** CPU of everybody else on the gateway's core, as a share of the time. */
  readonly foreign: number
}

/** What overload did, the peaks included. */
export interface Overload {
  readonly peaks: readonly number[]
  readonly presses: readonly Press[]
}

const PEAK_CONNECTIONS = 64
const MOST_CONNECTIONS = 1024
const PEAK_MS = 1500
const PRESS_MS = 3000
/** What was left behind is finished, and the connections are gone, before the next window. */
const REST_MS = 500
const ROUNDS = 3
/** Windows until V8's compilers have done most of their work: a peak that still rises is none. */
const WARM_UPS = 4

/** Asks a fresh gateway for as much as it can give, then for more, round by round. */
export function overload(ground: Ground, rounds = ROUNDS): Promise<Overload> {
  return ground.withFresh([], async (own) => {
    const closed = (times: number, durationMs: number): Task => ({
      how: 'closed',
      kind: 'small',
      connections: PEAK_CONNECTIONS * times,
      durationMs,
    })
    const open = (perSecond: number): Task => ({
      how: 'open',
      kind: 'small',
      connections: MOST_CONNECTIONS,
      durationMs: PRESS_MS,
      perSecond: Math.round(perSecond),
    })
    const window = async (task: Task): Promise<PressWindow> => {
      const used = (): readonly [number, number, number, number] => [
        cpuMs(ground.load.pid),
        cpuMs(ground.upstream.pid),
        cpuMs(own.process.pid),
        canPin() ? coreBusyMs(CONTESTANT_CORE) : 0,
      ]
      const before = used()
      const seen = await ask(ground.load, orderTo(own, task))
      const [loadBusy, upstreamBusy, ownBusy, coreBusy] = used().map(
        (now, at) => (now - (before[at] ?? 0)) / seen.wallMs,
      )
      await new Promise((resolve) => setTimeout(resolve, REST_MS))
      const foreign = Math.max(0, (coreBusy ?? 0) - (ownBusy ?? 0))
      return { ...windowOf(task, seen), loadBusy: loadBusy ?? 0, upstreamBusy: upstreamBusy ?? 0, foreign }
    }
    for (let left = WARM_UPS; left > 0; left--) await window(closed(1, PEAK_MS))
    const peaks: number[] = []
    const kinds = [
      { name: 'open loop, 1.5 × peak', task: (peak: number) => open(peak * 1.5) },
      { name: 'open loop, 3 × peak', task: (peak: number) => open(peak * 3) },
      { name: `closed loop, 3 × ${PEAK_CONNECTIONS} connections`, task: () => closed(3, PRESS_MS) },
    ]
    const windows = kinds.map((): PressWindow[] => [])
    for (let round = 0; round < rounds; round++) {
      const { perSecond: peak } = await window(closed(1, PEAK_MS))
      peaks.push(peak)
      for (const [at, { task }] of kinds.entries()) windows[at]?.push(await window(task(peak)))
    }
    const presses = kinds.map(({ name }, at) => pressOf(name, windows[at] ?? [], peaks))
    return { peaks, presses }
  })
}

function windowOf(task: Task, seen: Seen): Omit<PressWindow, 'loadBusy' | 'upstreamBusy' | 'foreign'> {
  const { loop, p50Us, p99Us } = seen
  if (loop === undefined || task.how === 'streams') throw new Error('overload is asked for by a loop')
  const seconds = task.durationMs / 1000
  const asked = loop.begun + loop.neverBegun
  return { ...loop, perSecond: loop.inTime / seconds, askedPerSecond: asked / seconds, p50Us, p99Us }
}

/** The windows beside the peak of their own round. */
export function pressOf(name: string, windows: readonly PressWindow[], peaks: readonly number[]): Press {
  const goodput = windows.map(({ perSecond }, round) => perSecond / (peaks[round] ?? Number.NaN))
  return { name, goodput, windows }
}

/** How many answers were no good ones; and, with torn connections, how many of all that were no honest refusals. */
export function refusalsOf(windows: readonly PressWindow[]): {
  readonly count: number
  /** Neither 503 nor with a word on when to come back, and torn connections. */
  readonly dishonest: number
} {
  const sum = (read: (window: PressWindow) => number): number =>
    windows.reduce((total, window) => total + read(window), 0)
  const count = sum(({ refused }) => Object.values(refused).reduce((total, each) => total + each, 0))
  const honest = Math.min(
    sum(({ refused }) => refused['503'] ?? 0),
    sum(({ retryAfter }) => retryAfter),
  )
  return { count, dishonest: count - honest + sum(({ broken }) => broken) }
}

/** For reading. */
export function reportOverload({ peaks, presses }: Overload): string {
  const percent = (value: number): string => `${(value * 100).toFixed(0)} %`
  const rows = [
    [
      '',
      'asked/s',
      '200s/s',
      'of peak',
      'p50 ms',
      'p99 ms',
      'refused',
      'Retry-After',
      'broken',
      'late',
      'never begun',
      'load + upstream busy',
    ],
    ...presses.map(({ name, goodput, windows }) => {
      const middle = (read: (window: PressWindow) => number): number => spreadOf(windows.map(read)).median
      const sum = (read: (window: PressWindow) => number): number =>
        windows.reduce((total, window) => total + read(window), 0)
      const begun = sum((window) => window.begun)
      const { count } = refusalsOf(windows)
      return [
        name,
        middle(({ askedPerSecond }) => askedPerSecond).toFixed(0),
        middle(({ perSecond }) => perSecond).toFixed(0),
        shownSpread(spreadOf(goodput.map((share) => share * 100)), 0),
        middle(({ p50Us }) => p50Us / 1000).toFixed(0),
        middle(({ p99Us }) => p99Us / 1000).toFixed(0),
        `${percent(count / begun)}${statusesOf(windows)}`,
        count === 0 ? '' : percent(sum(({ retryAfter }) => retryAfter) / count),
        String(sum(({ broken }) => broken)),
        percent(sum(({ late }) => late) / begun),
        percent(sum(({ neverBegun }) => neverBegun) / (begun + sum(({ neverBegun }) => neverBegun))),
        `${percent(middle(({ loadBusy }) => loadBusy))} + ${percent(middle(({ upstreamBusy }) => upstreamBusy))}`,
      ]
    }),
  ]
  const peak = `peak: ${shownSpread(spreadOf(peaks), 0)} 200s a second on ${PEAK_CONNECTIONS} connections`
  const all = presses.flatMap(({ windows }) => windows)
  const own = all.reduce((sum, each) => sum + each.lateByGenerator, 0)
  const foreign = Math.max(...all.map((each) => each.foreign))
  return [
    'overload: 600 B requests, more than can be served',
    table(rows),
    peak,
    ...(own > 0 ? [`the generator itself was late with ${own} requests`] : []),
    ...(foreign > 0.05 ? [`others took up to ${percent(foreign)} of the gateway's core`] : []),
  ].join('\n')
}

/** ` (503, 429)`: which refusals there were. */
function statusesOf(windows: readonly PressWindow[]): string {
  const statuses = new Set(windows.flatMap(({ refused }) => Object.keys(refused)))
  return statuses.size === 0 ? '' : ` (${[...statuses].join(', ')})`
}
