import { spreadOf } from './figures.ts'
import type { RequestKind } from './messages.ts'
import type { Order, Seen } from './order.ts'

/** One look at a process that has been under load for a while. */
export interface Sample {
  readonly atMs: number
  readonly rssMb: number
}

/** What became of a gateway that was asked for long. */
export interface SoakResult {
  readonly seconds: number
  readonly requests: number
  readonly failures: number
  /** After the first tenth of the time, in the middle and at the end; each the middle of a tenth of the samples. */
  readonly earlyMb: number
  readonly middleMb: number
  readonly lateMb: number
  /** Of a straight line through the second half, MB a minute. */
  readonly slopeMbPerMinute: number
}

/** What is asked, over and over: mostly short questions, some long ones, some streams. */
const MIX: readonly { readonly kind: RequestKind; readonly connections: number }[] = [
  { kind: 'small', connections: 64 },
  { kind: 'small', connections: 64 },
  { kind: 'large', connections: 32 },
  { kind: 'small', connections: 64 },
  { kind: 'huge', connections: 4 },
  { kind: 'small', connections: 64 },
  { kind: 'stream', connections: 50 },
]
const SLICE_MS = 1000

/** Asks in slices of a second until the time is over, and looks at the memory after each. */
export async function soak(
  ask: (order: Omit<Order, 'port'>) => Promise<Seen>,
  rssMb: () => number,
  seconds: number,
): Promise<SoakResult> {
  const begun = performance.now()
  const samples: Sample[] = []
  let requests = 0
  let failures = 0
  for (let slice = 0; performance.now() - begun < seconds * 1000; slice += 1) {
    const { kind, connections } = MIX[slice % MIX.length] ?? { kind: 'small', connections: 64 }
    const seen = await ask({ kind, connections, durationMs: SLICE_MS })
    requests += kind === 'stream' ? connections : seen.units
    failures += seen.failures
    samples.push({ atMs: performance.now() - begun, rssMb: rssMb() })
  }
  return { seconds, requests, failures, ...growth(samples) }
}

/** How the memory of a process went, from samples in their order. */
export function growth(
  samples: readonly Sample[],
): Pick<SoakResult, 'earlyMb' | 'middleMb' | 'lateMb' | 'slopeMbPerMinute'> {
  const tenth = Math.max(1, Math.floor(samples.length / 10))
  const around = (start: number): number =>
    spreadOf(samples.slice(start, start + tenth).map((sample) => sample.rssMb)).median
  return {
    earlyMb: around(Math.min(tenth, samples.length - tenth)),
    middleMb: around(Math.floor((samples.length - tenth) / 2)),
    lateMb: around(samples.length - tenth),
    slopeMbPerMinute: slope(samples.slice(Math.floor(samples.length / 2))),
  }
}

/** Least squares, MB a minute; 0 where a line has no slope. */
function slope(samples: readonly Sample[]): number {
  const mean = (values: readonly number[]): number =>
    values.reduce((sum, value) => sum + value, 0) / values.length
  const meanMs = mean(samples.map(({ atMs }) => atMs))
  const meanMb = mean(samples.map(({ rssMb }) => rssMb))
  const spread = samples.reduce((sum, { atMs }) => sum + (atMs - meanMs) ** 2, 0)
  const both = samples.reduce((sum, { atMs, rssMb }) => sum + (atMs - meanMs) * (rssMb - meanMb), 0)
  return spread === 0 ? 0 : (both / spread) * 60_000
}

/** What a soak found, for reading. */
export function reportSoak(result: SoakResult): string {
  const mb = (value: number): string => `${value.toFixed(0)} MB`
  return [
    `soak: ${result.requests} mixed requests in ${result.seconds} s, ${result.failures} failed`,
    `RSS ${mb(result.earlyMb)} early, ${mb(result.middleMb)} in the middle, ${mb(result.lateMb)} at the end; ` +
      `second half ${result.slopeMbPerMinute.toFixed(1)} MB a minute`,
  ].join('\n')
}
