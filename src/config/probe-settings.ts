import type { ProbeModel, ProbeSettings } from '../core/deployment.ts'
import { isJsonObject } from '../core/json.ts'
import type { ResolveModel } from '../core/resolve.ts'
import type { Report } from './check.ts'
import { booleanOf, numberOf, plainText, secondsToMs } from './connection.ts'
import { child, textOf, toJson, type YamlNode } from './node.ts'
import { problemAt } from './problem.ts'

/** The `health_check_*` knobs of one deployment. `provider`: its own, for a `health_check_model` without one. */
export function probeSettingsOf(
  info: YamlNode | undefined,
  own: { readonly provider: string; readonly apiBase: string | undefined },
  path: string,
  resolve: ResolveModel,
  report: Report,
): ProbeSettings {
  const knob = (name: string): YamlNode | undefined => child(info, `health_check_${name}`)
  const timeoutMs = secondsToMs(knob('timeout'))
  const model = probeModelOf(textOf(knob('model')), own, resolve)
  const maxTokens = numberOf(knob('max_tokens'))
  const maxTokensReasoning = numberOf(knob('max_tokens_reasoning'))
  const maxTokensNonReasoning = numberOf(knob('max_tokens_non_reasoning'))
  const supportsMaxTokens = booleanOf(knob('supports_max_tokens'))
  const reasoningEffort = textOf(knob('reasoning_effort'))
  const voice = plainText(knob('voice'))
  return {
    ...(timeoutMs !== undefined && { timeoutMs }),
    ...(model && { model }),
    params: probeParamsOf(knob('params'), path, report),
    ...(maxTokens !== undefined && { maxTokens }),
    ...(maxTokensReasoning !== undefined && { maxTokensReasoning }),
    ...(maxTokensNonReasoning !== undefined && { maxTokensNonReasoning }),
    ...(supportsMaxTokens !== undefined && { supportsMaxTokens }),
    ...(reasoningEffort !== undefined && { reasoningEffort }),
    ...(voice !== undefined && { voice }),
    backgroundDisabled: booleanOf(child(info, 'disable_background_health_check')) ?? false,
  }
}

/** A bare name that no table knows belongs to the deployment's own provider. */
function probeModelOf(
  model: string | undefined,
  own: { readonly provider: string; readonly apiBase: string | undefined },
  resolve: ResolveModel,
): ProbeModel | undefined {
  if (model === undefined || model === '') return undefined
  const hints = own.apiBase === undefined ? {} : { apiBase: own.apiBase }
  const found = resolve(model, hints)
  const { provider, upstreamModel } =
    found.problem === undefined ? found : { provider: own.provider, upstreamModel: model }
  return { model, provider, upstreamModel }
}

function probeParamsOf(node: YamlNode | undefined, path: string, report: Report): ProbeSettings['params'] {
  if (node === undefined) return {}
  const params = toJson(node)
  if (isJsonObject(params)) return params
  report(problemAt('warning', node, `${path}.model_info.health_check_params`, 'must be a map; ignored'))
  return {}
}
