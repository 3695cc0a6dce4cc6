import type { ContentEdit } from '../../core/form-splice.ts'
import { refuse } from '../request/request.ts'
import { MAX_LINE_BYTES, modelIn } from './batch-lines.ts'
import type { BatchLines } from './batch-lines.ts'

const LINE_END = 0x0a
const OPEN_BRACE = 0x7b

/**
 * Watches a part of a file that is, or may be, a batch's. Every byte passes as it came, for a provider was told the
 * file's size before; a line of a request that would have to be written over, by the config's name of a model, is
 * refused. A line that begins in one part and ends in another is not seen, nor is one too long to be held.
 */
export function createPartLines(rename: BatchLines['rename']): ContentEdit {
  let pieces: Buffer[] = []
  let bytes = 0
  let isSkipped = false
  const check = (): void => {
    const model = isSkipped || bytes === 0 ? undefined : modelIn(Buffer.concat(pieces))
    const name = model === undefined ? undefined : rename(model)
    pieces = []
    bytes = 0
    isSkipped = false
    if (model !== undefined && name !== undefined && name !== model) throw toBeRenamed(model, name)
  }
  const take = (piece: Buffer): void => {
    if (isSkipped) return
    const isOther = bytes === 0 && piece[0] !== OPEN_BRACE
    if (isOther || bytes + piece.length > MAX_LINE_BYTES) {
      isSkipped = true
      pieces = []
      return
    }
    pieces.push(piece)
    bytes += piece.length
  }
  return {
    push: (chunk) => {
      for (let start = 0; start < chunk.length;) {
        const end = chunk.indexOf(LINE_END, start) + 1
        take(chunk.subarray(start, end === 0 ? chunk.length : end))
        if (end === 0) break
        check()
        start = end
      }
      return [chunk]
    },
    end: () => {
      check()
      return []
    },
  }
}

function toBeRenamed(model: string, name: string): Error {
  return refuse(
    `/uploads: a line of the batch names the model '${model.slice(0, 256)}', which its provider knows as '${name}', and the ` +
      'lines of a file that comes in parts are not written over: name it so there, or upload the file whole (POST /v1/files).',
    'data',
  )
}
