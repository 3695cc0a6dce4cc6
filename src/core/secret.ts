import { inspect } from 'node:util'
import { unescaped, type Unescaped } from './unescaped.ts'

/** A string that prints as `[secret]` everywhere; `reveal()` is called only where it is used. */
export class Secret {
  readonly #value: string

  constructor(value: string) {
    this.#value = value
  }

  /** The text itself. Callers: authorizers, the gateway's key check, stores, the redactor. */
  reveal(): string {
    return this.#value
  }

  toString(): string {
    return '[secret]'
  }

  toJSON(): string {
    return '[secret]'
  }

  [inspect.custom](): string {
    return '[secret]'
  }
}

/** Replaces every known secret in a text by `[secret]`. */
export type Redact = (text: string) => string

/** Shorter values are no secrets worth hiding and would blot out ordinary text (`none`, `fake`). */
const MIN_SECRET_CHARS = 6

/**
 * A redactor of the given secrets, however an upstream may have written them into the text: as they are, in
 * base64 (alone or inside of something longer), escaped for URLs, forms, JSON or HTML, once or more often. What
 * overlaps is hidden together, so that a secret inside another one leaves no remainder.
 */
export function createRedact(secrets: Iterable<Secret>): Redact {
  const all = [...secrets].flatMap((secret) => piecesOf(secret.reveal()))
  if (all.length === 0) return (text) => text
  const index = indexOf(all)
  return (text) => {
    if (text.length < MIN_SECRET_CHARS) return text
    const plain = unescaped(text)
    const ranges = rangesIn(plain.text, index)
    return ranges.length === 0 ? text : blotted(text, plain, ranges)
  }
}

/** The forms of all secrets, to be found in one walk over a text, however many they are. */
interface Index {
  /** By a hash of two characters: whether any form may begin with them. */
  readonly openings: Uint8Array
  readonly forms: ReadonlySet<string>
  /** How long the forms are that begin with these characters, longest first: many keys begin alike. */
  readonly lengths: ReadonlyMap<string, readonly number[]>
}

/** The value, and what is secret in it where it is a whole `authorization` header: an echo may leave the scheme out. */
function piecesOf(value: string): readonly string[] {
  const [, scheme = '', credentials] = /^(basic|bearer|token|api-?key) +(\S+)$/i.exec(value) ?? []
  const pieces = credentials === undefined ? [value] : [value, credentials]
  if (credentials !== undefined && scheme.toLowerCase() === 'basic') {
    const userInfo = Buffer.from(credentials, 'base64').toString()
    pieces.push(userInfo, userInfo.slice(userInfo.indexOf(':') + 1))
  }
  return pieces.filter((piece) => piece.length >= MIN_SECRET_CHARS)
}

function indexOf(values: readonly string[]): Index {
  const lengths = new Map<string, number[]>()
  const forms = new Set(values.flatMap(formsOf))
  // A power of two; a few secrets need no table of every pair.
  const openings = new Uint8Array(forms.size > 64 ? 0x10000 : 0x100)
  for (const form of forms) {
    const head = form.slice(0, MIN_SECRET_CHARS)
    const alike = lengths.get(head)
    if (alike === undefined) lengths.set(head, [form.length])
    else if (!alike.includes(form.length)) alike.push(form.length)
    openings[openingAt(form, 0, openings)] = 1
  }
  for (const alike of lengths.values()) alike.sort((a, b) => b - a)
  return { openings, forms, lengths }
}

function formsOf(value: string): readonly string[] {
  const plain = unescaped(value).text
  const inJson = JSON.stringify(value).slice(1, -1)
  const forms = [plain, ...hiddenForms(value), ...(inJson === value ? [] : hiddenForms(inJson))]
  return forms.filter((form) => form.length >= MIN_SECRET_CHARS)
}

/**
 * What base64 makes of a text depends on how many bytes stand before it, modulo three, and on its neighbours only
 * at both ends (RFC 4648 §4). Those ends are left out.
 */
function hiddenForms(value: string): readonly string[] {
  return ['', '\0', '\0\0'].flatMap((before) => {
    const bytes = Buffer.from(before + value)
    const from = Math.ceil((before.length * 8) / 6)
    const to = Math.floor((bytes.length * 8) / 6)
    const form = bytes.toString('base64').slice(from, to)
    return /[+/]/.test(form) ? [unescaped(form).text, bytes.toString('base64url').slice(from, to)] : form
  })
}

function openingAt(text: string, at: number, { length }: Uint8Array): number {
  return (((text.charCodeAt(at) & 0xff) << 8) | (text.charCodeAt(at + 1) & 0xff)) & (length - 1)
}

/** From and to, in characters of the plain text; in order, none touching another. */
type Range = readonly [number, number]

function rangesIn(text: string, { openings, forms, lengths }: Index): readonly Range[] {
  const ranges: Range[] = []
  const last = text.length - MIN_SECRET_CHARS
  for (let at = 0; at <= last; at += 1) {
    if (openings[openingAt(text, at, openings)] === 0) continue
    const alike = lengths.get(text.slice(at, at + MIN_SECRET_CHARS))
    const length = alike?.find((each) => forms.has(text.slice(at, at + each)))
    if (length === undefined) continue
    const end = at + length
    const before = ranges.at(-1)
    if (before === undefined || before[1] < at) ranges.push([at, end])
    else ranges[ranges.length - 1] = [before[0], Math.max(before[1], end)]
  }
  return ranges
}

function blotted(text: string, plain: Unescaped, ranges: readonly Range[]): string {
  const bytes = Buffer.from(text)
  const pieces: Buffer[] = []
  let done = 0
  for (const [from, to] of ranges) {
    pieces.push(bytes.subarray(done, plain.start(from)), BLOT)
    done = plain.start(to)
  }
  return Buffer.concat([...pieces, bytes.subarray(done)]).toString()
}

const BLOT = Buffer.from('[secret]')
