import { GatewayError } from '../../../core/failure.ts'
import { isJsonObject, parseJson } from '../../../core/json.ts'
import type { Target } from '../../adapter.ts'
import type { RealtimeFace } from '../../realtime-face.ts'
import { kindOf, kindOfCodes } from '../../classify.ts'
import { errorIn } from '../../error-facts.ts'
import { toWebSocket } from '../../route.ts'
import { createLiveSession } from './session.ts'

/**
 * Live sessions (https://ai.google.dev/api/live): the client says `setup`, the server `setupComplete`, in frames that
 * may be binary. Clients speak OpenAI's words; each session has a translator of its own.
 */
export function liveFace(
  url: (target: Target) => string,
  model: (target: Target) => string,
  {
    takesSystemTurns = false,
  }: { /** May the model be instructed anew in a session? */ readonly takesSystemTurns?: boolean } = {},
): RealtimeFace {
  return {
    translate: (target, ground) =>
      createLiveSession({ shown: target.model, named: model(target), takesSystemTurns }, ground),
    dial: (target) => ({ url: toWebSocket(url(target)), headers: {}, protocols: [] }),
    // Its models all speak; the text-only ones are retired.
    opening: (target) =>
      JSON.stringify({
        setup: { model: model(target), generationConfig: { responseModalities: ['AUDIO'] } },
      }),
    proves: (message) => {
      const event = parseJson(message)
      if (!isJsonObject(event))
        throw new GatewayError('wrong_shape', 'the first message of the session is no event of the Live API')
      const facts = event['error'] === undefined ? undefined : errorIn(event)
      if (facts !== undefined) {
        throw new GatewayError(
          facts.status === undefined ? kindOfCodes(facts) : kindOf(facts.status, facts),
          `the session opened with an error: ${facts.text}`,
        )
      }
      return event['setupComplete'] !== undefined
    },
  }
}
