import type { HttpMode, Operations } from '../../core/mode.ts'
import type { Codec, StreamDecoder } from '../../providers/adapter.ts'
import type { Line } from '../../providers/call.ts'
import { followUp, type FollowedUp } from '../../providers/follow-up.ts'
import type { Limits, Stream, StreamSink, WireRequest, WireResponse } from '../road.ts'
import { eventSink, type Events } from './event-sink.ts'
import { isOk, MAX_WHOLE_BYTES, wholeSink, type WholeAnswer } from './whole-answer.ts'

/** A call of several requests. */
export interface FollowedCall<M extends HttpMode> {
  readonly line: Line
  readonly codec: Codec<M>
  readonly request: Operations[M]['request']
  /** Does the client read events? */
  readonly isStream: boolean
  /** What is left of the limits. */
  readonly leftOf: () => Limits
  readonly write: WholeAnswer['write']
  readonly isWanted: (event: Operations[M]['event']) => boolean
}

/** Where the first answer goes, and the hold that its reader has on all that follows. */
export interface Followed extends Stream {
  readonly target: StreamSink
}

/**
 * Follows a call up. Its last answer is written whole, or passed on event by event where the provider streams it; a
 * stream that does not come about costs nothing but time: the answer is then looked at until it is whole. What nobody
 * waits for any more is ended at the provider too.
 */
export function followed<M extends HttpMode>(call: FollowedCall<M>, sink: StreamSink): Followed {
  const { line, codec, request, leftOf, write } = call
  const gone = new AbortController()
  let streaming: Stream | undefined
  let begun: WireResponse | undefined
  const over = (): void => {
    begun = undefined
  }
  const abandon = (): void => {
    const wire = begun === undefined ? undefined : codec.abandon?.(begun, line.target)
    begun = undefined
    if (wire !== undefined) void tell(line, wire)
  }
  const follow = (first: WireResponse, from: number): Promise<FollowedUp> => {
    const limits = { ...wholeLimits(leftOf()), signal: gone.signal }
    return followUp(line, codec, request, first, limits, from)
  }
  /** Was it streamed? */
  const streamed = (first: WireResponse, step: FollowedUp['stream']): Promise<boolean> => {
    const events = step === undefined ? undefined : eventsOf(call, first, step.lastly, gone.signal)
    if (step === undefined || events === undefined) return Promise.resolve(false)
    return new Promise((resolve) => {
      const target = untilBegun(eventSink(sink, events), { begins: resolve, over, abandon })
      streaming = line.transport.stream(step.wire, leftOf(), target)
    })
  }
  const lastOf = async (first: WireResponse): Promise<WireResponse | undefined> => {
    begun = first
    try {
      const { response, stream } = await follow(first, 0)
      if (await streamed(first, stream)) return undefined
      const last = stream === undefined ? response : (await follow(first, 1)).response
      if (isOk(last)) over()
      else abandon()
      return last
    } catch (error) {
      abandon()
      throw error
    }
  }
  return {
    target: wholeSink(sink, { write, lastOf }),
    resume: () => streaming?.resume(),
    cancel: () => {
      gone.abort()
      abandon()
      streaming?.cancel()
    },
  }
}

function wholeLimits(limits: Limits): Limits {
  return { ...limits, maxBytes: Math.min(limits.maxBytes, MAX_WHOLE_BYTES) }
}

/** How long is waited for what a stream does not say. */
const LASTLY_MS = 5_000

function eventsOf<M extends HttpMode>(
  call: FollowedCall<M>,
  first: WireResponse,
  lastly: WireRequest | undefined,
  signal: AbortSignal,
): Events<Operations[M]['event']> | undefined {
  const { line, codec, isStream, isWanted, leftOf } = call
  const decoder = isStream ? codec.openStream?.(line.target, first) : undefined
  if (decoder === undefined) return undefined
  if (lastly === undefined) return { decoder, isWanted }
  return {
    decoder,
    isWanted,
    lastly: () => told(call, decoder, lastly, { ...wholeLimits(leftOf()), signal }),
  }
}

/** What the stream did not say; nothing where that is not to be had. */
async function told<M extends HttpMode>(
  { line, codec, request }: FollowedCall<M>,
  decoder: StreamDecoder<Operations[M]['event']>,
  lastly: WireRequest,
  left: Limits,
): Promise<readonly Operations[M]['event'][]> {
  try {
    const limits = { ...left, timeoutMs: Math.min(left.timeoutMs, LASTLY_MS) }
    const answer = await line.transport.send(await line.authorize(lastly), limits)
    // The stream may be over a little earlier than what it is about.
    const { response } = await followUp(line, codec, request, answer, limits, 1)
    return isOk(response) ? (decoder.lastly?.(response) ?? []) : []
  } catch {
    return [] // The answer itself is whole, and with the client.
  }
}

/** Told once whether a stream comes about, and how it ended where it did. */
interface Beginning {
  readonly begins: (is: boolean) => void
  readonly over: () => void
  readonly abandon: () => void
}

/** Keeps what is no stream from the client. */
function untilBegun(target: StreamSink, { begins, over, abandon }: Beginning): StreamSink {
  let isPassing = false
  return {
    head: (status, headers) => {
      isPassing = isOk({ status })
      if (!isPassing) return
      target.head(status, headers)
      begins(true)
    },
    data: (chunk) => !isPassing || target.data(chunk),
    end: () => {
      if (!isPassing) return begins(false)
      over()
      target.end()
    },
    fail: (error) => {
      if (!isPassing) return begins(false)
      abandon()
      target.fail(error)
    },
  }
}

const ABANDON_MS = 5_000
const MAX_ABANDON_BYTES = 64 * 1024

async function tell(line: Line, wire: WireRequest): Promise<void> {
  try {
    const limits = { timeoutMs: ABANDON_MS, maxBytes: MAX_ABANDON_BYTES }
    await line.transport.send(await line.authorize(wire), limits)
  } catch {
    // Nobody waits for it: the provider's job ends when it is done.
  }
}
