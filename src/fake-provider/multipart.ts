/** One part of a multipart form. */
export interface Part {
  readonly name: string
  readonly filename?: string
  readonly contentType?: string
  readonly bytes: Buffer
}

/** A multipart form, in the order of its parts. */
export interface Form {
  readonly parts: readonly Part[]
}

/** More parts than any of these APIs has fields. */
const MAX_PARTS = 100

/** Reads multipart/form-data (RFC 7578); undefined where the boundary is missing or the body does not keep to it. */
export function parseMultipart(contentType: string, body: Buffer): Form | undefined {
  const boundary = /boundary=(?:"([^"]+)"|([^;\s]+))/i.exec(contentType)
  const delimiter = boundary && `--${boundary[1] ?? boundary[2] ?? ''}`
  if (!delimiter || !body.subarray(0, delimiter.length).equals(Buffer.from(delimiter))) return undefined
  const parts: Part[] = []
  let at = delimiter.length
  while (parts.length < MAX_PARTS) {
    const next = body.subarray(at, at + 2).toString('latin1')
    if (next === '--') return { parts }
    const end = body.indexOf(`\r\n${delimiter}`, at)
    const part = next === '\r\n' && end >= 0 ? parsePart(body.subarray(at + 2, end)) : undefined
    if (part === undefined) return undefined
    parts.push(part)
    at = end + 2 + delimiter.length
  }
  return undefined
}

function parsePart(bytes: Buffer): Part | undefined {
  const split = bytes.indexOf('\r\n\r\n')
  if (split < 0) return undefined
  const head = bytes.subarray(0, split).toString('utf8')
  const disposition = /^content-disposition:\s*form-data;(.*)$/im.exec(head)?.[1]
  const name = disposition && /(?:^|;)\s*name="([^"]*)"/i.exec(disposition)?.[1]
  if (name === undefined) return undefined
  const filename = /filename="([^"]*)"/i.exec(disposition ?? '')?.[1]
  const contentType = /^content-type:\s*(.+)$/im.exec(head)?.[1]?.trim()
  return {
    name,
    bytes: bytes.subarray(split + 4),
    ...(filename === undefined ? {} : { filename }),
    ...(contentType === undefined ? {} : { contentType }),
  }
}

/** A field's text; undefined where the form has no such field. */
export function formField(form: Form, name: string): string | undefined {
  return form.parts.find((part) => part.name === name && part.filename === undefined)?.bytes.toString('utf8')
}
