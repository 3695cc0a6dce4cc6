import { createHash, createHmac } from 'node:crypto'

/** What AWS knows its callers by. Held as text by those that sign, and by nobody else. */
export interface AwsKeys {
  readonly accessKeyId: string
  readonly secretAccessKey: string
  readonly sessionToken?: string
}

/** Where and when a signature holds. */
export interface SigningPlace {
  readonly region: string
  /** AWS's name of the service: `bedrock`, `sts`. */
  readonly service: string
  /** Wall time, milliseconds. */
  readonly at: number
}

/** What is signed. Header names are lower case. */
export interface Signable {
  readonly method: string
  readonly url: string
  readonly headers: Readonly<Record<string, string>>
  readonly body?: Uint8Array | string
}

const ALGORITHM = 'AWS4-HMAC-SHA256'

/**
 * The headers that sign a request by AWS's Signature Version 4
 * (https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html). Signed are the host,
 * the content type and all that begins with `x-amz`; a proxy may change the others without harm.
 */
export function signedHeaders(
  request: Signable,
  keys: AwsKeys,
  place: SigningPlace,
): Readonly<Record<string, string>> {
  const time = amzTime(place.at)
  const added = {
    'x-amz-date': time,
    ...(keys.sessionToken !== undefined && { 'x-amz-security-token': keys.sessionToken }),
  }
  const headers: Record<string, string> = { host: new URL(request.url).host, ...added }
  for (const [name, value] of Object.entries(request.headers))
    if (name === 'content-type' || (name.startsWith('x-amz') && headers[name] === undefined))
      headers[name] = value
  const names = Object.keys(headers).sort()
  const scope = [time.slice(0, 8), place.region, place.service, 'aws4_request']
  const signature = signatureOf({ ...request, headers }, names, keys, scope, time)
  const authorization =
    `${ALGORITHM} Credential=${keys.accessKeyId}/${scope.join('/')}, ` +
    `SignedHeaders=${names.join(';')}, Signature=${signature}`
  return { ...added, authorization }
}

/** The signature over these headers, in hex. `scope`: date, region, service and `aws4_request`. */
export function signatureOf(
  request: Signable,
  names: readonly string[],
  { secretAccessKey }: AwsKeys,
  scope: readonly string[],
  time: string,
): string {
  const text = [ALGORITHM, time, scope.join('/'), sha256(canonical(request, names))].join('\n')
  const key = scope.reduce<string | Buffer>((before, part) => hmac(before, part), `AWS4${secretAccessKey}`)
  return hmac(key, text).toString('hex')
}

/** `20260131T235959Z` */
export function amzTime(at: number): string {
  return `${new Date(at).toISOString().slice(0, 19).replaceAll(/[-:]/g, '')}Z`
}

function canonical(request: Signable, names: readonly string[]): string {
  const { pathname, searchParams } = new URL(request.url)
  return [
    request.method,
    canonicalPath(pathname),
    canonicalQuery(searchParams),
    ...names.map((name) => `${name}:${oneSpace(request.headers[name] ?? '')}`),
    '',
    names.join(';'),
    request.headers['x-amz-content-sha256'] ?? sha256(request.body ?? ''),
  ].join('\n')
}

/** As it goes on the wire, without empty segments, and encoded once more: `%3A` is signed as `%253A`. */
function canonicalPath(path: string): string {
  const segments = path.split('/').filter((segment) => segment !== '')
  const encoded = segments.map(encoded3986).join('/')
  return `/${encoded}${encoded !== '' && path.endsWith('/') ? '/' : ''}`
}

function canonicalQuery(query: URLSearchParams): string {
  return [...query]
    .map(([name, value]) => [encoded3986(name), encoded3986(value)] as const)
    .sort(([a, one], [b, other]) => compared(a, b) || compared(one, other))
    .map(([name, value]) => `${name}=${value}`)
    .join('&')
}

function compared(a: string, b: string): number {
  if (a === b) return 0
  return a < b ? -1 : 1
}

/** Everything but the unreserved characters of RFC 3986 §2.3. */
export function encoded3986(text: string): string {
  return encodeURIComponent(text).replaceAll(
    /[!'()*]/g,
    (sign) => `%${sign.charCodeAt(0).toString(16).toUpperCase()}`,
  )
}

function oneSpace(value: string): string {
  return value.trim().replaceAll(/\s+/g, ' ')
}

function sha256(data: Uint8Array | string): string {
  return createHash('sha256').update(data).digest('hex')
}

function hmac(key: string | Buffer, data: string): Buffer {
  return createHmac('sha256', key).update(data).digest()
}
