import type { DeploymentFieldRules } from '../core/deployment.ts'
import { booleanOf } from './connection.ts'
import type { Params } from './params.ts'
import { textsOf } from './routing-settings.ts'

/** What must not go into the bodies of one deployment; empty where its params say nothing. */
export function fieldRulesOf(params: Params): { readonly fieldRules?: DeploymentFieldRules } {
  const dropParams = booleanOf(params.get('drop_params'))
  const drop = textsOf(params.get('additional_drop_params'))
  const keep = textsOf(params.get('allowed_openai_params'))
  if (dropParams === undefined && drop.length === 0 && keep.length === 0) return {}
  return { fieldRules: { ...(dropParams !== undefined && { dropParams }), drop, keep } }
}
