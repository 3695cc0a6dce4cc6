import { GatewayError } from '../core/failure.ts'

/** Largest line, in characters. */
const MAX_LINE_CHARS = 32 * 1024 * 1024

/** A push parser of newline-separated texts: bytes in any split → lines that hold something. */
export function createLineParser(maxChars: number = MAX_LINE_CHARS): {
  push(bytes: Uint8Array): readonly string[]
  end(): readonly string[]
} {
  const decoder = new TextDecoder()
  let rest = ''
  const full = (lines: readonly string[]): readonly string[] => lines.filter((line) => line.trim() !== '')
  return {
    push: (bytes) => {
      const lines = (rest + decoder.decode(bytes, { stream: true })).split('\n')
      rest = lines.pop() ?? ''
      if (rest.length > maxChars)
        throw new GatewayError('wrong_shape', `one line of the stream is larger than ${maxChars} characters`)
      return full(lines)
    },
    end: () => {
      const last = rest + decoder.decode()
      rest = ''
      return full([last])
    },
  }
}
