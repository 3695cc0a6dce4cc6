import { lookup as systemLookup } from 'node:dns'
import { request as plainRequest, type IncomingMessage, type RequestOptions } from 'node:http'
import { request as secureRequest } from 'node:https'
import { BlockList, isIP, isIPv6, type LookupFunction } from 'node:net'
import { GatewayError } from '../core/failure.ts'
import { unbracketed } from './proxies.ts'

/** Something from the web: its type without parameters, and its bytes. */
export interface FetchedMedia {
  readonly contentType: string
  readonly bytes: Uint8Array
}

/** What may be fetched. */
export interface MediaRules {
  /** Hosts (`name` or `name:port`) that may be asked although their address is private. */
  readonly allowedHosts: readonly string[]
}

/** What a picture or document may be at most. */
const MAX_BYTES = 20 * 1024 * 1024
const MAX_MS = 10_000
const MAX_REDIRECTS = 3

/**
 * Fetches pictures and documents that clients name. A client could have the gateway ask its owner's own network, so
 * only public addresses are connected to: what a name resolves to is judged, by the very lookup that the connection
 * uses, and each redirect anew. No proxy, no credential and no header of the client's goes along.
 */
export function createFetchMedia({
  allowedHosts,
}: MediaRules): (url: string, limits: { readonly timeoutMs: number }) => Promise<FetchedMedia> {
  const allowed = new Set(allowedHosts.map((host) => host.toLowerCase()))
  return async (url, { timeoutMs }) => {
    const signal = AbortSignal.timeout(Math.max(Math.min(timeoutMs, MAX_MS), 1))
    let next = url
    for (let hops = 0; hops <= MAX_REDIRECTS; hops += 1) {
      const answered = await ask(next, signal, allowed)
      if ('bytes' in answered) return answered
      next = answered.location
    }
    throw cannot(url, `more than ${MAX_REDIRECTS} redirects`)
  }
}

async function ask(
  text: string,
  signal: AbortSignal,
  allowed: ReadonlySet<string>,
): Promise<FetchedMedia | { readonly location: string }> {
  const url = URL.parse(text)
  if (url === null || !/^https?:$/.test(url.protocol)) throw cannot(text, 'it is no http(s) URL')
  const isAllowed = allowed.has(url.host.toLowerCase()) || allowed.has(url.hostname.toLowerCase())
  const host = unbracketed(url.hostname)
  if (!isAllowed && isIP(host) !== 0 && isPrivate(host)) throw cannot(text, PRIVATE)
  try {
    const response = await open(url, { signal, agent: false, ...(!isAllowed && { lookup: publicLookup }) })
    const status = response.statusCode ?? 0
    const { location } = response.headers
    if (status >= 300 && status < 400 && location !== undefined) {
      response.destroy()
      return { location: new URL(location, url).href }
    }
    if (status !== 200) {
      response.destroy()
      throw cannot(text, `its server answered ${status}`)
    }
    const contentType = (response.headers['content-type'] ?? '').split(';')[0]?.trim().toLowerCase() ?? ''
    return { contentType: contentType || 'application/octet-stream', bytes: await bytesOf(text, response) }
  } catch (error) {
    if (error instanceof GatewayError) throw error
    throw cannot(text, signal.aborted ? 'its server took too long' : reasonOf(error))
  }
}

function open(url: URL, options: RequestOptions): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const send = url.protocol === 'https:' ? secureRequest : plainRequest
    const headers = { accept: 'image/*, application/pdf, */*;q=0.5', 'user-agent': 'pulsegate' }
    // A user and password in the URL are the client's own business.
    send(url, { ...options, headers }, resolve)
      .on('error', reject)
      .end()
  })
}

async function bytesOf(url: string, response: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of response) {
    const bytes = Buffer.from(chunk)
    size += bytes.length
    if (size > MAX_BYTES) {
      response.destroy()
      throw cannot(url, `it is larger than ${MAX_BYTES / 1024 / 1024} MB`)
    }
    chunks.push(bytes)
  }
  return Buffer.concat(chunks)
}

const PRIVATE = 'its address is not a public one'

/** As the system's, but a name that leads to any private address leads nowhere. */
const publicLookup: LookupFunction = (host, options, done) => {
  systemLookup(host, { ...options, all: true }, (error, found) => {
    if (error !== null) return done(error, [])
    if (found.length === 0 || found.some(({ address }) => isPrivate(address))) {
      return done(new Error(PRIVATE), [])
    }
    if (options.all === true) return done(null, found)
    const [first] = found
    done(null, first?.address ?? '', first?.family)
  })
}

/** IANA's special-purpose registries (RFC 6890 and its updates): whatever is not the public internet. */
const NOT_PUBLIC: readonly (readonly [string, number])[] = [
  ['0.0.0.0', 8],
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['127.0.0.0', 8],
  ['169.254.0.0', 16],
  ['172.16.0.0', 12],
  ['192.0.0.0', 24],
  ['192.0.2.0', 24],
  ['192.88.99.0', 24],
  ['192.168.0.0', 16],
  ['198.18.0.0', 15],
  ['198.51.100.0', 24],
  ['203.0.113.0', 24],
  ['224.0.0.0', 4],
  ['240.0.0.0', 4],
  ['::', 128],
  ['::1', 128],
  ['64:ff9b::', 96],
  ['64:ff9b:1::', 48],
  ['100::', 64],
  ['2001::', 23],
  ['2001:db8::', 32],
  ['2002::', 16],
  ['fc00::', 7],
  ['fe80::', 10],
  ['fec0::', 10],
  ['ff00::', 8],
]

const BLOCKED = new BlockList()
for (const [net, bits] of NOT_PUBLIC) BLOCKED.addSubnet(net, bits, isIPv6(net) ? 'ipv6' : 'ipv4')

/** True for every address that is not of the public internet, IPv4 in IPv6 included. */
export function isPrivate(address: string): boolean {
  // Node's BlockList judges `::ffff:10.0.0.1` by its IPv4 rules.
  return BLOCKED.check(address, isIPv6(address) ? 'ipv6' : 'ipv4')
}

function cannot(url: string, why: string): GatewayError {
  const shown = url.split('?')[0]?.slice(0, 200) ?? ''
  return new GatewayError('bad_request', `the picture or file ${shown} cannot be fetched: ${why}`, {
    source: 'client',
    param: 'messages',
  })
}

function reasonOf(error: unknown): string {
  if (error instanceof Error && error.message === PRIVATE) return PRIVATE
  const code = error instanceof Error && 'code' in error ? String(error.code) : ''
  return code === '' ? 'no connection came about' : `no connection came about (${code})`
}
