import { baseName } from './client-form.ts'
import { GatewayError } from './failure.ts'
import { createFormScan, malformed } from './form-scan.ts'
import type { FormPart, FormPiece } from './form-scan.ts'

/** The texts of a field: one, or a list of them, which becomes parts named `name[]`. */
export type FieldTexts = string | readonly string[]

/** What to change in a form. Names are meant without brackets. */
export interface FormEdits {
  /** Written over the first part of that name, or added; further parts of that name go. */
  readonly set: Readonly<Record<string, FieldTexts>>
  /** Added only where the form has no such part. */
  readonly defaults: Readonly<Record<string, FieldTexts>>
  readonly remove: ReadonlySet<string>
  /** Names that must not come; where one is to be removed as well, it is removed. */
  readonly refuse: ReadonlySet<string>
  /** How the content of a part that stays is written anew; undefined: as it came. With this no size can be told. */
  readonly content?: (part: FormPart) => ContentEdit | undefined
  /** Contents are only looked at, and pass as they came: then it can. */
  readonly keepsSize?: boolean
}

/** Writes the content of one part anew while it is read: bytes in any split → bytes. */
export interface ContentEdit {
  push(bytes: Buffer): readonly Buffer[]
  end(): readonly Buffer[]
}

/** Writes a form anew while it is read: bytes in any split → bytes. */
export interface FormWriter {
  /** @throws GatewayError bad_request for what is no form, or a name that must not come */
  push(chunk: Buffer): readonly Buffer[]
  /**
   * From here on changes only make the form shorter, so that its size can be told: what stands in the way is left
   * out, what is to be added comes last, and a gap is filled with line ends after the close, which readers ignore.
   * Given the client's size in bytes, answers the size of what is written, unless content is written anew.
   */
  seal(sizeBytes: number | undefined): number | undefined
  /** @throws GatewayError bad_request where the form is not closed */
  end(): readonly Buffer[]
}

/**
 * A writer that passes everything on byte by byte but for the edits.
 * @throws GatewayError bad_request where a text to be written holds the boundary
 */
export function createFormWriter(boundary: string, edits: FormEdits): FormWriter {
  const scan = createFormScan(boundary)
  const additions = createAdditions(boundary, edits)
  let isKept = true
  const contents = createContents(edits)
  let isSealed = false
  let read = 0
  let written = 0
  let promised: number | undefined
  const emit = (out: Buffer[], bytes: Buffer): void => {
    // A form whose first part is left out starts with the delimiter of the next, not with the line end before it.
    const own = written === 0 && bytes[0] === CR && bytes[1] === LF ? bytes.subarray(2) : bytes
    if (own.length === 0) return
    written += own.length
    out.push(own)
  }
  const begin = (out: Buffer[], bytes: Buffer, part: FormPart): void => {
    const base = baseName(part.name)
    isKept = !Object.hasOwn(edits.set, base) && !edits.remove.has(base)
    if (isKept) {
      if (edits.refuse.has(base)) throw refused(base)
      additions.settle(base)
      contents.begin(part)
    }
    const text = isKept || isSealed ? undefined : additions.inPlaceOf(part.name)
    if (isKept || text !== undefined) emit(out, bytes)
    if (text !== undefined) emit(out, Buffer.from(text))
  }
  const write = (out: Buffer[], piece: FormPiece): void => {
    read += piece.bytes.length
    if (piece.kind === 'content') {
      if (isKept) for (const bytes of contents.write(piece.bytes)) emit(out, bytes)
      return
    }
    for (const bytes of contents.end()) emit(out, bytes)
    if (piece.kind === 'part') begin(out, piece.bytes, piece.part)
    else {
      if (piece.kind === 'close') emit(out, additions.beforeClose(piece.bytes))
      emit(out, piece.bytes)
    }
  }
  return {
    push: (chunk) => {
      const out: Buffer[] = []
      for (const piece of scan.push(chunk)) write(out, piece)
      return out
    },
    seal: (sizeBytes) => {
      isSealed = true
      if (sizeBytes !== undefined && (edits.content === undefined || edits.keepsSize === true))
        promised = sizeBytes - read + written + additions.bytes().length
      return promised
    },
    end: () => {
      scan.end()
      const gap = (promised ?? written) - written
      return gap > 0 ? [Buffer.alloc(gap, '\r\n')] : []
    },
  }
}

/** The content of one part after the other, written anew where it is to be. */
function createContents({ content }: FormEdits) {
  let edit: ContentEdit | undefined
  return {
    begin: (part: FormPart): void => {
      edit = content?.(part)
    },
    write: (bytes: Buffer): readonly Buffer[] => edit?.push(bytes) ?? [bytes],
    end: (): readonly Buffer[] => {
      const last = edit?.end() ?? []
      edit = undefined
      return last
    },
  }
}

/** What is still to be added to a form. */
interface Additions {
  /** The form has a part of that name: no default is needed. */
  settle(name: string): void
  /** What to write as the content of the part named so; it is added no more. Undefined: the part goes. */
  inPlaceOf(name: string): string | undefined
  /** As parts, the first one with its line end before it. */
  bytes(): Buffer
  /** The same where this is what closes the form. */
  beforeClose(close: Buffer): Buffer
}

function createAdditions(boundary: string, edits: FormEdits): Additions {
  const set = new Map(Object.entries(edits.set))
  const defaults = new Map(Object.entries(edits.defaults))
  for (const name of set.keys()) defaults.delete(name)
  for (const texts of [...set.values(), ...defaults.values()]) checkTexts(boundary, texts)
  const bytes = (): Buffer =>
    Buffer.from([...set, ...defaults].map(([name, texts]) => partsOf(boundary, name, texts)).join(''))
  return {
    settle: (name) => void defaults.delete(name),
    inPlaceOf: (name) => {
      const texts = set.get(name)
      if (typeof texts !== 'string') return undefined
      set.delete(name)
      return texts
    },
    bytes,
    beforeClose: (close) => {
      const added = bytes()
      // The close of a form without parts stands at its start, without a line end.
      return added.length > 0 && close[0] !== CR ? Buffer.concat([added, LINE_END]) : added
    },
  }
}

const LINE_END = Buffer.from('\r\n')
const CR = 0x0d
const LF = 0x0a

function partsOf(boundary: string, name: string, texts: FieldTexts): string {
  if (typeof texts !== 'string') return texts.map((text) => partsOf(boundary, `${name}[]`, text)).join('')
  const head = `\r\n--${boundary}\r\ncontent-disposition: form-data; name="${escapedName(name)}"\r\n\r\n`
  return head + texts
}

/** As browsers do (HTML standard, multipart/form-data encoding algorithm). */
export function escapedName(name: string): string {
  return name.replaceAll('"', '%22').replaceAll('\r', '%0D').replaceAll('\n', '%0A')
}

function checkTexts(boundary: string, texts: FieldTexts): void {
  const all = typeof texts === 'string' ? [texts] : texts
  if (all.some((text) => text.includes(`--${boundary}`)))
    throw malformed('its boundary is no good: it occurs in the model or in a default of the deployment')
}

/** Why a name is not taken that says where a request goes. */
export function refused(name: string): GatewayError {
  const message = `'${name}' cannot be set by a client: this deployment's own connection is used. Remove it.`
  return new GatewayError('bad_request', message, { status: 400, source: 'client', param: name })
}
