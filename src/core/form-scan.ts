import { GatewayError } from './failure.ts'

/** What a part's headers say of it. */
export interface FormPart {
  readonly name: string
  /** It has a file name. */
  readonly isFile: boolean
  /** Absent where there is none, or only one in the extended notation. */
  readonly fileName?: string
  readonly contentType?: string
}

/** A piece of a form. The bytes of all pieces, one after the other, are the form. */
export type FormPiece =
  /** Before the first delimiter or after the closing one: what readers of forms ignore. */
  | { readonly kind: 'outside'; readonly bytes: Buffer }
  /** A delimiter with the line end before it, and the headers to the blank line. */
  | { readonly kind: 'part'; readonly bytes: Buffer; readonly part: FormPart }
  /** Of the latest part. */
  | { readonly kind: 'content'; readonly bytes: Buffer }
  /** The closing delimiter with the line end before it. */
  | { readonly kind: 'close'; readonly bytes: Buffer }

/** A push parser: bytes of `multipart/form-data` in any split → pieces. */
export interface FormScan {
  /** @throws GatewayError bad_request (400, the client's doing) for what is no form */
  push(bytes: Buffer): readonly FormPiece[]
  /** @throws GatewayError bad_request where the form is not closed */
  end(): void
}

const CR = 0x0d
const LF = 0x0a
const DASH = 0x2d
const SPACE = 0x20
const TAB = 0x09
const LINE_END = Buffer.from('\r\n')
const BLANK_LINE = Buffer.from('\r\n\r\n')
const NOTHING = Buffer.alloc(0)
/** More than any of these APIs has fields and files. */
const MAX_PARTS = 1000
/** The headers of one part. */
const MAX_HEAD_BYTES = 8 * 1024

/**
 * Finds the parts of a form (RFC 7578, RFC 2046 §5.1.1). Content is searched natively and handed on as it came, never
 * copied but where a delimiter may be split. What two readers could read differently is refused: whoever the form is
 * passed on to must see the parts that we see.
 */
export function createFormScan(boundary: string): FormScan {
  const mark = Buffer.from(`--${boundary}`, 'latin1')
  const markEnd = LINE_END.length + mark.length
  let phase: 'outside' | 'content' | 'head' | 'closed' = 'outside'
  // The first delimiter may stand at the very start: a line end is thought before it, and left out again.
  let kept: Buffer = LINE_END
  let isThought = true
  let parts = 0
  const real = (bytes: Buffer): Buffer => {
    if (!isThought) return bytes
    isThought = false
    return bytes.subarray(LINE_END.length)
  }
  /** Takes one piece from the front of `bytes`; undefined: more is needed. */
  const next = (bytes: Buffer): { readonly size: number; readonly piece?: FormPiece } | undefined => {
    if (phase === 'closed') return { size: bytes.length, piece: { kind: 'outside', bytes } }
    if (phase !== 'head') {
      const at = delimiterIn(bytes, mark)
      const size = at === -1 ? tailStart(bytes, mark) : at
      if (size === 0 && at === -1) return undefined
      const kind = phase
      if (at !== -1) phase = 'head'
      return size === 0 ? { size } : { size, piece: { kind, bytes: real(bytes.subarray(0, size)) } }
    }
    if (bytes.length < markEnd + 2) return undefined
    if (bytes[markEnd] === DASH && bytes[markEnd + 1] === DASH) {
      phase = 'closed'
      const size = markEnd + 2
      return { size, piece: { kind: 'close', bytes: real(bytes.subarray(0, size)) } }
    }
    const head = headOf(bytes, markEnd)
    if (head === undefined) return undefined
    parts += 1
    if (parts > MAX_PARTS) throw malformed(`it has more than ${MAX_PARTS} parts`)
    phase = 'content'
    const { size, part } = head
    return { size, piece: { kind: 'part', bytes: real(bytes.subarray(0, size)), part } }
  }
  return {
    push: (chunk) => {
      const pieces: FormPiece[] = []
      let bytes = kept.length === 0 ? chunk : Buffer.concat([kept, chunk])
      kept = NOTHING
      while (bytes.length > 0) {
        const found = next(bytes)
        if (found === undefined) {
          kept = bytes
          break
        }
        if (found.piece !== undefined && found.piece.bytes.length > 0) pieces.push(found.piece)
        bytes = bytes.subarray(found.size)
      }
      return pieces
    },
    end: () => {
      if (phase !== 'closed') throw malformed(`it does not end with its closing boundary "--${boundary}--"`)
    },
  }
}

/** A 400 of the client's making. */
export function malformed(what: string): GatewayError {
  const message = `Invalid multipart form: ${what}.`
  return new GatewayError('bad_request', message, { status: 400, source: 'client', param: 'request_body' })
}

/**
 * Where the next delimiter starts, with its line end; -1 where there is none. Some readers also take one after half a
 * line end.
 */
function delimiterIn(bytes: Buffer, mark: Buffer): number {
  for (let at = bytes.indexOf(mark); at !== -1; at = bytes.indexOf(mark, at + 1)) {
    const before = bytes[at - 1]
    if (before === LF && bytes[at - 2] === CR) return at - 2
    if (before === LF || before === CR)
      throw malformed('a boundary stands after half a line end; lines end with CR LF')
  }
  return -1
}

/** Where the end of `bytes` may be the start of a delimiter. A boundary holds no line end, so only the last one can. */
function tailStart(bytes: Buffer, mark: Buffer): number {
  const from = Math.max(0, bytes.length - mark.length)
  const tail = bytes.subarray(from)
  const at = from + Math.max(tail.lastIndexOf(CR), tail.lastIndexOf(LF))
  if (at < from) return bytes.length
  const begun = bytes.subarray(at + 1)
  if (!mark.subarray(0, begun.length).equals(begun)) return bytes.length
  return bytes[at] === LF && bytes[at - 1] === CR ? at - 1 : at
}

/** A delimiter's line and the headers after it; undefined where they are not all there. */
function headOf(
  bytes: Buffer,
  delimiterEnd: number,
): { readonly size: number; readonly part: FormPart } | undefined {
  let at = delimiterEnd
  while (bytes[at] === SPACE || bytes[at] === TAB) at += 1
  const isLineEnd =
    (at >= bytes.length || bytes[at] === CR) && (at + 1 >= bytes.length || bytes[at + 1] === LF)
  if (!isLineEnd) throw malformed('a line starts with its boundary and goes on with something else')
  const end = bytes.indexOf(BLANK_LINE, at)
  if (end - delimiterEnd > MAX_HEAD_BYTES || (end === -1 && bytes.length - delimiterEnd > MAX_HEAD_BYTES))
    throw malformed(`the headers of a part are longer than ${MAX_HEAD_BYTES} bytes`)
  if (end === -1) return undefined
  const size = end + BLANK_LINE.length
  return { size, part: partOf(end === at ? '' : bytes.toString('utf8', at + LINE_END.length, end)) }
}

/** One line; readers disagree about what is folded over several, and about bare line feeds. */
const HEADER_LINE = /^[!#$%&'*+.^_`|~\w-]+[ \t]*:[^\r\n\0]*$/
const CONTENT_TYPE = /^content-type[ \t]*:[ \t]*(.*?)[ \t]*$/i
const DISPOSITION = /^content-disposition[ \t]*:[ \t]*form-data[ \t]*(?=;|$)/i
/** One parameter, quoted or not (RFC 6266 §4.1). */
const PARAMETER = /[ \t]*;[ \t]*([^\s=;"]+)[ \t]*=[ \t]*(?:"((?:[^"\\]|\\.)*)"|([^\s;"]*))[ \t]*/y

function partOf(head: string): FormPart {
  const lines = head.split('\r\n')
  if (!lines.every((line) => HEADER_LINE.test(line))) throw malformed('a part has a line that is no header')
  const dispositions = lines.filter((line) => /^content-disposition[ \t]*:/i.test(line))
  const [only = ''] = dispositions
  const start = DISPOSITION.exec(only)
  if (dispositions.length !== 1 || start === null)
    throw malformed('each part needs one "Content-Disposition: form-data; name=…" header')
  const parameters = parametersOf(only, start[0].length)
  const name = parameters.get('name')
  if (name === undefined || name.includes('\\') || parameters.has('name*'))
    throw malformed('a part has no plain name')
  const fileName = parameters.get('filename')
  const contentType = lines.map((line) => CONTENT_TYPE.exec(line)?.[1]).find((type) => type !== undefined)
  return {
    name,
    isFile: fileName !== undefined || parameters.has('filename*'),
    ...(fileName !== undefined && { fileName }),
    ...(contentType !== undefined && { contentType }),
  }
}

function parametersOf(line: string, start: number): ReadonlyMap<string, string> {
  const found = new Map<string, string>()
  const pattern = new RegExp(PARAMETER)
  let at = start
  while (at < line.length) {
    pattern.lastIndex = at
    const match = pattern.exec(line)
    const key = match?.[1]?.toLowerCase()
    if (match === null || key === undefined || found.has(key)) {
      // A lone semicolon at the end is common, and says nothing.
      if (match === null && /^[ \t]*;[ \t]*$/.test(line.slice(at))) break
      throw malformed('the Content-Disposition of a part cannot be read')
    }
    found.set(key, match[2] ?? match[3] ?? '')
    at = pattern.lastIndex
  }
  return found
}
