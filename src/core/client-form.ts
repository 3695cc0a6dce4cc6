import { malformed } from './form-scan.ts'
import type { FormPiece } from './form-scan.ts'

/** A client's form, as far as it was read before anybody was asked. */
export interface ClientForm {
  readonly contentType: string
  readonly boundary: string
  /** Everything read so far; without a `rest` the whole form. */
  readonly held: Buffer
  /** The fields and files that begin in `held`, in order. */
  readonly fields: readonly FormField[]
  /** Of the whole form, in bytes; absent where the client does not say. */
  readonly sizeBytes?: number
  readonly rest?: FormRest
}

/** A field or file of a form. */
export interface FormField {
  readonly name: string
  /** Absent for a file, and for a text that is very long or not read to its end. */
  readonly text?: string
}

/** What is still to come of a form. It can be had once. */
export interface FormRest {
  /** Was any of it asked for? Then the form cannot be sent a second time. */
  isTaken(): boolean
  take(sink: RestSink): { resume(): void; stop(): void }
}

/** Receives the rest; exactly one of `end` and `fail` is called, last, unless it is stopped. */
export interface RestSink {
  /** False asks for a pause. */
  data(chunk: Buffer): boolean
  end(): void
  /** The client went away, or sends more than it may. */
  fail(error: Error): void
}

/** Collects the fields of a form from its pieces. */
export interface FieldCollector {
  take(piece: FormPiece): void
  fields(): readonly FormField[]
}

/** No field that a gateway reads is longer. */
const MAX_TEXT_BYTES = 64 * 1024

/** Starts with no field. */
export function createFieldCollector(): FieldCollector {
  const fields: FormField[] = []
  let name: string | undefined
  let texts: Buffer[] = []
  let bytes = 0
  const finish = (): void => {
    if (name === undefined) return
    fields.push(bytes > MAX_TEXT_BYTES ? { name } : { name, text: Buffer.concat(texts).toString('utf8') })
    name = undefined
    texts = []
    bytes = 0
  }
  return {
    take: (piece) => {
      if (piece.kind === 'content') {
        if (name === undefined) return
        bytes += piece.bytes.length
        if (bytes <= MAX_TEXT_BYTES) texts.push(piece.bytes)
        return
      }
      finish()
      if (piece.kind !== 'part') return
      if (piece.part.isFile) fields.push({ name: piece.part.name })
      else name = piece.part.name
    },
    fields: () => (name === undefined ? fields : [...fields, { name }]),
  }
}

/** `timestamp_granularities` of `timestamp_granularities[]`: clients write lists and objects with brackets. */
export function baseName(name: string): string {
  const bracket = name.indexOf('[')
  return bracket <= 0 ? name : name.slice(0, bracket)
}

/** RFC 2046 §5.1.1 allows 70 characters; some clients use a few more. */
const BOUNDARY = /;[ \t]*boundary[ \t]*=[ \t]*(?:"([^"\\]{1,200})"|([^\s;"]{1,200}))[ \t]*(?:;|$)/i

/** True for the content type of a form, with or without a boundary. */
export function isFormType(contentType: string): boolean {
  return /^multipart\/form-data[ \t]*(?:;|$)/i.test(contentType)
}

/**
 * The boundary that a form's content type names.
 * @throws GatewayError bad_request where it names none
 */
export function boundaryOf(contentType: string): string {
  const match = BOUNDARY.exec(contentType)
  const boundary = match?.[1] ?? match?.[2]
  const isOne = contentType.match(/boundary[ \t]*=/gi)?.length === 1
  if (boundary !== undefined && isOne) return boundary
  throw malformed('the Content-Type names no boundary, or two; let the HTTP client write that header itself')
}
