import { GatewayError } from '../../core/failure.ts'
import { isJsonObject, parseJson } from '../../core/json.ts'
import { createFrameParser, type Frame } from '../../transport/event-stream.ts'
import { textOf } from '../answer.ts'
import type { FrameReader } from '../surface-face.ts'
import { eventOf } from './converse-stream.ts'

/**
 * Anthropic's events out of InvokeModelWithResponseStream's frames, as Anthropic itself streams them
 * (https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_InvokeModelWithResponseStream.html,
 * https://platform.claude.com/docs/en/build-with-claude/streaming). Their JSON is not read: it passes as the model's server
 * wrote it, with what Bedrock adds to the last event (`amazon-bedrock-invocationMetrics`).
 */
export function openMessageFrames(): FrameReader {
  const parser = createFrameParser()
  let hasBegun = false
  /** What a frame means that came behind others at once: they are passed on first. */
  let broken: unknown
  const written = (frames: readonly Frame[]): Buffer => {
    const pieces: Buffer[] = []
    for (const frame of frames) {
      try {
        writeEvent(frame, pieces)
      } catch (error) {
        // As long as nothing was passed on, another deployment can be asked.
        if (!hasBegun || pieces.length === 0) throw error
        broken = error
        break
      }
    }
    hasBegun ||= pieces.length > 0
    const [only] = pieces
    return pieces.length === 1 && only !== undefined ? only : Buffer.concat(pieces)
  }
  return {
    push: (bytes) => (broken === undefined ? written(parser.push(bytes)) : fail(broken)),
    end: () => (broken === undefined ? parser.end() : fail(broken)),
  }
}

function fail(error: unknown): never {
  throw error
}

/** Adds a frame's event to the pieces of a stream. */
function writeEvent(frame: Frame, pieces: Buffer[]): void {
  const text = base64In(frame)
  // In one piece of memory: what is decoded, and room for what is written before and behind it.
  const room = Buffer.allocUnsafe(HEAD_BYTES + Buffer.byteLength(text, 'base64') + 2)
  const end = HEAD_BYTES + room.write(text, HEAD_BYTES, 'base64')
  const json = room.subarray(HEAD_BYTES, end)
  const type = TYPE_FIRST.exec(json.toString('latin1', 0, TYPE_BYTES))?.[1]
  if (type === undefined || json.includes(LINE_FEED) || json.includes(CARRIAGE_RETURN)) {
    pieces.push(rewritten(json))
    return
  }
  const head = `event: ${type}\ndata: `
  room.write(head, HEAD_BYTES - head.length, 'latin1')
  room.write('\n\n', end, 'latin1')
  pieces.push(room.subarray(HEAD_BYTES - head.length, end + 2))
}

/** Anthropic's own servers name the type first. */
const TYPE_FIRST = /^\{"type":"(\w+)"/
const TYPE_BYTES = 48
/** Room for the longest name that is looked for. */
const HEAD_BYTES = 64
const LINE_FEED = 0x0a
const CARRIAGE_RETURN = 0x0d

/** An event whose type stands elsewhere, or that is no one line, which data must be. */
function rewritten(json: Buffer): Buffer {
  const event = parseJson(json.toString())
  const type = isJsonObject(event) ? textOf(event['type']) : undefined
  if (type === undefined || !/^\w+$/.test(type)) throw noEvent()
  return Buffer.from(`event: ${type}\ndata: ${JSON.stringify(event)}\n\n`)
}

const BYTES = '"bytes":"'
const QUOTE = 0x22

/** What a frame holds, `{"bytes":"…","p":"…"}`, without a parse where it can be: base64 has nothing to escape. */
function base64In(frame: Frame): string {
  const { headers, payload } = frame
  const start = headers[':message-type'] === 'event' ? payload.indexOf(BYTES) + BYTES.length : 0
  const end = payload.indexOf(QUOTE, start)
  const text = start > BYTES.length && end !== -1 ? payload.toString('latin1', start, end) : undefined
  const whole = text?.includes('\\') === false ? text : textOf(eventOf(frame).event['bytes'])
  if (whole === undefined) throw noEvent()
  return whole
}

function noEvent(): GatewayError {
  return new GatewayError('wrong_shape', 'the stream holds a chunk that is none of its events')
}
