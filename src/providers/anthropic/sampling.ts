import type { Json, JsonObject } from '../../core/json.ts'
import type { ClaudeModel } from './claude-model.ts'
import type { ThinkingWords } from './thinking.ts'

/** The first version that takes no sampling parameters (https://platform.claude.com/docs/en/api/versioning). */
const WITHOUT_SAMPLING = '2026-10-21'
/** Other places that serve Claude have versions with names of their own. */
const DATE = /^\d{4}-\d\d-\d\d$/

/** What of temperature, `top_p` and `top_k` can be told. */
export interface SamplingWords {
  readonly told: JsonObject
  readonly lost: readonly string[]
}

/**
 * Sampling parameters: some versions and models take none at all, not even the defaults, which are then left out.
 * Within a budget of thoughts the temperature is 1, `top_p` at least 0.95, and there is no `top_k`.
 */
export function toSampling(
  request: JsonObject,
  model: ClaudeModel,
  { thinking }: ThinkingWords,
  version: string | undefined,
): SamplingWords {
  const isNew = version !== undefined && DATE.test(version) && version >= WITHOUT_SAMPLING
  const isRefused = model.refusesSampling || isNew
  const isThinking = thinking?.['type'] === 'enabled' || thinking?.['type'] === 'adaptive'
  const told: Record<string, Json> = {}
  const lost: string[] = []
  for (const name of ['temperature', 'top_p', 'top_k'] as const) {
    const value = request[name]
    if (value === undefined || value === null) continue
    const mayBeTold = !isRefused && (!isThinking || goesWithThoughts(name, value))
    if (mayBeTold) told[name] = value
    else if (name === 'top_k' || value !== 1) lost.push(name)
  }
  return { told, lost }
}

/** Does a request set something that thoughts within a budget do not go with? */
export function excludesThoughts(request: JsonObject): boolean {
  return (['temperature', 'top_p', 'top_k'] as const).some((name) => {
    const value = request[name]
    return value !== undefined && value !== null && !goesWithThoughts(name, value)
  })
}

function goesWithThoughts(name: string, value: Json): boolean {
  if (name === 'temperature') return value === 1
  return name === 'top_p' && typeof value === 'number' && value >= 0.95
}
