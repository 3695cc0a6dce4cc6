import type { Expectation, ProbeModel, ProbeSettings } from '../core/deployment.ts'
import { isJsonObject } from '../core/json.ts'
import type { ResolveModel } from '../core/resolve.ts'
import type { Report } from './check.ts'
import { booleanOf, numberOf, plainText, secondsToMs } from './connection.ts'
import { child, textOf, toJson, type YamlNode } from './node.ts'
import { patternOf } from './pattern.ts'
import { problemAt } from './problem.ts'

/** What a `health_check_model` is resolved with: the deployment that it stands in for. */
export interface ProbedDeployment {
  readonly provider: string
  readonly apiBase: string | undefined
  readonly customProvider: string | undefined
}

/** The `health_check_*` knobs of one deployment. */
export function probeSettingsOf(
  info: YamlNode | undefined,
  own: ProbedDeployment,
  path: string,
  resolve: ResolveModel,
  report: Report,
): ProbeSettings {
  const knob = (name: string): YamlNode | undefined => child(info, `health_check_${name}`)
  const timeoutMs = secondsToMs(knob('timeout'))
  const model = probeModelOf(knob('model'), own, path, resolve, report)
  const maxTokens = numberOf(knob('max_tokens'))
  const maxTokensReasoning = numberOf(knob('max_tokens_reasoning'))
  const maxTokensNonReasoning = numberOf(knob('max_tokens_non_reasoning'))
  const supportsMaxTokens = booleanOf(knob('supports_max_tokens'))
  const reasoningEffort = textOf(knob('reasoning_effort'))
  const voice = plainText(knob('voice'))
  const isDisabled = booleanOf(child(info, 'disable_background_health_check')) ?? false
  const rung = textOf(knob('rung'))
  const expect = expectationOf(knob('expect'))
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
    backgroundDisabled: rung === 'none' || isDisabled,
    ...((rung === 'free' || rung === 'minimal' || rung === 'golden') && { rung }),
    ...(expect && { expect }),
  }
}

/** A name whose provider nobody knows is asked of the deployment's own provider. */
function probeModelOf(
  node: YamlNode | undefined,
  own: ProbedDeployment,
  path: string,
  resolve: ResolveModel,
  report: Report,
): ProbeModel | undefined {
  const model = textOf(node)
  if (node === undefined || model === undefined || model === '') return undefined
  const found = resolve(model, {
    ...(own.customProvider !== undefined && { customProvider: own.customProvider }),
    ...(own.apiBase !== undefined && { apiBase: own.apiBase }),
  })
  if (found.problem === undefined)
    return { model, provider: found.provider, upstreamModel: found.upstreamModel }
  if (model.includes('/')) {
    const message = `${found.problem}; it is asked of this deployment's provider`
    report(problemAt('warning', node, `${path}.model_info.health_check_model`, message))
  }
  return { model, provider: own.provider, upstreamModel: model }
}

/** What is wrong with it has been reported by the schema. */
function expectationOf(node: YamlNode | undefined): Expectation | undefined {
  if (node === undefined) return undefined
  const patternAt = (name: string): RegExp | undefined => patternOf(textOf(child(node, name)) ?? '')
  const has = (name: string): boolean => (textOf(child(node, name)) ?? '') !== ''
  const dimensions = numberOf(child(node, 'dimensions'))
  const prompt = textOf(child(node, 'prompt')) ?? ''
  const [model, answer] = [has('model') && patternAt('model'), has('answer') && patternAt('answer')]
  return {
    ...(model && { model }),
    ...(dimensions !== undefined && { dimensions }),
    ...(answer && prompt !== '' && { golden: { prompt, answer } }),
  }
}

function probeParamsOf(node: YamlNode | undefined, path: string, report: Report): ProbeSettings['params'] {
  if (node === undefined) return {}
  const params = toJson(node)
  if (isJsonObject(params)) return params
  report(problemAt('warning', node, `${path}.model_info.health_check_params`, 'must be a map; ignored'))
  return {}
}
