import type { Deployment } from '../core/deployment.ts'
import { booleanOf, numberOf } from './connection.ts'
import { toJson } from './node.ts'
import type { Params } from './params.ts'

/** What answers in place of a provider; empty where its own answers are meant. */
export function mockOf(params: Params): Pick<Deployment, 'mockResponse' | 'mockDelayMs'> {
  if (booleanOf(params.get('mock_timeout')) === true) return NO_ANSWER
  const node = params.get('mock_response')
  if (node === undefined) return {}
  const delay = numberOf(params.get('mock_delay'))
  return { mockResponse: toJson(node), ...(delay && { mockDelayMs: delay * 1000 }) }
}

/** Later than any timeout. */
const NO_ANSWER = { mockResponse: 'litellm.Timeout', mockDelayMs: Number.MAX_SAFE_INTEGER }
