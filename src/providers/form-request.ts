import { Readable } from 'node:stream'
import type { ClientForm, FormRest } from '../core/client-form.ts'
import { asGatewayError } from '../core/failure.ts'
import { createFormWriter } from '../core/form-splice.ts'
import type { FieldTexts, FormEdits, FormWriter } from '../core/form-splice.ts'
import type { Json } from '../core/json.ts'
import { scanObject } from '../core/json-spans.ts'
import type { BodyEdits, JsonSpans } from '../core/json-spans.ts'
import type { WireRequest } from '../transport/wire.ts'

/** A client's form as it is relayed. */
export interface RelayedForm {
  readonly form: ClientForm
  /** Its fields as a JSON object, as the client sent them. */
  readonly fields: Buffer
  /** Names that are never passed on, wherever in the form they come. */
  readonly removed: ReadonlySet<string>
  /** Names that are refused where they come too late to be looked at. */
  readonly refused: ReadonlySet<string>
  /** How parts of it are written anew. */
  readonly content?: FormEdits['content']
  readonly keepsSize?: boolean
}

/** The fields of a form as a JSON object, after what was done to them, and what is still to be done. */
export interface FieldEdits {
  readonly body: Buffer
  readonly spans: JsonSpans
  readonly edits: BodyEdits
}

/**
 * A POST that passes a form on: whole where all of it was read, else streamed, with the size told beforehand where the
 * client told it.
 * @throws GatewayError bad_request, the client's doing
 */
export function formRequest(url: string, accept: string, relayed: RelayedForm, own: FieldEdits): WireRequest {
  const { form } = relayed
  const { boundary, held, rest } = form
  const edits = formEdits(relayed, own)
  const headers = { accept, 'content-type': form.contentType }
  const writer = createFormWriter(boundary, edits)
  if (rest === undefined)
    return { method: 'POST', url, headers, body: Buffer.concat([...writer.push(held), ...writer.end()]) }
  // Without a size to be told, what is held is read only when it is sent.
  if (edits.content === undefined || edits.keepsSize === true) writer.push(held)
  const size = writer.seal(form.sizeBytes)
  return {
    method: 'POST',
    url,
    headers: size === undefined ? headers : { ...headers, 'content-length': String(size) },
    streamed: {
      canOpen: () => !rest.isTaken(),
      open: () =>
        openForm(form, rest, createFormWriter(boundary, edits), edits.content ? SLICE_BYTES : held.length),
    },
  }
}

/** Edits of JSON members as edits of parts. */
function formEdits(
  { fields, removed, refused, content, keepsSize }: RelayedForm,
  { body, spans, edits }: FieldEdits,
): FormEdits {
  const before = body === fields ? undefined : textsOf(fields, scanObject(fields))
  const after = textsOf(body, spans)
  const changed = before === undefined ? [] : [...after].filter(([key, text]) => before.get(key) !== text)
  const gone = before === undefined ? [] : [...before.keys()].filter((key) => !after.has(key))
  return {
    set: { ...fieldTexts(Object.fromEntries(changed)), ...fieldTexts(edits.set ?? {}) },
    defaults: fieldTexts(edits.defaults ?? {}),
    remove: new Set([...removed, ...gone, ...(edits.remove ?? [])]),
    refuse: refused,
    ...(content !== undefined && { content }),
    ...(keepsSize !== undefined && { keepsSize }),
  }
}

function textsOf(body: Buffer, { members }: JsonSpans): ReadonlyMap<string, string> {
  return new Map(
    members.map(({ key, valueStart, valueEnd }) => [key, body.toString('utf8', valueStart, valueEnd)]),
  )
}

/** JSON texts as what a form says: no null, lists as several parts, text without its quotes. */
function fieldTexts(texts: Readonly<Record<string, string>>): Readonly<Record<string, FieldTexts>> {
  const found: Record<string, FieldTexts> = {}
  for (const [name, text] of Object.entries(texts)) {
    const value: Json = JSON.parse(text)
    if (value !== null) found[name] = Array.isArray(value) ? value.map(fieldText) : fieldText(value)
  }
  return found
}

function fieldText(value: Json): string {
  return typeof value === 'string' ? value : JSON.stringify(value)
}

/** Writing content anew takes time by its size: others have their turn in between. */
const SLICE_BYTES = 256 * 1024

/** What was read is sent first, in slices; only when that is on its way anything more is taken from the client. */
function openForm(
  { held, sizeBytes }: ClientForm,
  rest: FormRest,
  writer: FormWriter,
  sliceBytes: number,
): Readable {
  let sent = 0
  let flow: ReturnType<FormRest['take']> | undefined
  const out = new Readable({
    read: () =>
      guarded(() => {
        while (sent < held.length) {
          const slice = held.subarray(sent, sent + sliceBytes)
          sent += slice.length
          const pieces = writer.push(slice)
          if (sent === held.length) writer.seal(sizeBytes)
          for (const piece of pieces) out.push(piece)
          if (pieces.length > 0) return
        }
        flow?.resume()
        flow ??= rest.take(sink)
      }),
    destroy: (error, done) => {
      flow?.stop()
      done(error)
    },
  })
  const guarded = (run: () => void): void => {
    try {
      run()
    } catch (error) {
      out.destroy(asGatewayError(error))
    }
  }
  const sink = {
    data: (chunk: Buffer): boolean => {
      let wantsMore = true
      guarded(() => {
        for (const piece of writer.push(chunk)) wantsMore = out.push(piece)
      })
      return wantsMore
    },
    end: (): void =>
      guarded(() => {
        for (const piece of writer.end()) out.push(piece)
        out.push(null)
      }),
    fail: (error: Error): void => void out.destroy(error),
  }
  return out
}
