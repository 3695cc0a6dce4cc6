import { GatewayError } from '../../core/failure.ts'
import { isJsonObject, parseJson } from '../../core/json.ts'
import type { Json, JsonObject } from '../../core/json.ts'
import type { WireResponse } from '../../transport/wire.ts'
import type { Target } from '../adapter.ts'
import { textOf } from '../answer.ts'
import { bodyText } from '../error-facts.ts'

/**
 * Reads the list of models that were pulled (https://docs.ollama.com/api/tags); asking for it loads none.
 * @throws GatewayError not_found where the deployment's model is not among them
 */
export function provesPulled(response: WireResponse, target: Target): void {
  const body = parseJson(bodyText(response))
  const models = isJsonObject(body) ? body['models'] : undefined
  // Models in Ollama's cloud answer without having been pulled.
  if (!Array.isArray(models) || isCloud(target)) return
  if (entryIn(models, target) === undefined)
    throw new GatewayError('not_found', `has no model "${target.model}": it is to be pulled there first`)
}

/** Does Ollama's cloud answer for this model, wherever it is asked? */
export function isCloud({ model }: Pick<Target, 'model'>): boolean {
  return /[:-]cloud$/.test(model)
}

/** What a list of models says of the deployment's own. */
export function entryIn(models: readonly Json[], { model }: Pick<Target, 'model'>): JsonObject | undefined {
  const wanted = fullName(model)
  return models
    .filter(isJsonObject)
    .find((entry) => fullName(textOf(entry['model'] ?? entry['name']) ?? '') === wanted)
}

/** Names without a tag mean `latest`, those without a place Ollama's own library; case does not count. */
function fullName(name: string): string {
  const short = name.toLowerCase().replace(/^(registry\.ollama\.ai\/)?(library\/)?/, '')
  return short.slice(short.lastIndexOf('/') + 1).includes(':') ? short : `${short}:latest`
}
