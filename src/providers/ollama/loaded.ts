import type { Residence } from '../../core/health.ts'
import { isJsonObject, parseJson } from '../../core/json.ts'
import type { WireResponse } from '../../transport/wire.ts'
import type { Target } from '../adapter.ts'
import type { ResidenceFace } from '../residence.ts'
import { textOf } from '../answer.ts'
import { bodyText } from '../error-facts.ts'
import { ollamaUrl } from './address.ts'
import { entryIn, isCloud } from './pulled.ts'

/**
 * The models in memory (https://docs.ollama.com/api/ps, read 2026-11-27). Each goes `keep_alive` (five minutes) after it
 * was last asked, and one may have to go for another.
 */
export const LOADED: ResidenceFace = {
  url: (target) => (isCloud(target) ? undefined : ollamaUrl(target, 'ps')),
  read: loadedIn,
}

function loadedIn(response: WireResponse, target: Target): Residence | undefined {
  const body = parseJson(bodyText(response))
  const models = isJsonObject(body) ? body['models'] : undefined
  if (!Array.isArray(models)) return undefined
  const entry = entryIn(models, target)
  if (entry === undefined) return { isLoaded: false }
  const until = Date.parse(textOf(entry['expires_at']) ?? '')
  // Go's zero time is none.
  return until > 0 ? { isLoaded: true, until } : { isLoaded: true }
}
