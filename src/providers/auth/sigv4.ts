import { createHmac, hash } from 'node:crypto'
import { Secret } from '../../core/secret.ts'

/** What AWS knows its callers by. Held as text by those that sign, and by nobody else. */
export interface AwsKeys {
  readonly accessKeyId: string
  readonly secretAccessKey: string
  readonly sessionToken?: string
}

/** What of them must not be shown. */
export function secretsOf({ secretAccessKey, sessionToken }: AwsKeys): readonly Secret[] {
  return [secretAccessKey, ...(sessionToken === undefined ? [] : [sessionToken])].map(
    (text) => new Secret(text),
  )
}

/** Where a signature holds. */
export interface SigningPlace {
  readonly region: string
  /** AWS's name of the service: `bedrock`, `sts`. */
  readonly service: string
}

/** What is signed. Header names are lower case. */
export interface Signable {
  readonly method: string
  readonly url: string
  readonly headers: Readonly<Record<string, string>>
  readonly body?: Uint8Array | string
}

const ALGORITHM = 'AWS4-HMAC-SHA256'

/** Signs requests of one place; a day's key is made once. */
export type Signer = (request: Signable, keys: AwsKeys, at: number) => Readonly<Record<string, string>>

/**
 * Makes the headers that sign a request by AWS's Signature Version 4
 * (https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html). Signed are the host,
 * the content type and all that begins with `x-amz`; a proxy may change the others without harm.
 */
export function createSigner({ region, service }: SigningPlace): Signer {
  let made: { readonly day: string; readonly keys: AwsKeys; readonly key: Buffer } | undefined
  let latest: (Address & Pick<Signable, 'url'>) | undefined
  return (request, keys, at) => {
    const time = amzTime(at)
    const day = time.slice(0, 8)
    const scope = [day, region, service, 'aws4_request']
    if (made?.day !== day || made.keys !== keys) made = { day, keys, key: signingKey(keys, scope) }
    // Most requests of a deployment go to one address.
    if (latest?.url !== request.url) latest = { url: request.url, ...addressOf(request.url) }
    const headers = signable(request, latest.host, keys, time)
    const names = Object.keys(headers).sort()
    const signature = signed(canonical({ ...request, headers }, latest, names), made.key, scope, time)
    const added = {
      'x-amz-date': time,
      authorization:
        `${ALGORITHM} Credential=${keys.accessKeyId}/${scope.join('/')}, ` +
        `SignedHeaders=${names.join(';')}, Signature=${signature}`,
    }
    return keys.sessionToken === undefined ? added : { ...added, 'x-amz-security-token': keys.sessionToken }
  }
}

function signable(
  request: Signable,
  host: string,
  keys: AwsKeys,
  time: string,
): Readonly<Record<string, string>> {
  const headers: Record<string, string> = {}
  for (const [name, value] of Object.entries(request.headers))
    if (name === 'content-type' || name.startsWith('x-amz')) headers[name] = value
  headers['host'] = host
  headers['x-amz-date'] = time
  if (keys.sessionToken !== undefined) headers['x-amz-security-token'] = keys.sessionToken
  return headers
}

/** The signature over these headers, in hex. `scope`: date, region, service and `aws4_request`. */
export function signatureOf(
  request: Signable,
  names: readonly string[],
  keys: AwsKeys,
  scope: readonly string[],
  time: string,
): string {
  return signed(canonical(request, addressOf(request.url), names), signingKey(keys, scope), scope, time)
}

function signed(text: string, key: Buffer, scope: readonly string[], time: string): string {
  return hmac(key, [ALGORITHM, time, scope.join('/'), sha256(text)].join('\n')).toString('hex')
}

function signingKey({ secretAccessKey }: AwsKeys, scope: readonly string[]): Buffer {
  const start: Buffer = Buffer.from(`AWS4${secretAccessKey}`)
  return scope.reduce<Buffer>((before, part) => hmac(before, part), start)
}

/** `20260131T235959Z` */
export function amzTime(at: number): string {
  return `${new Date(at).toISOString().slice(0, 19).replaceAll(/[-:]/g, '')}Z`
}

/** An address as it is signed. */
interface Address {
  readonly host: string
  readonly path: string
  readonly query: string
}

function addressOf(url: string): Address {
  const { host, pathname, searchParams } = new URL(url)
  const query = searchParams.size === 0 ? '' : canonicalQuery(searchParams)
  return { host, path: canonicalPath(pathname), query }
}

function canonical(request: Signable, { path, query }: Address, names: readonly string[]): string {
  return [
    request.method,
    path,
    query,
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
  return hash('sha256', data, 'hex')
}

function hmac(key: Buffer, data: string): Buffer {
  return createHmac('sha256', key).update(data).digest()
}
