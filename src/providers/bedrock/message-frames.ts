import { GatewayError } from '../../core/failure.ts'
import { isJsonObject } from '../../core/json.ts'
import { createFrameParser, type Frame } from '../../transport/event-stream.ts'
import { textOf } from '../answer.ts'
import { parseJson } from '../error-facts.ts'
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
    return Buffer.concat(pieces)
  }
  return {
    push: (bytes) => (broken === undefined ? written(parser.push(bytes)) : fail(broken)),
    end: () => (broken === undefined ? parser.end() : fail(broken)),
  }
}

function fail(error: unknown): never {
  throw error
}

const BYTES = '"bytes":"'
const QUOTE = 0x22
const BACKSLASH = 0x5c
const LINE_END = Buffer.from('\n\n')
/** Anthropic's own servers name the type first. */
const TYPE_FIRST = /^\{"type":"(\w+)"/
const TYPE_BYTES = 48

/** Adds a frame's event to the pieces of a stream. */
function writeEvent(frame: Frame, pieces: Buffer[]): void {
  const json = flat(bytesIn(frame))
  const type = TYPE_FIRST.exec(json.toString('latin1', 0, TYPE_BYTES))?.[1] ?? typeIn(json)
  pieces.push(Buffer.from(`event: ${type}\ndata: `), json, LINE_END)
}

/** What stands in base64 in a frame: `{"bytes":"…","p":"…"}`, of which only that is read. */
function bytesIn(frame: Frame): Buffer {
  const { headers, payload } = frame
  const start = headers[':message-type'] === 'event' ? payload.indexOf(BYTES) + BYTES.length : 0
  const end = payload.indexOf(QUOTE, start)
  const isPlain = start > BYTES.length && end !== -1 && !payload.subarray(start, end).includes(BACKSLASH)
  const text = isPlain ? payload.toString('latin1', start, end) : textOf(eventOf(frame).event['bytes'])
  if (text === undefined) throw noEvent()
  return Buffer.from(text, 'base64')
}

/** An event's data is one line. */
function flat(json: Buffer): Buffer {
  if (!json.includes('\n') && !json.includes('\r')) return json
  const event = parseJson(json.toString())
  if (!isJsonObject(event)) throw noEvent()
  return Buffer.from(JSON.stringify(event))
}

function typeIn(json: Buffer): string {
  const event = parseJson(json.toString())
  const type = isJsonObject(event) ? textOf(event['type']) : undefined
  if (type === undefined || !/^\w+$/.test(type)) throw noEvent()
  return type
}

function noEvent(): GatewayError {
  return new GatewayError('wrong_shape', 'the stream holds a chunk that is none of its events')
}
