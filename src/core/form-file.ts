import { GatewayError } from './failure.ts'
import type { FormPiece } from './form-scan.ts'
import type { SentFile } from './mode.ts'

/** What is held of one file: as much sound as OpenAI takes. */
export const MAX_FILE_BYTES = 25 * 1024 * 1024

/** Collects one file of a form from the form's pieces. */
export interface FileCollector {
  /** @throws GatewayError bad_request (413, the client's doing) where the file is too large to be held */
  take(piece: FormPiece): void
  /** Undefined where the form has no such file. */
  file(): SentFile | undefined
}

/** Starts with nothing; of several files of that name the first counts. */
export function createFileCollector(name: string, maxBytes: number = MAX_FILE_BYTES): FileCollector {
  let found: Omit<SentFile, 'bytes'> | undefined
  let isInside = false
  let chunks: Buffer[] = []
  let bytes = 0
  return {
    take: (piece) => {
      if (piece.kind === 'content') {
        if (!isInside) return
        bytes += piece.bytes.length
        if (bytes > maxBytes) throw tooLarge(name, maxBytes)
        chunks.push(piece.bytes)
        return
      }
      isInside = piece.kind === 'part' && found === undefined && piece.part.isFile && piece.part.name === name
      if (!isInside || piece.kind !== 'part') return
      const { fileName = '', contentType = '' } = piece.part
      found = { name: fileName || name, contentType: contentType || 'application/octet-stream' }
    },
    file: () => {
      if (found === undefined) return undefined
      if (chunks.length !== 1) chunks = [Buffer.concat(chunks)]
      return { ...found, bytes: chunks[0] ?? Buffer.alloc(0) }
    },
  }
}

/** Why a file is not taken: a provider that does not take the form as it came is asked with the whole file. */
export function tooLarge(name: string, maxBytes: number = MAX_FILE_BYTES): GatewayError {
  return new GatewayError(
    'bad_request',
    `The '${name}' is larger than ${maxBytes} bytes, the most that is held for a provider with a form of its own: ` +
      'send a shorter or more compressed one.',
    { status: 413, source: 'client', param: name },
  )
}
