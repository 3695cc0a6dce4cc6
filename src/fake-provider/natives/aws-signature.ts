import { createHash, createHmac } from 'node:crypto'
import type { IncomingHttpHeaders } from 'node:http'

/** What of a request its signature speaks of. */
export interface SignedRequest {
  readonly method: string
  /** As it came: path and query. */
  readonly url: string
  readonly headers: IncomingHttpHeaders
  readonly body: Buffer
}

/** A refusal: AWS's name for it and its sentence. */
export interface Refused {
  readonly code: string
  readonly message: string
}

/** What the double takes for the secret of an access key where none are given: everybody can sign, nobody can cheat. One pair stands in recorded configs. */
export function secretOfKey(accessKeyId: string): string {
  return accessKeyId === 'AKIACANARY' ? 'aws-canary-secret' : `secret-of-${accessKeyId}`
}

const CREDENTIAL =
  /^AWS4-HMAC-SHA256 Credential=([\w]{5,128})\/(\d{8})\/([a-z0-9-]+)\/([a-z-]+)\/aws4_request, ?SignedHeaders=([a-z0-9;-]+), ?Signature=([0-9a-f]{64})$/
/** AWS lets clocks differ by five minutes. */
const MAX_SKEW_MS = 5 * 60_000

/**
 * Checks Signature Version 4 as AWS describes it for servers' side of it: recomputed over what arrived. `secretOf` knows
 * the secret of an access key.
 */
export function signatureFlaw(
  request: SignedRequest,
  service: string,
  secretOf: (accessKeyId: string) => string | undefined,
): Refused | undefined {
  const { headers } = request
  const found = CREDENTIAL.exec(headers.authorization ?? '')
  if (found === null) {
    return headers.authorization === undefined
      ? { code: 'MissingAuthenticationTokenException', message: 'Missing Authentication Token' }
      : { code: 'IncompleteSignatureException', message: 'Authorization header is no signature.' }
  }
  const [, keyId = '', day = '', region = '', named = '', list = '', signature = ''] = found
  const names = list.split(';')
  const time = one(headers['x-amz-date'])
  const flaw = scopeFlaw(day, named, service, time) ?? unsigned(headers, names)
  if (flaw !== undefined) return { code: 'InvalidSignatureException', message: flaw }
  const secret = secretOf(keyId)
  if (secret === undefined) {
    return {
      code: 'UnrecognizedClientException',
      message: 'The security token included in the request is invalid.',
    }
  }
  const scope = [day, region, named, 'aws4_request']
  const text = ['AWS4-HMAC-SHA256', time, scope.join('/'), hash(canonicalOf(request, names))].join('\n')
  let key: Buffer | string = `AWS4${secret}`
  for (const part of scope) key = createHmac('sha256', key).update(part).digest()
  if (createHmac('sha256', key).update(text).digest('hex') === signature) return undefined
  return {
    code: 'InvalidSignatureException',
    message:
      'The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key and signing method.',
  }
}

function scopeFlaw(day: string, named: string, service: string, time: string): string | undefined {
  if (named !== service) return `Credential should be scoped to correct service: '${service}'.`
  const [, y, m, d, h, min, s] = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/.exec(time) ?? []
  const at = Date.parse(`${y}-${m}-${d}T${h}:${min}:${s}Z`)
  if (Number.isNaN(at) || !time.startsWith(day)) return 'Date in Credential scope does not match x-amz-date.'
  return Math.abs(at - Date.now()) > MAX_SKEW_MS ? `Signature not yet current or expired: ${time}` : undefined
}

/** The host and everything of AWS's own must be under the signature. */
function unsigned(headers: IncomingHttpHeaders, names: readonly string[]): string | undefined {
  const must = ['host', ...Object.keys(headers).filter((name) => /^x-amzn?-(?!trace-id)/.test(name))]
  const missing = must.find((name) => !names.includes(name))
  return missing === undefined ? undefined : `'${missing}' must be a 'SignedHeader' in the AWS Authorization.`
}

function canonicalOf({ method, url, headers, body }: SignedRequest, names: readonly string[]): string {
  const [path = '', query = ''] = url.split('?')
  // The path on the wire is encoded already; what is signed is encoded once more.
  const twice = path.split('/').map(escaped).join('/')
  const pairs = [...new URLSearchParams(query)].map(([name, value]) => `${escaped(name)}=${escaped(value)}`)
  const lines = names.map((name) => `${name}:${one(headers[name]).trim().replaceAll(/ +/g, ' ')}\n`)
  return [method, twice, pairs.sort().join('&'), lines.join(''), names.join(';'), hash(body)].join('\n')
}

function escaped(text: string): string {
  return [...Buffer.from(text)]
    .map((byte) => {
      const sign = String.fromCharCode(byte)
      return /[\w.~-]/.test(sign) ? sign : `%${byte.toString(16).toUpperCase().padStart(2, '0')}`
    })
    .join('')
}

function hash(data: Buffer | string): string {
  return createHash('sha256').update(data).digest('hex')
}

function one(value: string | readonly string[] | undefined): string {
  return typeof value === 'string' ? value : (value?.join(',') ?? '')
}
