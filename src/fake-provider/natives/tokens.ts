import type { NativeCall } from './native.ts'

/** A token for a credential: it says which, so that a server without memory knows it again. */
export function tokenFor(credential: string): string {
  return `${text64({ alg: 'none' })}.${text64({ of: credential })}.c2lnbmVk`
}

/** Is this a token that was made here, for a credential that is valid? */
export function isToken(token: string, keys: ReadonlySet<string> | undefined): boolean {
  const [, claims = '', signature] = token.split('.')
  if (signature !== 'c2lnbmVk') return false
  const { of: credential } = parsed(Buffer.from(claims, 'base64url').toString())
  return typeof credential === 'string' && (keys === undefined || keys.has(credential))
}

/** The credential after a scheme in the `authorization` header; undefined where there is none. */
export function authorizationOf({ headers }: NativeCall, scheme: string): string | undefined {
  const value = headers['authorization'] ?? ''
  return value.startsWith(`${scheme} `) ? value.slice(scheme.length + 1) : undefined
}

/** The fields of a form; undefined where the request holds none. */
export function formOf({ headers, body }: NativeCall): URLSearchParams | undefined {
  return headers['content-type'] === 'application/x-www-form-urlencoded'
    ? new URLSearchParams(body.toString())
    : undefined
}

/** Names of fields beyond these. */
export function strangeFields(form: URLSearchParams, known: readonly string[]): readonly string[] {
  return [...form.keys()].filter((name) => !known.includes(name))
}

function text64(value: object): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url')
}

function parsed(text: string): { readonly of?: unknown } {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null ? value : {}
  } catch {
    return {} // Somebody else's token.
  }
}
