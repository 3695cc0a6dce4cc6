import { createHash } from 'node:crypto'
import { escapedName } from '../core/form-splice.ts'

/** A `multipart/form-data` body (RFC 7578). */
export interface Form {
  readonly contentType: string
  readonly body: Uint8Array
}

/** A file part. Servers tell the sound's format by the name's extension. */
export interface FormFile {
  readonly name: string
  readonly contentType: string
  readonly bytes: Uint8Array
}

/** Encodes fields, then the file, if there is one, as `file`. The boundary is a hash of the content: no dice, no collision in practice. */
export function encodeForm(fields: readonly (readonly [string, string])[], file?: FormFile): Form {
  const hash = createHash('sha256').update(file?.bytes ?? '')
  for (const [name, value] of fields) hash.update(`\0${name}\0${value}`)
  const boundary = `pulsegate-${hash.digest('hex').slice(0, 32)}`
  const parts: Uint8Array[] = fields.map(([name, value]) =>
    Buffer.from(
      `--${boundary}\r\ncontent-disposition: form-data; name="${escapedName(name)}"\r\n\r\n${value}\r\n`,
    ),
  )
  if (file !== undefined)
    parts.push(
      Buffer.from(
        `--${boundary}\r\ncontent-disposition: form-data; name="file"; filename="${escapedName(file.name)}"\r\n` +
          `content-type: ${file.contentType}\r\n\r\n`,
      ),
      file.bytes,
      Buffer.from('\r\n'),
    )
  parts.push(Buffer.from(`--${boundary}--\r\n`))
  return { contentType: `multipart/form-data; boundary=${boundary}`, body: Buffer.concat(parts) }
}

/** The names of a form's parts in order, read back from its bytes, for showing what was sent. */
export function partNames(body: Uint8Array): readonly string[] {
  const text = Buffer.from(body.buffer, body.byteOffset, body.byteLength).toString('latin1')
  return [...text.matchAll(/content-disposition: form-data; name="([^"]*)"/g)].map((match) => match[1] ?? '')
}
