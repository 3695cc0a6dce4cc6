const HEAD_END = Buffer.from('\r\n\r\n')
const BODY_END = Buffer.from('0\r\n\r\n')

/** Called at the end of each answer. */
type Ended = (status: number, head: string) => void

/**
 * Finds the ends of answers on one connection that carries one at a time. Takes what the socket gives; keeps no
 * more than a head, and the last bytes of a chunked body.
 */
export function createAnswerReader(ended: Ended): (chunk: Buffer) => void {
  let held: Buffer = Buffer.alloc(0)
  let head = ''
  let missing = 0
  let isChunked = false
  const end = (): void => {
    const whole = head
    head = ''
    held = Buffer.alloc(0)
    ended(Number(whole.slice(9, 12)), whole)
  }
  const readChunked = (bytes: Buffer): void => {
    held = bytes.length >= BODY_END.length ? bytes : Buffer.concat([held, bytes])
    held = held.subarray(-BODY_END.length)
    if (held.equals(BODY_END)) end()
  }
  return (chunk) => {
    if (head !== '') {
      missing -= chunk.length
      if (isChunked) readChunked(chunk)
      else if (missing <= 0) end()
      return
    }
    held = held.length === 0 ? chunk : Buffer.concat([held, chunk])
    const headEnd = held.indexOf(HEAD_END)
    if (headEnd === -1) return
    head = held.toString('latin1', 0, headEnd)
    const rest = held.subarray(headEnd + HEAD_END.length)
    const length = /\r\ncontent-length: *(\d+)/i.exec(head)?.[1]
    isChunked = length === undefined && /\r\ntransfer-encoding: *chunked/i.test(head)
    // An answer without an end that can be seen would never be counted: better to stop than to measure nonsense.
    if (length === undefined && !isChunked) throw new Error(`an answer without a length:\n${head}`)
    missing = Number(length) - rest.length
    held = Buffer.alloc(0)
    if (isChunked) readChunked(rest)
    else if (missing <= 0) end()
  }
}
