import type { AnswerFacts } from '../../core/answer-facts.ts'
import { asGatewayError, GatewayError } from '../../core/failure.ts'
import { isJsonObject, parseJson } from '../../core/json.ts'
import type { JsonObject } from '../../core/json.ts'
import { openChatEvents } from '../../providers/chat-events.ts'
import { EVENT_HEADERS, JSON_HEADERS } from '../answer/answer-form.ts'
import type { AnswerHeaders } from '../answer/answer-head.ts'
import type { RelayAnswer } from '../answer/relay-answer.ts'
import type { AnswerWords } from './surface.ts'

/** An answer that must be read whole to be said in other words. */
export const MAX_WHOLE_BYTES = 64 * 1024 * 1024

/** Takes a chat's answer and gives `answer` the surface's. `stop` ends what is still to come. */
export function reworded(
  answer: RelayAnswer,
  words: AnswerWords,
  isStream: boolean,
  stop: () => void,
): RelayAnswer {
  return isStream ? eventsIn(answer, words, stop) : wholeIn(answer, (json) => words.whole(json), stop)
}

/** Holds an answer until it is whole, and passes it on as `rewrite` has it. */
export function wholeIn(
  answer: RelayAnswer,
  rewrite: (json: JsonObject) => JsonObject,
  stop: () => void,
): RelayAnswer {
  const pieces: Buffer[] = []
  let bytes = 0
  let head: { status: number; headers: AnswerHeaders; copies: readonly string[] | undefined } | undefined
  let isOver = false
  const fail = (error: GatewayError, headers: AnswerHeaders): void => {
    if (isOver) return
    isOver = true
    answer.fail(error, headers)
  }
  return {
    head: (status, headers, copies) => {
      head = { status, headers, copies }
    },
    data: (chunk) => {
      bytes += chunk.length
      if (bytes <= MAX_WHOLE_BYTES) pieces.push(chunk)
      else if (!isOver) {
        fail(new GatewayError('wrong_shape', `answered with more than ${MAX_WHOLE_BYTES} bytes`), {})
        stop()
      }
      return true
    },
    end: (facts) => {
      if (isOver || head === undefined) return
      let body: Buffer
      try {
        body = Buffer.from(JSON.stringify(rewrite(parsed(Buffer.concat(pieces)))))
      } catch (error) {
        fail(asGatewayError(error), head.headers)
        return
      }
      isOver = true
      const own = { ...head.headers, ...JSON_HEADERS, 'content-length': String(body.length) }
      answer.head(head.status, own, head.copies)
      answer.data(body)
      answer.end({ ...facts, bytes: body.length })
    },
    fail: (error, headers) => fail(error, headers),
  }
}

function parsed(body: Buffer): JsonObject {
  const json = parseJson(body.toString())
  if (isJsonObject(json)) return json
  throw new GatewayError('wrong_shape', 'answered with no JSON object')
}

function eventsIn(answer: RelayAnswer, words: AnswerWords, stop: () => void): RelayAnswer {
  const decoder = openChatEvents()
  const writer = words.openStream()
  let bytes = 0
  let isOver = false
  // An error that the upstream's stream holds is told when it ends, with what it means.
  let hasError = false
  const write = (text: string): boolean => {
    if (text === '') return true
    const chunk = Buffer.from(text)
    bytes += chunk.length
    return answer.data(chunk)
  }
  const lost = (error: GatewayError, headers: AnswerHeaders, facts?: AnswerFacts): void => {
    if (isOver) return
    isOver = true
    // Who has left is told nothing.
    const last = error.kind === 'cancelled' ? '' : (writer.failed?.(error) ?? '')
    write(last)
    if (last === '') answer.fail(error, headers)
    else answer.end({ ...facts, bytes, flaw: error })
  }
  const broken = (error: unknown): void => {
    lost(asGatewayError(error), {})
    stop()
  }
  const pieces = (chunks: readonly JsonObject[]): string =>
    chunks
      .map((chunk) => {
        hasError ||= isError(chunk)
        return hasError ? '' : writer.push(chunk)
      })
      .join('')
  return {
    head: (status, headers, copies) => answer.head(status, { ...headers, ...EVENT_HEADERS }, copies),
    data: (chunk) => {
      if (isOver || hasError) return true
      try {
        return write(pieces(decoder.push(chunk)))
      } catch (error) {
        broken(error)
        return true
      }
    },
    end: (facts) => {
      if (isOver) return
      if (facts.flaw !== undefined) {
        lost(facts.flaw, {}, facts)
        return
      }
      try {
        write(pieces(decoder.end()) + writer.end())
      } catch (error) {
        broken(error)
        return
      }
      isOver = true
      answer.end({ ...facts, bytes })
    },
    fail: (error, headers) => lost(error, headers),
  }
}

function isError({ error }: JsonObject): boolean {
  return error !== undefined && error !== null && error !== false && error !== ''
}
