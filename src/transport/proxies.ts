import { BlockList, isIP, isIPv6 } from 'node:net'
import { addressParts, basicAuthorization } from '../core/address.ts'
import { GatewayError } from '../core/failure.ts'
import { Secret } from '../core/secret.ts'

/** An HTTP proxy. */
export interface Proxy {
  /** Spoken to over TLS. */
  readonly isSecure: boolean
  readonly host: string
  readonly port: number
  /** The value of `proxy-authorization`. */
  readonly authorization?: Secret
}

/** Where a connection is to end. */
export interface Destination {
  readonly isSecure: boolean
  /** A name or an IP address, without brackets. */
  readonly host: string
  readonly port: number
}

/**
 * The proxy on the way to a destination; undefined where there is none.
 * @throws GatewayError misconfigured where its variable holds no address of an HTTP proxy
 */
export type ProxyOf = (to: Destination) => Proxy | undefined

type Env = Readonly<Record<string, string | undefined>>

/** In NO_PROXY: loopback addresses go through the proxy too. Chromium's word for it (net/docs/proxy.md). */
const LOOPBACK_TOO = '<-loopback>'

/**
 * Reads HTTPS_PROXY, HTTP_PROXY, ALL_PROXY and NO_PROXY as curl and Python's clients do; of two spellings the
 * lower-case one wins. A name in NO_PROXY stands for itself and all below it, `*` for everything; a port or a CIDR
 * range may be given. Loopback is never proxied unless NO_PROXY holds `<-loopback>`.
 */
export function createProxyOf(env: Env): ProxyOf {
  const all = variable(env, 'ALL_PROXY')
  const secure = proxyAt(variable(env, 'HTTPS_PROXY') ?? all)
  const plain = proxyAt(variable(env, 'HTTP_PROXY') ?? all)
  if (secure === undefined && plain === undefined) return () => undefined
  const isExempt = createExemption(variable(env, 'NO_PROXY')?.text ?? '')
  return (to) => {
    const proxy = to.isSecure ? secure : plain
    if (proxy === undefined || isExempt(to)) return undefined
    if (proxy instanceof GatewayError) throw proxy
    return proxy
  }
}

interface Variable {
  readonly name: string
  readonly text: string
}

function variable(env: Env, name: string): Variable | undefined {
  const text = (env[name.toLowerCase()] ?? env[name])?.trim()
  return text === undefined || text === '' ? undefined : { name, text }
}

function proxyAt(written: Variable | undefined): Proxy | GatewayError | undefined {
  if (written === undefined) return undefined
  const { name, text } = written
  const { base, userInfo = '' } = addressParts(text)
  const url = URL.parse(base.includes('://') ? base : `http://${base}`)
  if (url === null || !/^https?:$/.test(url.protocol) || url.hostname === '') {
    // The value is not quoted: it may hold a password.
    const message = `${name} is no address of an HTTP proxy: write http://host:port`
    return new GatewayError('misconfigured', message, { source: 'gateway' })
  }
  const isSecure = url.protocol === 'https:'
  const authorization = basicAuthorization(userInfo)
  return {
    isSecure,
    host: unbracketed(url.hostname),
    port: url.port === '' ? (isSecure ? 443 : 80) : Number(url.port),
    ...(authorization !== undefined && { authorization: new Secret(authorization) }),
  }
}

/** What NO_PROXY says of a destination. */
function createExemption(list: string): (to: Destination) => boolean {
  const entries = list
    .toLowerCase()
    .split(/[\s,]+/)
    .filter((entry) => entry !== '')
  const rules = entries.map(ruleOf)
  const isLoopbackToo = entries.includes(LOOPBACK_TOO)
  return (to) => {
    const plain = { ...to, host: to.host.toLowerCase().replace(/\.$/, '') }
    return (!isLoopbackToo && isLoopback(plain.host)) || rules.some((rule) => rule(plain))
  }
}

function ruleOf(entry: string): (to: Destination) => boolean {
  if (entry === '*') return () => true
  const range = /^([\da-f.:]+)\/(\d+)$/.exec(entry)
  if (range !== null) return rangeRule(range[1] ?? '', Number(range[2]))
  const [, bracketed, name = '', port] =
    /^(?:\[(.+)\]|(.*?))(?::(\d+))?$/.exec(isIPv6(entry) ? `[${entry}]` : entry) ?? []
  const host = bracketed ?? name.replace(/^\*?\./, '')
  return (to) =>
    (to.host === host || (bracketed === undefined && to.host.endsWith(`.${host}`))) &&
    (port === undefined || to.port === Number(port))
}

function rangeRule(address: string, bits: number): (to: Destination) => boolean {
  const family = isIP(address)
  if (family === 0 || bits > (family === 4 ? 32 : 128)) return () => false
  const ranges = new BlockList()
  ranges.addSubnet(address, bits, family === 4 ? 'ipv4' : 'ipv6')
  return ({ host }) => isIP(host) !== 0 && ranges.check(host, isIPv6(host) ? 'ipv6' : 'ipv4')
}

function isLoopback(host: string): boolean {
  return host === 'localhost' || host.endsWith('.localhost') || host === '::1' || /^127\.[\d.]+$/.test(host)
}

/** A URL writes an IPv6 address in brackets; sockets want it without. */
export function unbracketed(hostname: string): string {
  return hostname.startsWith('[') ? hostname.slice(1, -1) : hostname
}
