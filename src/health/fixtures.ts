import type { Deployment, ProbeSettings } from '../core/deployment.ts'
import type { EngineSettings } from '../core/engine-settings.ts'
import type { HealthyVerdict, UnhealthyVerdict } from '../core/verdict.ts'

/** For tests: a deployment of OpenAI's gpt-4o, with changes. */
export function makeDeployment(changes: Partial<Deployment> = {}): Deployment {
  const index = changes.index ?? 0
  return {
    index,
    id: `id-${index}`,
    group: 'my-group',
    model: 'openai/gpt-4o',
    provider: 'openai',
    upstreamModel: 'gpt-4o',
    mode: 'chat',
    modeSource: 'default',
    connection: { apiBase: 'http://127.0.0.1:9/v1', headers: {} },
    bodyDefaults: {},
    timeouts: {},
    probe: makeProbeSettings(),
    shown: {},
    clientConnectionFields: [],
    shownParams: {},
    info: {},
    ...changes,
  }
}

/** For tests: no `health_check_*` knob written, with changes. */
export function makeProbeSettings(changes: Partial<ProbeSettings> = {}): ProbeSettings {
  return { params: {}, backgroundDisabled: false, ...changes }
}

/** For tests: a good verdict of gpt-4o at `at`, with changes. */
export function makeHealthy(at: number, changes: Partial<HealthyVerdict> = {}): HealthyVerdict {
  return {
    kind: 'healthy',
    at,
    latencyMs: 12,
    requests: 1,
    probedModel: 'openai/gpt-4o',
    headers: {},
    ...changes,
  }
}

/** For tests: a bad verdict of gpt-4o at `at`, with changes. */
export function makeUnhealthy(at: number, changes: Partial<UnhealthyVerdict> = {}): UnhealthyVerdict {
  return {
    kind: 'unhealthy',
    reason: 'server_error',
    error: 'it failed',
    exceptionStatus: 500,
    at,
    latencyMs: 12,
    requests: 1,
    probedModel: 'openai/gpt-4o',
    headers: {},
    ...changes,
  }
}

/** For tests: nothing written of the engine, background checks on. */
export const NOTHING_WRITTEN: EngineSettings = {
  isLooking: true,
  strategy: undefined,
  intervalMs: undefined,
  idleMostMs: undefined,
  thresholds: {
    failures: undefined,
    ratio: undefined,
    leastRequests: undefined,
    windowMs: undefined,
    rise: undefined,
  },
  confirm: { leastMs: undefined, mostMs: undefined },
  down: {
    firstMs: undefined,
    factor: undefined,
    capMs: undefined,
    capMidMs: undefined,
    capDearMs: undefined,
  },
  budget: { usdPerDay: undefined, usdPerDayEach: undefined, priceCeiling: undefined },
  concurrency: { total: undefined, perHost: undefined, perCredential: undefined },
  hasLastResort: true,
  noticesIsolation: true,
  steersRouting: true,
  ignoresTransientErrors: false,
  forgetMs: undefined,
  traffic: { isHeeded: true, cooldownMs: undefined, allowedFails: undefined, allowedFailsByKind: {} },
}
