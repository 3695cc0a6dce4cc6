import type { RelayFace, Target } from '../adapter.ts'
import { joinRoute } from '../route.ts'
import { rootOf } from './surface.ts'

/** LiteLLM's routing word before models that are served there only. */
const ROUTING_WORD = /^responses\//

/** The Responses API (https://platform.openai.com/docs/api-reference/responses), passed on with the model set. */
export function responsesFace(
  url: RelayFace['url'] = responsesUrl,
  model: (target: Target) => string = ({ model: name }) => name,
): RelayFace {
  return {
    url,
    edits: (target) => ({ set: { model: JSON.stringify(model(target).replace(ROUTING_WORD, '')) } }),
  }
}

function responsesUrl(target: Target): string {
  return joinRoute(rootOf(target), '/responses')
}
