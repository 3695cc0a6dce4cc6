import { isIP, Socket, type OnReadOpts } from 'node:net'
import { connect, createSecureContext, type SecureContext } from 'node:tls'

/** Whose certificates are accepted. */
export interface Trust {
  /** False: everybody's. */
  readonly isVerified: boolean
  /**
   * Reads PEM that stands in place of Node's own list of authorities.
   * @throws GatewayError misconfigured where it cannot be read
   */
  readonly authorities?: () => string
}

/** Who is to answer over TLS. */
export interface Peer {
  readonly host: string
  readonly port: number
  /** The name that the certificate must carry; absent: `host`. */
  readonly servername?: string
}

/**
 * TLS over an open connection, or over a new one to the peer, read as it is said; the socket says `secureConnect` when
 * it is up. Throws where the authorities are no PEM.
 */
export type Encrypt = (over: Socket | OnReadOpts, peer: Peer) => Socket

/** Sessions that are remembered, so that the next handshake is shorter. */
const MAX_SESSIONS = 1_000

/** Remembers the newest session of each server; the server that was met first is forgotten first. */
export function createEncrypt(trust: Trust): Encrypt {
  const sessions = new Map<string, Buffer>()
  const remember = (key: string, session: Buffer): void => {
    const [oldest] = sessions.keys()
    if (sessions.size >= MAX_SESSIONS && oldest !== undefined && !sessions.has(key)) sessions.delete(oldest)
    sessions.set(key, session)
  }
  let context: SecureContext | undefined
  return (over, { host, port, servername = host }) => {
    // Made once: reading a list of authorities takes milliseconds.
    context ??= createSecureContext(trust.authorities === undefined ? {} : { ca: trust.authorities() })
    const key = `${servername}:${port}`
    const session = sessions.get(key)
    const socket = connect({
      ...(over instanceof Socket ? { socket: over } : { port, onread: over }),
      secureContext: context,
      rejectUnauthorized: trust.isVerified,
      ALPNProtocols: ['http/1.1'],
      host,
      ...(isIP(servername) === 0 && { servername }),
      ...(session !== undefined && { session }),
    })
    return socket.on('session', (ticket) => remember(key, ticket))
  }
}
