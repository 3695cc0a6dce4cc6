/** Events of a stream that differ from the one before in nothing but a text. */
export interface Alike {
  /**
   * What this whole piece of the stream is written as, where it is the last one with another text; undefined where it
   * has to be read.
   */
  written(piece: Buffer): Buffer | undefined
  /** A piece was read and written: `text` is what it adds, where it is one event that adds text and says nothing else. */
  read(piece: Buffer, text: string | undefined, written: string): void
}

/** What stands around a text, where it comes from and where it goes. */
interface Frame {
  readonly before: Buffer
  readonly after: Buffer
  readonly head: Buffer
  readonly tail: Buffer
}

/** So often in a row nothing comes of what was learnt from an event, and no more is learnt from this stream. */
const MOST_IN_VAIN = 8
const QUOTE = 0x22
const BACKSLASH = 0x5c
const LINE_END = 0x0a

/**
 * Nearly all events of a stream add a few letters to the ones before. Where their other bytes are those of the last
 * event, they are taken over as they are written already: a dozen functions less have to be in the caches when an event
 * comes, which they are not where events are rare. `passed` is told of each such text, how many characters it has.
 */
export function createAlike(passed: (chars: number) => void): Alike {
  let frame: Frame | undefined
  let inVain = 0
  // At the start of a line outside of any event.
  let isAtRest = true
  return {
    written: (piece) => {
      if (frame === undefined) return undefined
      const chars = piece.length - frame.before.length - frame.after.length
      if (chars < 1 || !isAround(piece, frame) || !isPlain(piece, frame.before.length, chars))
        return undefined
      inVain = 0
      passed(chars)
      return framed(piece, frame, chars)
    },
    read: (piece, text, written) => {
      if (frame !== undefined) inVain++
      const wasAtRest = isAtRest
      isAtRest = endsEvent(piece)
      const isWhole = wasAtRest && isAtRest
      frame =
        isWhole && text !== undefined && inVain < MOST_IN_VAIN ? frameOf(piece, text, written) : undefined
    },
  }
}

function framed(piece: Buffer, { before, head, tail }: Frame, chars: number): Buffer {
  const bytes = Buffer.allocUnsafe(head.length + chars + tail.length)
  bytes.set(head)
  let to = head.length
  for (let at = before.length; at < before.length + chars; at++) bytes[to++] = piece[at] ?? 0
  bytes.set(tail, to)
  return bytes
}

/** Of one whole event; undefined where the text stands elsewhere too, or not as it is. */
function frameOf(piece: Buffer, text: string, written: string): Frame | undefined {
  if (!PLAIN.test(text)) return undefined
  const [from, to] = [around(piece.toString('latin1'), text), around(written, text)]
  if (from === undefined || to === undefined) return undefined
  return {
    before: Buffer.from(from.before, 'latin1'),
    after: Buffer.from(from.after, 'latin1'),
    head: Buffer.from(to.before),
    tail: Buffer.from(to.after),
  }
}

const PLAIN = /^[ !#-[\]-~]+$/

function around(
  whole: string,
  text: string,
): { readonly before: string; readonly after: string } | undefined {
  const quoted = `"${text}"`
  const at = whole.indexOf(quoted)
  if (at === -1 || whole.indexOf(quoted, at + 1) !== -1) return undefined
  return { before: whole.slice(0, at + 1), after: whole.slice(at + 1 + text.length) }
}

function isAround(piece: Buffer, { before, after }: Frame): boolean {
  const start = piece.length - after.length
  for (let at = 0; at < after.length; at++) if (piece[start + at] !== after[at]) return false
  for (let at = 0; at < before.length; at++) if (piece[at] !== before[at]) return false
  return true
}

/** ASCII that stands in JSON's strings as it is. */
function isPlain(piece: Buffer, start: number, chars: number): boolean {
  for (let at = start; at < start + chars; at++) {
    const byte = piece[at] ?? 0
    if (byte < 0x20 || byte > 0x7e || byte === QUOTE || byte === BACKSLASH) return false
  }
  return true
}

/** A line end and a blank line. */
function endsEvent(piece: Buffer): boolean {
  return piece[piece.length - 2] === LINE_END && piece[piece.length - 1] === LINE_END
}
