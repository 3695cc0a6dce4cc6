import { GatewayError } from '../../core/failure.ts'
import { scanObject, spliceBody } from '../../core/json-spans.ts'
import type { Redact } from '../../core/secret.ts'
import { isPlain } from './event-watch.ts'

/** Lets an event stream through line by line, so that what follows a broken line is still an event. */
export interface EventGate {
  /** The whole lines that are ready; undefined where none is complete. */
  push(chunk: Buffer): Buffer | undefined
  /** What is left after the last line end of a stream that ended well. */
  rest(): Buffer | undefined
}

/** What may be done to the lines that pass. */
export interface EventGateOptions {
  /** Error events are the one place where a provider may echo a credential. */
  readonly redact: Redact
  /** Written over `model` in every event. */
  readonly model?: string
  /** Shown whole lines as they pass, and whether they are plain. */
  readonly see: (lines: Buffer, isPlain: boolean) => void
  /** What lines that are not plain have in them; default: as OpenAI's. */
  readonly telling?: RegExp
}

/** A longer line passes in pieces: it is held for tidiness, never at any cost. */
const MAX_HELD_BYTES = 1024 * 1024
const LINE_END = 0x0a
const CARRIAGE_RETURN = 0x0d
const ERROR_KEY = Buffer.from('"error"')
const DATA = Buffer.from('data:')

/** Opens a gate. */
export function createEventGate({ redact, model, see, telling }: EventGateOptions): EventGate {
  let held: Buffer[] = []
  let heldBytes = 0
  const pass = (lines: Buffer): Buffer => {
    const named = model === undefined ? lines : renameModel(lines, JSON.stringify(model))
    const plain = isPlain(named, telling)
    see(named, plain)
    if (plain || !named.includes(ERROR_KEY)) return named
    const text = named.toString()
    const safe = redact(text)
    return safe === text ? named : Buffer.from(safe)
  }
  const release = (last?: Buffer): Buffer => {
    const whole =
      last === undefined ? Buffer.concat(held) : held.length === 0 ? last : Buffer.concat([...held, last])
    held = []
    heldBytes = 0
    return pass(whole)
  }
  return {
    push: (arrived) => {
      const lastEnd = arrived.lastIndexOf(LINE_END) + 1
      const isOfReturns = lastEnd === 0 && endsLines(arrived)
      const chunk = isOfReturns ? withLineFeeds(arrived) : arrived
      const end = isOfReturns ? chunk.lastIndexOf(LINE_END) + 1 : lastEnd
      const ready = end === 0 ? undefined : release(end === chunk.length ? chunk : chunk.subarray(0, end))
      if (end < chunk.length) {
        held.push(chunk.subarray(end))
        heldBytes += chunk.length - end
      }
      if (heldBytes <= MAX_HELD_BYTES) return ready
      return ready === undefined ? release() : Buffer.concat([ready, release()])
    },
    rest: () => (heldBytes === 0 ? undefined : release()),
  }
}

/**
 * Of bytes without a line feed: does a carriage return end lines in them (WHATWG HTML §9.2.6)? At their very end it may
 * be the first half of a CRLF.
 */
function endsLines(bytes: Buffer): boolean {
  const at = bytes.indexOf(CARRIAGE_RETURN)
  return at !== -1 && at < bytes.length - 1
}

/** A copy: nobody who reads these events tells the two apart, and everybody who watches them looks for line feeds. */
function withLineFeeds(bytes: Buffer): Buffer {
  return Buffer.from(bytes.toString('latin1').replaceAll('\r', '\n'), 'latin1')
}

/** Every `data: {…}` line with `model` replaced; lines that are no JSON object pass as they are. */
function renameModel(lines: Buffer, model: string): Buffer {
  const pieces: Buffer[] = []
  for (let start = 0; start < lines.length;) {
    const lineEnd = lines.indexOf(LINE_END, start)
    const end = lineEnd === -1 ? lines.length : lineEnd + 1
    const line = lines.subarray(start, end)
    pieces.push(line.subarray(0, DATA.length).equals(DATA) ? renameInLine(line, model) : line)
    start = end
  }
  return Buffer.concat(pieces)
}

function renameInLine(line: Buffer, model: string): Buffer {
  const json = line.subarray(DATA.length)
  try {
    const spans = scanObject(json)
    if (!spans.members.some((member) => member.key === 'model')) return line
    return Buffer.concat([
      Buffer.from('data: '),
      spliceBody(json, spans, { set: { model } }),
      Buffer.from('\n'),
    ])
  } catch (error) {
    // `data: [DONE]` and whatever else is no object is not ours to judge.
    if (error instanceof GatewayError) return line
    throw error
  }
}
