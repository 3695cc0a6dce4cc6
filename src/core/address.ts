/** An address taken apart, so that what is secret in it can be kept elsewhere. */
export interface AddressParts {
  /** Scheme, host and path, as written. */
  readonly base: string
  /** What stands before the `@`, as written; may be empty. */
  readonly userInfo?: string
  /** What stands after the `?`. */
  readonly query?: string
}

/** Takes `user:password@` and `?query` out of an address; it need not be a valid one. */
export function addressParts(text: string): AddressParts {
  const [, scheme = '', userInfo, rest = '', query] =
    /^([a-z][a-z0-9+.-]*:\/\/)?(?:([^/?#]*)@)?([^?#]*)(?:\?([^#]*))?/i.exec(text) ?? []
  return {
    base: scheme + rest,
    ...(userInfo !== undefined && { userInfo }),
    ...(query !== undefined && { query }),
  }
}

/** The value of an `authorization` header for a URL's user info (RFC 7617); undefined where there is none. */
export function basicAuthorization(userInfo: string): string | undefined {
  const credentials = percentDecoded(userInfo)
  return credentials === '' ? undefined : `Basic ${Buffer.from(credentials).toString('base64')}`
}

/** Percent-decodes a text; one that is not percent-encoded stays as it is. */
export function percentDecoded(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    // Not percent-encoded after all: a password may hold any `%`.
    return text
  }
}
