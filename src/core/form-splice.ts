import { baseName } from './client-form.ts'
import { GatewayError } from './failure.ts'
import { createFormScan, malformed } from './form-scan.ts'
import type { FormPiece } from './form-scan.ts'

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
}

/** Writes a form anew while it is read: bytes in any split → bytes. */
export interface FormWriter {
  /** @throws GatewayError bad_request for what is no form, or a name that must not come */
  push(chunk: Buffer): readonly Buffer[]
  /**
   * From here on changes only make the form shorter, so that its size can be told: what stands in the way is left
   * out, what is to be added comes last, and a gap is filled with line ends after the close, which readers ignore.
   * Given the client's size in bytes, answers the size of what is written.
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
  const part = (out: Buffer[], bytes: Buffer, name: string): void => {
    const base = baseName(name)
    isKept = !Object.hasOwn(edits.set, base) && !edits.remove.has(base)
    if (isKept) {
      if (edits.refuse.has(base)) throw refused(base)
      additions.settle(base)
      emit(out, bytes)
      return
    }
    const text = isSealed ? undefined : additions.inPlaceOf(name)
    if (text === undefined) return
    emit(out, bytes)
    emit(out, Buffer.from(text))
  }
  const write = (out: Buffer[], piece: FormPiece): void => {
    read += piece.bytes.length
    if (piece.kind === 'part') {
      part(out, piece.bytes, piece.part.name)
      return
    }
    if (piece.kind === 'close') {
      const added = additions.bytes()
      emit(out, added)
      // The close of a form without parts stands at its start, without a line end.
      if (added.length > 0 && piece.bytes[0] !== CR) emit(out, LINE_END)
    }
    if (isKept || piece.kind !== 'content') emit(out, piece.bytes)
  }
  return {
    push: (chunk) => {
      const out: Buffer[] = []
      for (const piece of scan.push(chunk)) write(out, piece)
      return out
    },
    seal: (sizeBytes) => {
      isSealed = true
      if (sizeBytes !== undefined) promised = sizeBytes - read + written + additions.bytes().length
      return promised
    },
    end: () => {
      scan.end()
      const gap = (promised ?? written) - written
      return gap > 0 ? [Buffer.alloc(gap, '\r\n')] : []
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
}

function createAdditions(boundary: string, edits: FormEdits): Additions {
  const set = new Map(Object.entries(edits.set))
  const defaults = new Map(Object.entries(edits.defaults))
  for (const name of set.keys()) defaults.delete(name)
  for (const texts of [...set.values(), ...defaults.values()]) checkTexts(boundary, texts)
  return {
    settle: (name) => void defaults.delete(name),
    inPlaceOf: (name) => {
      const texts = set.get(name)
      if (typeof texts !== 'string') return undefined
      set.delete(name)
      return texts
    },
    bytes: () =>
      Buffer.from([...set, ...defaults].map(([name, texts]) => partsOf(boundary, name, texts)).join('')),
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
