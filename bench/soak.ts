import { freePort } from '../test/e2e/program.ts'
import { spreadOf } from './figures.ts'
import { askAll, orderTo, type Ground } from './ground.ts'
import { lookInside, type Inside } from './inside.ts'
import { STREAM_EVENTS, STREAM_PAUSE_MS } from './messages.ts'
import type { Task } from './order.ts'
import { rssMb } from './pinned.ts'

/** How long it goes on. */
export type SoakLength = { readonly requests: number } | { readonly seconds: number }

/** One look at a process that has been under load for a while. */
export interface Sample {
  readonly atMs: number
  /** Asked for so far. */
  readonly requests: number
  readonly rssMb: number
}

/** How the memory of a process went; nothing has forced a collection. */
export interface Growth {
  /** After the first tenth of the requests, after half of them, and at the end; each the middle of a few samples. */
  readonly earlyMb: number
  readonly middleMb: number
  readonly lateMb: number
  /** From the middle to the end. */
  readonly growthMb: number
  /** Of a straight line through the second half. */
  readonly slopeMbPerMinute: number
  readonly slopeMbPer100k: number
}

/** What became of a gateway that was asked for long. */
export interface SoakResult extends Growth {
  readonly seconds: number
  readonly requests: number
  /** What did not end as it should, by what was asked. */
  readonly failures: Readonly<Record<string, number>>
  /** At the end, as found and after a collection; undefined where it could not be asked. */
  readonly inside: { readonly found: Inside; readonly collected: Inside } | undefined
}

/** Until every stream that was begun in it is over. */
const SLICE_MS = STREAM_EVENTS * STREAM_PAUSE_MS + 400

/** What is asked, all at the same time: mostly short questions, with some of everything that happens. */
const MIX: readonly Task[] = [
  { how: 'closed', kind: 'small', connections: 32, durationMs: SLICE_MS },
  { how: 'closed', kind: 'embedding', connections: 8, durationMs: SLICE_MS },
  { how: 'open', kind: 'large', connections: 32, durationMs: SLICE_MS, perSecond: 300 },
  { how: 'open', kind: 'huge', connections: 8, durationMs: SLICE_MS, perSecond: 10 },
  { how: 'open', kind: 'refused', connections: 16, durationMs: SLICE_MS, perSecond: 100 },
  // Retried after pauses before they are given up: more of them wait at once.
  { how: 'open', kind: 'sick', connections: 64, durationMs: SLICE_MS, perSecond: 20 },
  { how: 'streams', connections: 20 },
  { how: 'aborts', connections: 4, durationMs: SLICE_MS },
]
/** What is on its way is finished, so that each look finds the process in the same state. */
const REST_MS = 100

/** Asks a fresh gateway in slices until it is enough, and looks at its memory after each. */
export async function soak(ground: Ground, length: SoakLength): Promise<SoakResult> {
  const inspectPort = await freePort()
  // It only says where the inspector would be: nothing is opened, and nothing runs otherwise.
  return ground.withFresh([`--inspect-port=127.0.0.1:${inspectPort}`], async (own) => {
    const { pid } = own.process
    const begun = performance.now()
    const samples: Sample[] = []
    let requests = 0
    const failures: Record<string, number> = {}
    const isEnough = (): boolean =>
      'requests' in length ? requests >= length.requests : performance.now() - begun >= length.seconds * 1000
    while (!isEnough()) {
      const seen = await askAll(
        ground.load,
        MIX.map((task) => orderTo(own, task)),
      )
      for (const [at, { units, failures: bad, loop }] of seen.entries()) {
        // What was planned and not begun when the slice was over has not been asked of anybody.
        const failed = bad - (loop?.neverBegun ?? 0)
        const task = MIX[at]
        const name = task === undefined ? '' : 'kind' in task ? task.kind : task.how
        requests += (name === 'streams' ? units / STREAM_EVENTS : units) + failed
        if (failed > 0) failures[name] = (failures[name] ?? 0) + failed
      }
      await new Promise((resolve) => setTimeout(resolve, REST_MS))
      samples.push({ atMs: performance.now() - begun, requests, rssMb: rssMb(pid) })
    }
    const seconds = Math.round((performance.now() - begun) / 1000)
    const inside = await lookInside(pid, inspectPort).catch(() => undefined)
    return { seconds, requests, failures, ...growth(samples), inside }
  })
}

/** How memory went, from samples in their order. */
export function growth(samples: readonly Sample[]): Growth {
  const total = samples.at(-1)?.requests ?? 0
  const from = (share: number): readonly Sample[] =>
    samples.filter(({ requests }) => requests >= total * share)
  const few = Math.max(1, Math.floor(samples.length / 10))
  const middle = (some: readonly Sample[]): number => spreadOf(some.map((sample) => sample.rssMb)).median
  const second = from(0.5)
  const middleMb = middle(second.slice(0, few))
  const lateMb = middle(samples.slice(-few))
  return {
    earlyMb: middle(from(0.1).slice(0, few)),
    middleMb,
    lateMb,
    growthMb: lateMb - middleMb,
    slopeMbPerMinute: slope(second, ({ atMs }) => atMs / 60_000),
    slopeMbPer100k: slope(second, ({ requests }) => requests / 100_000),
  }
}

/** Least squares, MB by whatever is read; 0 where a line has no slope. */
function slope(samples: readonly Sample[], read: (sample: Sample) => number): number {
  const mean = (values: readonly number[]): number =>
    values.reduce((sum, value) => sum + value, 0) / values.length
  const meanX = mean(samples.map(read))
  const meanMb = mean(samples.map((sample) => sample.rssMb))
  const spread = samples.reduce((sum, sample) => sum + (read(sample) - meanX) ** 2, 0)
  const both = samples.reduce((sum, sample) => sum + (read(sample) - meanX) * (sample.rssMb - meanMb), 0)
  return spread === 0 ? 0 : both / spread
}

/** What a soak found, for reading. */
export function reportSoak(result: SoakResult): string {
  const mb = (value: number): string => `${value.toFixed(0)} MB`
  const grown = `${result.growthMb < 0 ? '' : '+'}${result.growthMb.toFixed(1)} MB`
  const failed = Object.entries(result.failures).map(([name, count]) => `${count} ${name}`)
  return [
    `soak: ${result.requests} mixed requests in ${result.seconds} s, ` +
      (failed.length === 0 ? 'none failed' : `FAILED: ${failed.join(', ')}`),
    `RSS ${mb(result.earlyMb)} early, ${mb(result.middleMb)} in the middle, ${mb(result.lateMb)} at the end: ` +
      `${grown} over the second half; its slope ${result.slopeMbPerMinute.toFixed(1)} MB a minute, ` +
      `${result.slopeMbPer100k.toFixed(1)} MB for 100,000 requests`,
    ...(result.inside === undefined
      ? ['heap: could not be asked']
      : [
          `at the end: ${shownInside(result.inside.found)}; collected: ${shownInside(result.inside.collected)}`,
        ]),
  ].join('\n')
}

function shownInside({ rssMb: rss, heapUsedMb, externalMb }: Inside): string {
  return `RSS ${rss.toFixed(0)}, heap ${heapUsedMb.toFixed(1)}, external ${externalMb.toFixed(1)} MB`
}
