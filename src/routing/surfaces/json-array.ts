import type { GatewayError } from '../../core/failure.ts'
import { asGatewayError } from '../../core/failure.ts'
import { openChatEvents } from '../../providers/chat-events.ts'
import { JSON_HEADERS } from '../answer/answer-form.ts'
import type { AnswerHeaders } from '../answer/answer-head.ts'
import type { RelayAnswer } from '../answer/relay-answer.ts'

/**
 * Takes a stream of events and gives `answer` the same objects as one JSON array, each as it comes: how Google streams to
 * who does not ask for events. `errorText`: the last of them, where it breaks off; `stop` ends what is still to come.
 */
export function asJsonArray(
  answer: RelayAnswer,
  errorText: (error: GatewayError) => string,
  stop: () => void,
): RelayAnswer {
  const decoder = openChatEvents()
  let bytes = 0
  let hasBegun = false
  let isOver = false
  const write = (text: string): boolean => {
    if (text === '') return true
    const chunk = Buffer.from(text)
    bytes += chunk.length
    return answer.data(chunk)
  }
  const next = (json: string): string => {
    const before = bytes === 0 ? '[' : ',\r\n'
    return before + json
  }
  const fail = (
    error: GatewayError,
    headers: AnswerHeaders,
    efforts?: Parameters<RelayAnswer['fail']>[2],
  ): void => {
    if (isOver) return
    isOver = true
    // Who has left is told nothing.
    if (!hasBegun || error.kind === 'cancelled') answer.fail(error, headers, efforts)
    else {
      write(`${next(errorText(error))}]`)
      answer.end({ bytes, flaw: error })
    }
  }
  return {
    meets: (deployment) => answer.meets?.(deployment),
    head: (status, headers, copies) => {
      hasBegun = true
      answer.head(status, { ...headers, ...JSON_HEADERS }, copies)
    },
    data: (chunk) => {
      if (isOver) return true
      try {
        let wantsMore = true
        for (const event of decoder.push(chunk)) wantsMore = write(next(JSON.stringify(event)))
        return wantsMore
      } catch (error) {
        fail(asGatewayError(error), {})
        stop()
        return true
      }
    },
    end: (facts) => {
      if (isOver) return
      isOver = true
      write(bytes === 0 ? '[]' : ']')
      answer.end({ ...facts, bytes })
    },
    fail,
  }
}
