import type { Usage } from '../core/answer-facts.ts'
import type { Deployment } from '../core/deployment.ts'
import { FAILURE_KINDS } from '../core/failure.ts'
import type { FailureKind } from '../core/failure.ts'
import { add, createRows, histogramWidth, observe } from './counts.ts'
import type { Rows } from './counts.ts'
import { headOf, histogramOf, sampleOf } from './exposition.ts'
import { createNames } from './names.ts'
import type { Names } from './names.ts'
import { METRICS, OUTCOMES } from './table.ts'
import type { MetricRow, Outcome } from './table.ts'

/** What metrics know of a deployment. */
export type Counted = Pick<Deployment, 'index' | 'group' | 'provider'>

/** A request to a model that is over. */
export interface CountedRequest {
  /** One of the group that it asked for first; undefined where it asked for none that there is. */
  readonly group: Counted | undefined
  /** Whom it came to last. */
  readonly last: Counted | undefined
  readonly operation: string
  readonly outcome: Outcome
  readonly durationMs: number
  /** Of a stream that began. */
  readonly firstTokenMs?: number | undefined
  readonly usage?: Usage | undefined
}

/** Counts what happens. Labels are names of the config and of the program, never words of a client. */
export interface Metrics {
  /** A request to a model is under way. */
  begun(): void
  finished(request: CountedRequest): void
  retried(): void
  fellBack(): void
  hedged(): void
  /** A request was turned away before its body was read. */
  refused(reason: FailureKind): void
  /** A timer ran so much later than it should have. */
  lagged(ms: number): void
  /** Everything, in Prometheus's text format, piece by piece: there may be tens of thousands of them. */
  page(): Iterable<string>
}

/** What metrics are made of. */
export interface MetricsDeps {
  readonly deployments: readonly Counted[]
  readonly memory: () => { readonly rss: number; readonly heapUsed: number }
  /** Lines that the log threw away. */
  readonly droppedLogLines: () => number
}

/** There are fewer; the bound is for those to come. */
const MOST_OPERATIONS = 64
const MS = 1000

/** Nothing is counted yet. Counting is adding to arrays; text is made only for a reader. */
export function createMetrics({ deployments, memory, droppedLogLines }: MetricsDeps): Metrics {
  const labels = createLabels(deployments)
  const counts = createCounts()
  return {
    begun: () => {
      counts.inFlight++
    },
    finished: (request) => finish(labels, counts, request),
    retried: () => {
      counts.retries++
    },
    fellBack: () => {
      counts.fallbacks++
    },
    hedged: () => {
      counts.hedges++
    },
    refused: (reason) => add(counts.refusals, FAILURE_KINDS.indexOf(reason), 1),
    lagged: (ms) => observe(counts.lag, METRICS.lag.buckets, ms / MS),
    page: () => pageOf(labels, counts, { memory, droppedLogLines }),
  }
}

/** What labels are made of: names by number, and the numbers of each deployment. */
interface Labels {
  readonly groups: Names
  readonly providers: Names
  readonly operations: Names
  /** By `Deployment.index`. */
  readonly groupOf: readonly number[]
  readonly providerOf: readonly number[]
  /** Pairs of a provider and an operation, at most. */
  readonly places: number
}

function createLabels(deployments: MetricsDeps['deployments']): Labels {
  const groups = createNames()
  const providers = createNames()
  const groupOf = deployments.map(({ group }) => groups.of(group))
  const providerOf = deployments.map(({ provider }) => providers.of(provider))
  const places = (new Set(providerOf).size + 1) * MOST_OPERATIONS
  return { groups, providers, operations: createNames(MOST_OPERATIONS), groupOf, providerOf, places }
}

interface Counts {
  /** By group and place. */
  readonly requests: Rows
  /** By place. */
  readonly durations: Rows
  readonly firstTokens: Rows
  /** By group: in, out. */
  readonly tokens: Rows
  readonly refusals: Float64Array
  readonly lag: Float64Array
  inFlight: number
  retries: number
  fallbacks: number
  hedges: number
}

function createCounts(): Counts {
  return {
    requests: createRows(OUTCOMES.length),
    durations: createRows(histogramWidth(METRICS.duration.buckets)),
    firstTokens: createRows(histogramWidth(METRICS.firstToken.buckets)),
    tokens: createRows(2),
    refusals: new Float64Array(FAILURE_KINDS.length),
    lag: new Float64Array(histogramWidth(METRICS.lag.buckets)),
    inFlight: 0,
    retries: 0,
    fallbacks: 0,
    hedges: 0,
  }
}

function finish(
  { groupOf, providerOf, operations, places }: Labels,
  counts: Counts,
  request: CountedRequest,
): void {
  const { group, last, operation, outcome, durationMs, firstTokenMs, usage } = request
  const groupNumber = group === undefined ? 0 : (groupOf[group.index] ?? 0)
  const provider = last === undefined ? 0 : (providerOf[last.index] ?? 0)
  const place = provider * MOST_OPERATIONS + operations.of(operation)
  counts.inFlight--
  add(counts.requests.row(groupNumber * places + place), OUTCOMES.indexOf(outcome), 1)
  observe(counts.durations.row(place), METRICS.duration.buckets, durationMs / MS)
  if (firstTokenMs !== undefined)
    observe(counts.firstTokens.row(place), METRICS.firstToken.buckets, firstTokenMs / MS)
  if (usage === undefined) return
  const row = counts.tokens.row(groupNumber)
  add(row, 0, usage.promptTokens)
  add(row, 1, usage.completionTokens)
}

function* pageOf(
  labels: Labels,
  counts: Counts,
  { memory, droppedLogLines }: Pick<MetricsDeps, 'memory' | 'droppedLogLines'>,
): Generator<string> {
  const { rss, heapUsed } = memory()
  yield* requestsIn(labels, counts)
  yield* tokensIn(labels, counts)
  yield alone(METRICS.retries, counts.retries)
  yield alone(METRICS.fallbacks, counts.fallbacks)
  yield alone(METRICS.hedges, counts.hedges)
  yield headOf(METRICS.refused)
  yield* nonZero(METRICS.refused, [], FAILURE_KINDS, counts.refusals)
  yield alone(METRICS.inFlight, counts.inFlight)
  yield headOf(METRICS.lag)
  yield histogramOf(METRICS.lag, [], counts.lag)
  yield alone(METRICS.droppedLogLines, droppedLogLines())
  yield alone(METRICS.resident, rss)
  yield alone(METRICS.heap, heapUsed)
}

function* requestsIn({ groups, providers, operations, places }: Labels, counts: Counts): Generator<string> {
  const named = (place: number): readonly string[] => [
    providers.at(Math.floor(place / MOST_OPERATIONS)),
    operations.at(place % MOST_OPERATIONS),
  ]
  yield headOf(METRICS.requests)
  for (const [key, row] of counts.requests.entries()) {
    const group = groups.at(Math.floor(key / places))
    yield* nonZero(METRICS.requests, [group, ...named(key % places)], OUTCOMES, row)
  }
  yield headOf(METRICS.duration)
  for (const [place, row] of counts.durations.entries())
    yield histogramOf(METRICS.duration, named(place), row)
  yield headOf(METRICS.firstToken)
  for (const [place, row] of counts.firstTokens.entries())
    yield histogramOf(METRICS.firstToken, named(place), row)
}

function* tokensIn({ groups }: Labels, { tokens }: Counts): Generator<string> {
  yield headOf(METRICS.tokens)
  for (const [group, row] of tokens.entries()) {
    yield sampleOf(METRICS.tokens, [groups.at(group), 'in'], row[0] ?? 0)
    yield sampleOf(METRICS.tokens, [groups.at(group), 'out'], row[1] ?? 0)
  }
}

function alone(row: MetricRow, value: number): string {
  return headOf(row) + sampleOf(row, [], value)
}

/** One sample for each word that was counted at all. */
function* nonZero(
  metric: MetricRow,
  labels: readonly string[],
  words: readonly string[],
  row: Float64Array,
): Generator<string> {
  for (const [at, word] of words.entries()) {
    const count = row[at] ?? 0
    if (count > 0) yield sampleOf(metric, [...labels, word], count)
  }
}
