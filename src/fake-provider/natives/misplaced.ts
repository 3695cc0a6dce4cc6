import type { NativeCall } from './native.ts'

/** Headers that carry a credential at one provider or another. */
const CREDENTIALS = ['authorization', 'api-key', 'x-api-key', 'xi-api-key', 'x-goog-api-key'] as const

/** A credential in a header that is not this provider's; undefined where there is none. */
export function misplacedCredential({ headers }: NativeCall, own: string): string | undefined {
  return CREDENTIALS.find((name) => name !== own && headers[name] !== undefined)
}

/** The first name that is not allowed. */
export function unknownName(names: Iterable<string>, allowed: ReadonlySet<string>): string | undefined {
  return [...names].find((name) => !allowed.has(name))
}

/** The names of a text, split at white space. */
export function nameSet(text: string): ReadonlySet<string> {
  return new Set(text.split(/\s+/))
}
