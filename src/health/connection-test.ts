import type { Clock } from '../core/clock.ts'
import type { Deployment } from '../core/deployment.ts'
import type { JsonObject } from '../core/json.ts'
import type { Log } from '../core/log.ts'
import { createChecker } from './check.ts'
import { createLessons } from './lessons.ts'
import { entryOf } from './report.ts'
import type { HealthSettings } from './settings.ts'
import { createSlots } from './slots.ts'
import type { LineOrProblem } from './subject.ts'

/** LiteLLM's answer to `POST /health/test_connection`. */
export interface ConnectionResult {
  readonly status: 'success' | 'error'
  readonly result: JsonObject
}

/** Checks a deployment that stands in no config. */
export type TestConnection = (
  deployment: Deployment,
  openLine: (deployment: Deployment) => LineOrProblem,
  signal: AbortSignal,
) => Promise<ConnectionResult>

/** LiteLLM's; whatever is configured. */
const DEADLINE_MS = 60_000
/** Few, and apart from the checks of what is served. */
const LIMITS = { total: 8, inFlight: 8, perHost: 8, patienceMs: DEADLINE_MS }
const PROMPT = 'test from litellm'
/** Of an entry of /health: what only one that is configured has. */
const OWN_FIELDS: ReadonlySet<string> = new Set([
  'model_id',
  'model_name',
  'health_state',
  'since',
  'checked_at',
  'configured_model',
])

/** Makes the test: nothing of what it finds is remembered. */
export function createConnectionTest(
  deps: { readonly clock: Clock; readonly log: Log },
  settings: HealthSettings,
): TestConnection {
  const slots = createSlots(deps.clock, LIMITS)
  return async (deployment, openLine, signal) => {
    const opened = openLine(deployment)
    const checker = createChecker({
      ...deps,
      lessons: createLessons(),
      lines: () => opened,
      openLine,
      slots,
      settings: { ...settings, probeTimeoutMs: DEADLINE_MS, prompt: PROMPT },
    })
    const verdict = await checker.check(deployment, signal)
    const isHealthy = verdict.kind === 'healthy'
    const health = {
      state: isHealthy ? 'HEALTHY' : 'DOWN',
      since: verdict.at,
      verdict,
      ...(!isHealthy && { reason: verdict.reason }),
    } as const
    const entry = entryOf(deployment, health, isHealthy ? 'healthy' : 'unhealthy', { details: true })
    const shown = Object.entries(entry).filter(([name]) => !OWN_FIELDS.has(name))
    return { status: isHealthy ? 'success' : 'error', result: Object.fromEntries(shown) }
  }
}
