import { inspect } from 'node:util'

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
 * A redactor of the given secrets, in each form an upstream might echo them in: as they are, URL-encoded,
 * JSON-escaped and base64. Longest first, so that a secret inside another one leaves no remainder.
 */
export function createRedact(secrets: Iterable<Secret>): Redact {
  const forms = new Set<string>()
  for (const secret of secrets) {
    const value = secret.reveal()
    if (value.length < MIN_SECRET_CHARS) continue
    forms.add(value)
    forms.add(encodeURIComponent(value))
    forms.add(JSON.stringify(value).slice(1, -1))
    forms.add(Buffer.from(value).toString('base64'))
  }
  const ordered = [...forms].sort((a, b) => b.length - a.length)
  return (text) => {
    let result = text
    for (const form of ordered) if (result.includes(form)) result = result.replaceAll(form, '[secret]')
    return result
  }
}
