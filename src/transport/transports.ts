import { readFileSync } from 'node:fs'
import { GatewayError } from '../core/failure.ts'
import type { Trust } from './encrypt.ts'
import { createTransport, type TransportOptions } from './transport.ts'
import type { Transport } from './wire.ts'

/** Transports that differ in whose certificates they accept. */
export interface Transports {
  /** False: everybody's; a text: the PEM file of the authorities; undefined: as the options say. */
  of(sslVerify: boolean | string | undefined): Transport
  close(): Promise<void>
}

/** What all of them are made with. */
export interface TransportsOptions extends Omit<TransportOptions, 'trust'> {
  /** Where a deployment says nothing. */
  readonly sslVerify: boolean | string
  /** The authorities where a verification names none. Default: Node's. */
  readonly authoritiesPath?: string
}

/** One transport a value of `ssl_verify`, so that connections are shared by all who trust alike. */
export function createTransports({ sslVerify, authoritiesPath, ...options }: TransportsOptions): Transports {
  const made = new Map<boolean | string, Transport>()
  return {
    of: (wanted = sslVerify) => {
      const path = typeof wanted === 'string' ? wanted : wanted ? authoritiesPath : undefined
      const key = path ?? wanted
      const known = made.get(key)
      if (known !== undefined) return known
      const transport = createTransport({ ...options, trust: trustOf(wanted !== false, path) })
      made.set(key, transport)
      return transport
    },
    close: async () => {
      await Promise.all(Array.from(made.values(), (transport) => transport.close()))
    },
  }
}

function trustOf(isVerified: boolean, path: string | undefined): Trust {
  return { isVerified, ...(path !== undefined && { authorities: () => readAuthorities(path) }) }
}

/** Read with the first TLS connection: who speaks plain HTTP only is not held up by a file that is missing. */
function readAuthorities(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch (cause) {
    const why = cause instanceof Error && 'code' in cause ? String(cause.code) : String(cause)
    const message = `the authorities to trust cannot be read from ${path} (${why}); check ssl_verify and SSL_CERT_FILE`
    throw new GatewayError('misconfigured', message, { cause, source: 'gateway', isUnsent: true })
  }
}
