import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import http from 'node:http'
import type { IncomingHttpHeaders } from 'node:http'
import { after } from 'node:test'
import { systemClock } from '../core/clock.ts'
import type { HandClock } from '../core/clock.ts'
import { createConfigBook } from '../core/config-status.ts'
import type { Deployment } from '../core/deployment.ts'
import type { Log, LogFields } from '../core/log.ts'
import { createSeal } from '../core/seal.ts'
import { createRedact, Secret } from '../core/secret.ts'
import type { Board } from '../health/board.ts'
import { createHealthChecks } from '../health/checks.ts'
import { createConnectionTest } from '../health/connection-test.ts'
import { engineRulesOf } from '../health/engine-rules.ts'
import { NOTHING_WRITTEN } from '../health/fixtures.ts'
import type { StandingViews } from '../health/standing-views.ts'
import { DEFAULT_HEALTH_SETTINGS } from '../health/settings.ts'
import type { LineOrProblem } from '../health/subject.ts'
import type { ProviderAdapter } from '../providers/adapter.ts'
import { openLine } from '../providers/call.ts'
import { loadAdaptersOf, resolveModel } from '../providers/registry.ts'
import { createMetrics } from '../metrics/metrics.ts'
import { createDirectory } from '../routing/choice/directory.ts'
import { IN_REACH } from '../routing/health.fixture.ts'
import { createObjects } from '../routing/objects/objects.ts'
import { createPassThrough } from '../routing/pass-through/pass-through.ts'
import { createRealtimeCalls } from '../routing/realtime/calls.ts'
import { createRealtimeKeys } from '../routing/realtime/keys.ts'
import { createLedger } from '../routing/choice/ledger.ts'
import { createLimits } from '../routing/choice/limits.ts'
import { createRealtimeRelay } from '../routing/realtime/realtime.ts'
import { createRelay } from '../routing/relay.ts'
import { createRetryBudgets } from '../routing/journey/retry-budget.ts'
import type { RelaySettings } from '../routing/relay.ts'
import { createSessionKeys } from '../routing/realtime/session-keys.ts'
import { createTransport } from '../transport/transport.ts'
import type { AddressesOf, Gateway, GatewaySettings } from './gateway.ts'
import { createGateway } from './server.ts'

const nothing = () => Promise.resolve([])

/** What fails, fails: other tests are about second tries. */
const ONE_TRY = {
  numRetries: 0,
  retryPolicy: {},
  groupRetryPolicies: new Map(),
  leastWaitMs: 0,
  fallbacks: new Map(),
  contextWindowFallbacks: new Map(),
  contentPolicyFallbacks: new Map(),
  maxFallbacks: 0,
  tags: { isEnabled: false, matchesAny: true },
}

/** A canary: it must come out nowhere. */
export const UPSTREAM_KEY = 'sk-canary-OPENAI'
export const MASTER_KEY = 'sk-1234'

/** What a test says of one deployment; the rest is filled in. */
export type Sketch = Partial<Omit<Deployment, 'connection'>> & {
  readonly group: string
  readonly base: string
}

/** A deployment as the config would give it. */
export function deployment({ base, ...sketch }: Sketch, index: number): Deployment {
  const model = sketch.model ?? 'openai/gpt-4o'
  return {
    index,
    id: `id-${sketch.group}`,
    model,
    provider: resolveModel(model, {}).provider,
    upstreamModel: resolveModel(model, {}).upstreamModel,
    mode: 'chat',
    modeSource: 'default',
    connection: { apiKey: new Secret(UPSTREAM_KEY), apiBase: base, headers: {} },
    bodyDefaults: {},
    timeouts: {},
    probe: { params: {}, backgroundDisabled: false },
    shown: {},
    clientConnectionFields: [],
    shownParams: { model, api_base: base },
    info: {},
    ...sketch,
  }
}

/** A gateway with everything behind it real but the upstreams. */
export interface Wired {
  readonly url: string
  readonly gateway: Gateway
  readonly board: Board
  readonly logs: readonly { readonly event: string; readonly fields: LogFields }[]
  ask(path: string, options?: AskOptions): Promise<Answer>
  chat(body: unknown, options?: AskOptions): Promise<Answer>
}

export interface AskOptions {
  readonly method?: string
  /** Null: none is sent. */
  readonly key?: string | null
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string | Buffer
}

/** An answer, read whole; `isCut` where the connection broke in the middle of it. */
export interface Answer {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly text: string
  readonly isCut: boolean
}

export interface WiredOptions {
  readonly settings?: Partial<GatewaySettings>
  /** No master key. */
  readonly openMode?: boolean
  readonly relay?: Partial<RelaySettings>
  /** Default: true. */
  readonly metricsNeedKey?: boolean
  /** Winds the relay's and the server's timers; the network runs on the system's. */
  readonly clock?: HandClock
  readonly random?: () => number
  /** What is said of the deployments' standings; absent: what the gateway's own engine knows. */
  readonly views?: StandingViews
  readonly fallbacksOf?: (names: readonly string[]) => readonly string[]
  /** Default: 127.0.0.1. */
  readonly host?: string
  readonly addressesOf?: AddressesOf
  /** What is broken in the adapter of every deployment. */
  readonly broken?: (adapter: ProviderAdapter) => Partial<ProviderAdapter>
}

/** Starts a gateway that is stopped after the test file. */
export async function startWired(sketches: readonly Sketch[], options: WiredOptions = {}): Promise<Wired> {
  const deployments = sketches.map((sketch, index) => deployment(sketch, index))
  const logs: { event: string; fields: LogFields }[] = []
  const write = (event: string, fields: LogFields = {}): void => void logs.push({ event, fields })
  const log: Log = { debug: write, info: write, warn: write, error: write }
  const transport = createTransport({ clock: systemClock, userAgent: 'pulsegate/test' })
  const redact = createRedact([new Secret(UPSTREAM_KEY), new Secret(MASTER_KEY)])
  await loadAdaptersOf(deployments)
  const openTo = (each: Deployment): LineOrProblem => {
    const opened = openLine(each, { transport, env: {}, redact })
    if ('misconfigured' in opened || options.broken === undefined) return opened
    const { line } = opened
    return { line: { ...line, adapter: { ...line.adapter, ...options.broken(line.adapter) } } }
  }
  const opened = deployments.map((each) => openTo(each))
  const lines = (index: number): LineOrProblem => opened[index] ?? { misconfigured: { message: 'none' } }
  const clock = options.clock ?? systemClock
  const random = options.random ?? (() => 0)
  const settings = { ...DEFAULT_HEALTH_SETTINGS, probeTimeoutMs: 2000 }
  const checks = createHealthChecks({
    deployments,
    lines,
    openLine: openTo,
    priceOf: () => 0,
    lagMs: () => 0,
    clock,
    log,
    settings,
    engineRules: engineRulesOf({
      ...NOTHING_WRITTEN,
      isLooking: false,
      traffic: { ...NOTHING_WRITTEN.traffic, isHeeded: false },
    }),
    random,
  })
  const directory = createDirectory(deployments, resolveModel)
  let calls = 0
  let requests = 0
  const ledger = createLedger(deployments, { countsTokens: false }, clock)
  const metrics = createMetrics({
    deployments,
    memory: () => ({ rss: 0, heapUsed: 0 }),
    droppedLogLines: () => 0,
    config: createConfigBook(clock, undefined),
  })
  const traffic = {
    ledger,
    limitMs: createLimits(ledger, undefined),
    strategy: undefined,
    deployments,
    directory,
    lines,
    openLine: openTo,
    openNamed: openTo,
    resolve: resolveModel,
    health: checks,
    outOfReach: IN_REACH,
    nextRequest: () => (requests += 1),
    clock,
    random,
    log,
    budgets: createRetryBudgets(0, clock),
    detour: (kind: 'retry' | 'fallback' | 'hedge') =>
      kind === 'retry' ? metrics.retried() : kind === 'hedge' ? metrics.hedged() : metrics.fellBack(),
    settings: {
      ...ONE_TRY,
      requestTimeoutMs: 5000,
      rewriteResponseModel: false,
      connectTimeoutMs: 3000,
      ...options.relay,
    },
  }
  const seal = createSeal(new Secret(MASTER_KEY), 'realtime session', randomBytes)
  const sessionKeys = createSessionKeys(seal, clock)
  const gateway = createGateway({
    sharedStatus: () => ({}),
    fallbacksOf: options.fallbacksOf ?? (() => []),
    deployments,
    directory,
    board: checks.board,
    checks: { ...checks, views: options.views ?? checks.views },
    history: {
      read: { checks: nothing, latest: nothing, uptime: nothing, incidents: nothing },
      status: () => ({ kind: 'memory', state: 'kept', since: 0, waiting: 0, dropped: 0 }),
      database: () => ({ kind: 'none' }),
    },
    connectionTest: {
      resolve: resolveModel,
      prepare: () => Promise.resolve(),
      test: createConnectionTest({ clock, log }, settings),
      openLine: openTo,
    },
    realtime: createRealtimeRelay(traffic),
    realtimeKeys: createRealtimeKeys({ ...traffic, sessionKeys }),
    realtimeCalls: createRealtimeCalls(traffic),
    sessionKeys,
    objects: createObjects(traffic),
    passThrough: createPassThrough(traffic),
    relay: createRelay({
      ...traffic,
      fetchMedia: () => assert.fail('nothing is fetched here'),
      countText: () => assert.fail('nothing is counted here'),
    }),
    settings: {
      ...(options.openMode !== true && { masterKey: new Secret(MASTER_KEY) }),
      isMasterKeyUnset: false,
      healthCheckDetails: true,
      drainTimeoutMs: 1000,
      maxInFlight: 1_000,
      maxRequestBytes: 1024 * 1024,
      logSuccessSample: 0,
      clientHeadersTimeoutMs: 60_000,
      clientRequestTimeoutMs: 300_000,
      ...options.settings,
    },
    metrics,
    metricsNeedKey: options.metricsNeedKey ?? true,
    random,
    redact,
    log,
    clock,
    version: '0.1.0',
    newCallId: () => `call-${++calls}`,
    ...(options.addressesOf !== undefined && { addressesOf: options.addressesOf }),
  })
  const { url } = await gateway.listen(options.host ?? '127.0.0.1', 0)
  after(async () => {
    await gateway.close()
    await checks.stop()
    await transport.close()
  })
  const asking = (path: string, given: AskOptions = {}): Promise<Answer> => ask(url, path, given)
  return {
    url,
    gateway,
    board: checks.board,
    logs,
    ask: asking,
    chat: (body, given) =>
      asking('/v1/chat/completions', {
        method: 'POST',
        body: typeof body === 'string' ? body : JSON.stringify(body),
        ...given,
      }),
  }
}

function ask(
  url: string,
  path: string,
  { method = 'GET', key = MASTER_KEY, headers = {}, body }: AskOptions,
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const sent = {
      ...(key !== null && { authorization: `Bearer ${key}` }),
      ...(body !== undefined && { 'content-type': 'application/json' }),
      ...headers,
    }
    const request = http.request(url + path, { method, headers: sent, agent: false }, (response) => {
      let text = ''
      const done = (isCut: boolean): void =>
        resolve({ status: response.statusCode ?? 0, headers: response.headers, text, isCut })
      response.setEncoding('utf8')
      response.on('data', (chunk: string) => {
        text += chunk
      })
      response.on('end', () => done(false))
      response.on('error', () => done(true))
    })
    request.on('error', reject)
    request.end(body)
  })
}

/** A socket-level upstream for what a well-behaved fake would not do; stopped after the test file. */
export async function startUpstream(listener: http.RequestListener): Promise<string> {
  const server = http.createServer(listener)
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve))
  after(() => {
    server.close()
    server.closeAllConnections()
  })
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('the upstream has no port')
  return `http://127.0.0.1:${address.port}/v1`
}
