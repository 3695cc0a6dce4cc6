import type { ModelFacts } from '../core/deployment.ts'
import { numberOf } from './connection.ts'
import { child, textOf, type YamlNode } from './node.ts'
import type { Params } from './params.ts'

/** What is written of a deployment's model, in litellm_params or in model_info; empty where nothing is. */
export function factsOf(params: Params, info: YamlNode | undefined): { readonly facts?: ModelFacts } {
  const written = (name: string): YamlNode | undefined => params.get(name) ?? child(info, name)
  const baseModel = textOf(written('base_model'))
  const maxInputTokens = numberOf(child(info, 'max_input_tokens')) ?? numberOf(child(info, 'max_tokens'))
  const inputCost = numberOf(written('input_cost_per_token'))
  const outputCost = numberOf(written('output_cost_per_token'))
  const imageCost = numberOf(written('output_cost_per_image')) ?? numberOf(written('input_cost_per_image'))
  const queryCost = numberOf(written('input_cost_per_query'))
  const secondCost = numberOf(written('input_cost_per_second')) ?? numberOf(written('output_cost_per_second'))
  const characterCost = numberOf(written('input_cost_per_character'))
  const facts: ModelFacts = {
    ...(baseModel !== undefined && baseModel !== '' && { baseModel }),
    ...(maxInputTokens && { maxInputTokens }),
    ...(inputCost !== undefined && { inputCost }),
    ...(outputCost !== undefined && { outputCost }),
    ...(imageCost !== undefined && { imageCost }),
    ...(queryCost !== undefined && { queryCost }),
    ...(secondCost !== undefined && { secondCost }),
    ...(characterCost !== undefined && { characterCost }),
  }
  return Object.keys(facts).length === 0 ? {} : { facts }
}
