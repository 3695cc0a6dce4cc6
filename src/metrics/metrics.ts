import type { Usage } from '../core/answer-facts.ts'
import { RELOAD_RESULTS } from '../core/config-status.ts'
import type { ConfigStatus } from '../core/config-status.ts'
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
  /** One that goes on says what part of it has cost. */
  spent(group: Counted | undefined, usage: Usage): void
  retried(): void
  fellBack(): void
  hedged(): void
  /** A request was turned away before its body was read. */
  refused(reason: FailureKind): void
  /** A timer ran so much later than it should have. */
  lagged(ms: number): void
  /** Goes on counting for the deployments of another config. What was counted for groups that are gone is gone. */
  renew(deployments: readonly Counted[]): void
  /** Everything, in Prometheus's text format, piece by piece: there may be tens of thousands of them. */
  page(): Iterable<string>
}

/** What metrics are made of. */
export interface MetricsDeps {
  readonly deployments: readonly Counted[]
  readonly memory: () => { readonly rss: number; readonly heapUsed: number }
  /** Lines that the log threw away. */
  readonly droppedLogLines: () => number
  /** What became of the config. */
  readonly config: ConfigStatus
}

/** There are fewer; the bound is for those to come. */
const MOST_OPERATIONS = 64
const MS = 1000

/** Nothing is counted yet. Counting is adding to arrays; text is made only for a reader. */
export function createMetrics({ deployments, ...sources }: MetricsDeps): Metrics {
  let labels = createLabels(deployments)
  const counts = createCounts()
  return {
    begun: () => {
      counts.inFlight++
    },
    finished: (request) => finish(labels, counts, request),
    spent: (group, usage) => {
      const number = group === undefined ? 0 : groupNumberOf(labels, group)
      if (number !== undefined) spend(counts, number, usage)
    },
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
    renew: (next) => {
      const before = labels
      labels = createLabels(next, before)
      carryOver(before, labels, counts)
    },
    page: () => pageOf(labels, counts, sources),
  }
}

/** What labels are made of: names by number, and the numbers of each deployment. */
interface Labels {
  readonly groups: Names
  readonly providers: Names
  readonly operations: Names
  readonly deployments: readonly Counted[]
  /** By `Deployment.index`. */
  readonly groupOf: readonly number[]
  readonly providerOf: readonly number[]
  /** Pairs of a provider and an operation, at most. */
  readonly places: number
}

function createLabels(deployments: MetricsDeps['deployments'], before?: Labels): Labels {
  const groups = createNames()
  const providers = createNames()
  const groupOf = deployments.map(({ group }) => groups.of(group))
  const providerOf = deployments.map(({ provider }) => providers.of(provider))
  const places = (new Set(providerOf).size + 1) * MOST_OPERATIONS
  const operations = before?.operations ?? createNames(MOST_OPERATIONS)
  return { deployments, groups, providers, operations, groupOf, providerOf, places }
}

/** The rows of what is still there, under its new numbers. */
function carryOver(from: Labels, to: Labels, { requests, durations, firstTokens, tokens }: Counts): void {
  const group = (number: number): number | undefined => to.groups.known(from.groups.at(number))
  const placed = (place: number): number | undefined => {
    const provider = to.providers.known(from.providers.at(Math.floor(place / MOST_OPERATIONS)))
    return provider === undefined ? undefined : provider * MOST_OPERATIONS + (place % MOST_OPERATIONS)
  }
  requests.rename((key) => {
    const number = group(Math.floor(key / from.places))
    const place = placed(key % from.places)
    return number === undefined || place === undefined ? undefined : number * to.places + place
  })
  durations.rename(placed)
  firstTokens.rename(placed)
  tokens.rename(group)
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

function finish(labels: Labels, counts: Counts, request: CountedRequest): void {
  const { operations, places } = labels
  const { group, last, operation, outcome, durationMs, firstTokenMs, usage } = request
  counts.inFlight--
  const groupNumber = group === undefined ? 0 : groupNumberOf(labels, group)
  const provider = last === undefined ? 0 : providerNumberOf(labels, last)
  // Its group, or its provider, went with an earlier config.
  if (groupNumber === undefined || provider === undefined) return
  const place = provider * MOST_OPERATIONS + operations.of(operation)
  add(counts.requests.row(groupNumber * places + place), OUTCOMES.indexOf(outcome), 1)
  observe(counts.durations.row(place), METRICS.duration.buckets, durationMs / MS)
  if (firstTokenMs !== undefined)
    observe(counts.firstTokens.row(place), METRICS.firstToken.buckets, firstTokenMs / MS)
  if (usage !== undefined) spend(counts, groupNumber, usage)
}

function spend({ tokens }: Counts, group: number, { promptTokens, completionTokens }: Usage): void {
  const row = tokens.row(group)
  add(row, 0, promptTokens)
  add(row, 1, completionTokens)
}

/** One of an earlier config is found by its name. */
function groupNumberOf({ deployments, groupOf, groups }: Labels, asked: Counted): number | undefined {
  return deployments[asked.index] === asked ? groupOf[asked.index] : groups.known(asked.group)
}

function providerNumberOf({ deployments, providerOf, providers }: Labels, last: Counted): number | undefined {
  return deployments[last.index] === last ? providerOf[last.index] : providers.known(last.provider)
}

function* pageOf(
  labels: Labels,
  counts: Counts,
  { memory, droppedLogLines, config }: Omit<MetricsDeps, 'deployments'>,
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
  yield* configIn(config)
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

function* configIn(config: ConfigStatus): Generator<string> {
  yield headOf(METRICS.reloads)
  for (const result of RELOAD_RESULTS) yield sampleOf(METRICS.reloads, [result], config.reloads(result))
  yield alone(METRICS.configTaken, config.takenAt() / MS)
  yield alone(METRICS.configIsCurrent, config.isCurrent() ? 1 : 0)
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
