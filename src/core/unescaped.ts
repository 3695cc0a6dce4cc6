import { entryOf } from './entry-of.ts'

/** A text with every escape in it undone, and where each of its characters stood. */
export interface Unescaped {
  /** One character a byte of UTF-8, so that percent-encoded bytes have the same form as plain ones. */
  readonly text: string
  /** The offset, in the bytes of the original, at which character `at` began; for the length, its end. */
  start(at: number): number
}

/**
 * One character, escaped any number of times: URL encoding (`%2B`, and `%252B`, which is that again), JSON's `\uXXXX`
 * and backslashes, and HTML's character references.
 */
const ESCAPE =
  /%(?:25)*([0-9a-f]{2})|\\+u00([0-9a-f]{2})|\\+|&(?:amp|lt|gt|quot|apos|#\d{1,3}|#x[0-9a-f]{1,2});/gi

const NAMED: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" }

/**
 * Undoes the escapes that a text meets on its way through URLs, forms, JSON and pages, as far as a secret must be
 * recognized in it; not meant to be read. What cannot be told apart afterwards becomes one character: a space and
 * the `+` that stands for it in forms, a line break and JSON's `n`.
 */
export function unescaped(original: string): Unescaped {
  const bytes = Buffer.from(original).toString('latin1')
  if (!/[%\\&]/.test(bytes)) return { text: alike(bytes), start: (at) => at }
  const starts: number[] = []
  let text = ''
  /** Backslashes that belong to the character after them. */
  let pending: number | undefined
  const add = (piece: string, at: number, isOne: boolean): void => {
    for (let offset = 0; offset < piece.length; offset += 1) {
      starts.push(pending ?? (isOne ? at : at + offset))
      pending = undefined
    }
    text += piece
  }
  let done = 0
  for (const match of bytes.matchAll(ESCAPE)) {
    add(bytes.slice(done, match.index), done, false)
    done = match.index + match[0].length
    const char = charOf(match[0], match[1] ?? match[2])
    if (char === '\\') pending ??= match.index
    else add(char, match.index, true)
  }
  add(bytes.slice(done), done, false)
  return { text: alike(text), start: (at) => starts[at] ?? bytes.length }
}

/** The character that an escape stands for; every backslash counts as one that escapes. */
function charOf(escape: string, hex: string | undefined): string {
  if (hex !== undefined) return String.fromCharCode(Number.parseInt(hex, 16))
  if (escape.startsWith('\\')) return '\\'
  const name = escape.slice(1, -1).toLowerCase()
  const code = name.startsWith('#x') ? Number.parseInt(name.slice(2), 16) : Number(name.slice(1))
  return entryOf(NAMED, name) ?? String.fromCharCode(code & 0xff)
}

function alike(text: string): string {
  return /[+\n\r\t]/.test(text)
    ? text.replaceAll('+', ' ').replaceAll('\n', 'n').replaceAll('\r', 'r').replaceAll('\t', 't')
    : text
}
