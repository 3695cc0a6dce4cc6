import { GatewayError } from '../../core/failure.ts'
import { isJsonObject } from '../../core/json.ts'
import type { JsonObject } from '../../core/json.ts'
import { memberValue } from '../../core/json-spans.ts'
import type { JsonSpans } from '../../core/json-spans.ts'
import { openChatEvents } from '../../providers/chat-events.ts'
import type { RelayAnswer } from '../answer/relay-answer.ts'
import { withOurIds } from '../objects/answer.ts'
import { decodeObjectId, deploymentKey, encodeObjectId, isPassable } from '../objects/id.ts'
import type { ObjectId } from '../objects/id.ts'
import { memberOf, textOf } from './read-json.ts'
import { wholeIn } from './reworded.ts'

/** A response that this gateway has given an id. */
export type KnownResponse = ObjectId

/**
 * The response that a request goes on from; undefined where it names none, or one by its provider's own id.
 * @throws GatewayError not_found (404, the client's doing) for an id that was altered
 */
export function previousResponse(body: Buffer, spans: JsonSpans): KnownResponse | undefined {
  const id = memberValue(body, spans, 'previous_response_id')
  return typeof id !== 'string' ? undefined : decodeObjectId('response', id)
}

/** Writes ids that remember the deployment into a response: one whole, or its events. */
export function withOurResponseIds(
  answer: RelayAnswer,
  deploymentId: string,
  previous: KnownResponse | undefined,
  isStream: boolean,
  stop: () => void,
): RelayAnswer {
  const key = deploymentKey(deploymentId)
  return isStream
    ? eventsWithIds(answer, key, previous)
    : wholeIn(answer, (json) => withOurIds('response', key, json), stop)
}

/** A stream that has not said its id by then will not. */
const MAX_SEARCHED_BYTES = 1024 * 1024

function eventsWithIds(answer: RelayAnswer, key: string, previous: KnownResponse | undefined): RelayAnswer {
  const swaps: Swap[] = previous === undefined ? [] : [swapOf(key, previous.upstreamId)]
  // The first event says the id: the events are read until then.
  let search: ReturnType<typeof openChatEvents> | undefined = openChatEvents()
  let searched = 0
  let bytes = 0
  const lookIn = (chunk: Buffer): void => {
    if (search === undefined) return
    searched += chunk.length
    try {
      const id = search
        .push(chunk)
        .map(idIn)
        .find((each) => each !== undefined)
      if (id !== undefined) swaps.push(swapOf(key, id))
      if (id !== undefined || searched > MAX_SEARCHED_BYTES) search = undefined
    } catch (error) {
      if (!(error instanceof GatewayError)) throw error
      // What is no event is not ours to judge.
      search = undefined
    }
  }
  return {
    head: (status, headers, copies) => answer.head(status, headers, copies),
    data: (chunk) => {
      lookIn(chunk)
      const own = swaps.reduce(swapped, chunk)
      bytes += own.length
      return answer.data(own)
    },
    end: (facts) => answer.end({ ...facts, bytes }),
    fail: (error, headers) => answer.fail(error, headers),
  }
}

function idIn(event: JsonObject): string | undefined {
  const id = isJsonObject(event['response']) ? textOf(memberOf(event['response'], 'id')) : undefined
  return id !== undefined && isPassable(id) ? id : undefined
}

/** An id as JSON text, and ours in its place. Within a text of the model its quotes would be escaped. */
interface Swap {
  readonly from: Buffer
  readonly to: Buffer
}

function swapOf(key: string, upstreamId: string): Swap {
  return {
    from: Buffer.from(JSON.stringify(upstreamId)),
    to: Buffer.from(JSON.stringify(encodeObjectId('response', key, upstreamId))),
  }
}

function swapped(chunk: Buffer, { from, to }: Swap): Buffer {
  let at = chunk.indexOf(from)
  if (at === -1) return chunk
  const pieces: Buffer[] = []
  let start = 0
  for (; at !== -1; at = chunk.indexOf(from, start)) {
    pieces.push(chunk.subarray(start, at), to)
    start = at + from.length
  }
  pieces.push(chunk.subarray(start))
  return Buffer.concat(pieces)
}
