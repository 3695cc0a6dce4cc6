import type { Deployment } from '../core/deployment.ts'
import type { Health } from '../core/health.ts'
import { DEFAULT_INTERVAL_MS } from './settings.ts'
import type { HealthSettings } from './settings.ts'
import { neverProbed } from './subject.ts'

/** A verdict this young answers the next caller too, milliseconds. */
const REUSE_MS = 1_000

/** What GET /health does: probe always, probe what is stale, or read memory. */
function onRequest(settings: HealthSettings): 'always' | 'stale' | 'never' {
  return settings.onRequest ?? (settings.backgroundHealthChecks ? 'never' : 'always')
}

/** Does GET /health ever probe this deployment? */
export function isLiveChecked(deployment: Deployment, settings: HealthSettings): boolean {
  if (neverProbed(deployment) !== undefined || onRequest(settings) === 'never') return false
  return !(settings.skipDisabledBackgroundModels && deployment.probe.backgroundDisabled)
}

/** Does the background loop check this deployment? */
export function isBackgroundChecked(deployment: Deployment, settings: HealthSettings): boolean {
  if (!settings.backgroundHealthChecks || neverProbed(deployment) !== undefined) return false
  if (deployment.probe.backgroundDisabled) return false
  return settings.groups === undefined || settings.groups.includes(deployment.group)
}

/** Will anything of ours ever check it? If not, it stands in /health as `checks_disabled`. */
export function isEverChecked(deployment: Deployment, settings: HealthSettings): boolean {
  return isLiveChecked(deployment, settings) || isBackgroundChecked(deployment, settings)
}

/** Does a live GET /health need a new verdict, by the user's `health_check_on_request`? */
export function mustProbe(health: Health, now: number, settings: HealthSettings): boolean {
  const wanted = onRequest(settings)
  if (wanted !== 'stale') return wanted === 'always'
  const ageMs = health.verdict === undefined ? Infinity : now - health.verdict.at
  return ageMs > (settings.intervalMs ?? DEFAULT_INTERVAL_MS)
}

/** A verdict younger than a second, or a 429 whose `Retry-After` has not passed, is shown as it is. */
export function mayReuse({ verdict, waitUntil }: Health, now: number): boolean {
  // Where the clock was set back, nothing that it said before means anything.
  if (verdict === undefined || now < verdict.at) return false
  return now - verdict.at < REUSE_MS || (waitUntil !== undefined && now < waitUntil)
}
