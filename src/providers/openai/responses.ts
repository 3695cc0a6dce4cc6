import type { BodyEdits } from '../../core/json-spans.ts'
import type { RelayFace, Target } from '../adapter.ts'
import { hasNone } from '../body-defaults.ts'
import { joinRoute } from '../route.ts'
import { responsesDefaults } from './responses-defaults.ts'
import { jsonTexts, rootOf } from './surface.ts'

/** LiteLLM's routing word before models that are served there only. */
const ROUTING_WORD = /^responses\//

/**
 * The Responses API (https://platform.openai.com/docs/api-reference/responses), passed on with the model set and the
 * deployment's defaults filled in.
 */
export function responsesFace(
  url: RelayFace['url'] = responsesUrl,
  model: (target: Target) => string = ({ model: name }) => name,
): RelayFace {
  return {
    url,
    edits: (target): BodyEdits => {
      const set = { model: JSON.stringify(model(target).replace(ROUTING_WORD, '')) }
      const { bodyDefaults } = target
      return hasNone(bodyDefaults) ? { set } : { set, defaults: jsonTexts(responsesDefaults(bodyDefaults)) }
    },
  }
}

function responsesUrl(target: Target): string {
  return joinRoute(rootOf(target), '/responses')
}
