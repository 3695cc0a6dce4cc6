import { GatewayError } from '../../core/failure.ts'
import type { ContentEdit } from '../../core/form-splice.ts'
import { memberValue, scanObject } from '../../core/json-spans.ts'
import type { Member } from '../../core/json-spans.ts'

/** What to do with the lines of a file that is, or may be, a batch's. */
export interface BatchLines {
  /** The provider's name of a model that a line names; undefined: the line stays as it is. */
  readonly rename: (model: string) => string | undefined
  /** False where nothing says yet what the file is for: its first line then tells. */
  readonly isSurelyBatch: boolean
}

/** Longer ones cannot be held: OpenAI takes 200 MB of up to 50,000 requests, images in them included. */
export const MAX_LINE_BYTES = 8 * 1024 * 1024

const LINE_END = 0x0a
const OPEN_BRACE = 0x7b

/** A line that has begun and not ended. */
interface Begun {
  /** `blank` until a visible byte comes; one that opens no object is no request and passes as it comes. */
  kind: 'blank' | 'object' | 'other'
  pieces: Buffer[]
  bytes: number
}

/**
 * Writes the models that a batch's requests name over with the provider's own, line by line, while the file passes.
 * All other bytes stay as they came. Its `push` throws a GatewayError (413) naming a line that is too long to be held.
 */
export function createBatchLines({ rename, isSurelyBatch }: BatchLines): ContentEdit {
  let isOn = true
  let isKnown = isSurelyBatch
  let line = 1
  /** Is what comes out of this chunk other than what went into it? */
  let isChanged = false
  const begun: Begun = { kind: 'blank', pieces: [], bytes: 0 }

  const write = (out: Buffer[], bytes: Buffer): void => {
    const request = requestIn(bytes)
    if (!isKnown) isOn = isKnown = request !== undefined
    if (request === undefined || !isOn) out.push(bytes)
    else if (writeRenamed(out, bytes, request, rename)) isChanged = true
  }
  const flush = (out: Buffer[]): void => {
    const [first] = begun.pieces
    const whole = begun.pieces.length === 1 && first !== undefined ? first : Buffer.concat(begun.pieces)
    if (begun.kind === 'object') write(out, whole)
    else out.push(whole)
    begun.pieces = []
    begun.bytes = 0
  }
  /** Takes what there is of one line, which may be all. */
  const take = (out: Buffer[], piece: Buffer): void => {
    if (begun.kind === 'blank') begun.kind = kindOf(piece, line)
    begun.pieces.push(piece)
    begun.bytes += piece.length
    if (begun.kind !== 'other' && begun.bytes > MAX_LINE_BYTES) {
      if (isKnown) throw tooLong(line)
      begun.kind = 'other'
    }
    if (begun.kind !== 'other') return
    isOn &&= isKnown
    flush(out)
  }
  const push = (chunk: Buffer): readonly Buffer[] => {
    const out: Buffer[] = []
    isChanged = begun.bytes > 0
    for (let start = 0; start < chunk.length;) {
      if (!isOn) {
        out.push(chunk.subarray(start))
        break
      }
      const end = chunk.indexOf(LINE_END, start) + 1
      take(out, end === 0 ? chunk.subarray(start) : chunk.subarray(start, end))
      if (end === 0) break
      if (begun.bytes > 0) flush(out)
      begun.kind = 'blank'
      line += 1
      start = end
    }
    if (!isChanged && begun.bytes === 0) return [chunk]
    // One piece again: each costs a write of its own.
    return out.length > 1 ? [Buffer.concat(out)] : out
  }
  return {
    push: (chunk) => (isOn ? push(chunk) : [chunk]),
    end: () => {
      const out: Buffer[] = []
      if (begun.bytes > 0) flush(out)
      return out
    },
  }
}

/** Some editors put a byte order mark before the first line; it may come in pieces. */
const MARK: ReadonlySet<number> = new Set([0xef, 0xbb, 0xbf])

function kindOf(piece: Buffer, line: number): Begun['kind'] {
  for (const byte of piece) {
    const isBlank = byte === 0x20 || byte === 0x09 || byte === 0x0d || byte === LINE_END
    if (!isBlank && !(line === 1 && MARK.has(byte))) return byte === OPEN_BRACE ? 'object' : 'other'
  }
  return 'blank'
}

/** The body of a batch's request; undefined where the line is none. */
function requestIn(line: Buffer): Member | undefined {
  const spans = orUndefined(() => scanObject(line))
  if (spans === undefined || !spans.members.some(({ key }) => key === 'custom_id')) return undefined
  const body = spans.members.findLast(({ key }) => key === 'body')
  return body !== undefined && line[body.valueStart] === OPEN_BRACE ? body : undefined
}

/** The model that a batch's request names; undefined where the line is no request, or names none. */
export function modelIn(line: Buffer): string | undefined {
  const request = requestIn(line)
  const body = request && line.subarray(request.valueStart, request.valueEnd)
  const model = body && orUndefined(() => memberValue(body, scanObject(body), 'model'))
  return typeof model === 'string' ? model : undefined
}

/** False where the line stays as it is. In pieces, none of them a copy. */
function writeRenamed(out: Buffer[], line: Buffer, request: Member, rename: BatchLines['rename']): boolean {
  const body = line.subarray(request.valueStart, request.valueEnd)
  const spans = orUndefined(() => scanObject(body))
  const model = spans && orUndefined(() => memberValue(body, spans, 'model'))
  const name = typeof model === 'string' ? rename(model) : undefined
  if (spans === undefined || name === undefined || name === model) {
    out.push(line)
    return false
  }
  const text = Buffer.from(JSON.stringify(name))
  let copied = 0
  for (const { key, valueStart, valueEnd } of spans.members) {
    if (key !== 'model') continue
    out.push(line.subarray(copied, request.valueStart + valueStart), text)
    copied = request.valueStart + valueEnd
  }
  out.push(line.subarray(copied))
  return true
}

/** What cannot be read is for the provider to judge. */
function orUndefined<Value>(read: () => Value): Value | undefined {
  try {
    return read()
  } catch (error) {
    if (error instanceof GatewayError) return undefined
    throw error
  }
}

function tooLong(line: number): GatewayError {
  const message =
    `/files: line ${line} of the batch is longer than ${MAX_LINE_BYTES} bytes, and the model that it names cannot be ` +
    'written over: name models as the provider does, or make the line shorter.'
  return new GatewayError('bad_request', message, { status: 413, source: 'client', param: 'file' })
}
