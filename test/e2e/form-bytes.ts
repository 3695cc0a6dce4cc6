/** A field, or a file. */
export type WrittenPart =
  | readonly [name: string, text: string]
  | { readonly name: string; readonly filename: string; readonly type: string; readonly bytes: Uint8Array }

/** A form as bytes, and its content type. */
export interface WrittenForm {
  readonly type: string
  readonly body: Buffer
}

const BOUNDARY = '------------------------d74496d66958873e'

/** Writes a form by hand, as curl does, so that a test knows each byte of it. */
export function writtenForm(parts: readonly WrittenPart[]): WrittenForm {
  const pieces = parts.map((part) => {
    if (!('bytes' in part)) return piece(`name="${part[0]}"`, Buffer.from(part[1]))
    const filename = part.filename.replaceAll('"', '\\"')
    return piece(`name="${part.name}"; filename="${filename}"\r\nContent-Type: ${part.type}`, part.bytes)
  })
  return {
    type: `multipart/form-data; boundary=${BOUNDARY}`,
    body: Buffer.concat([...pieces, Buffer.from(`--${BOUNDARY}--\r\n`)]),
  }
}

function piece(head: string, content: Uint8Array): Buffer {
  const start = `--${BOUNDARY}\r\nContent-Disposition: form-data; ${head}\r\n\r\n`
  return Buffer.concat([Buffer.from(start), content, Buffer.from('\r\n')])
}
