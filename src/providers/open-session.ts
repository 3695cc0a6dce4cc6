import type { Deployment } from '../core/deployment.ts'
import { GatewayError } from '../core/failure.ts'
import type { Secret } from '../core/secret.ts'
import { MAX_SOCKET_MESSAGE_BYTES, type OpenSocket } from '../core/web-socket.ts'
import type { WireRequest } from '../transport/wire.ts'
import type { SessionGround, SessionTranslator } from './realtime-face.ts'
import { authorized } from './authorized.ts'
import { refusalOf, type Line } from './call.ts'

/** How to open a session that a client is going to lead. */
export interface SessionOptions {
  /** The client's own headers that go upstream, lower-case names; the provider's and the deployment's win. */
  readonly headers: Readonly<Record<string, string>>
  /** For the handshake, milliseconds. */
  readonly timeoutMs: number
  /** As in Limits. */
  readonly connectTimeoutMs?: () => number
  readonly signal: AbortSignal
}

/** True where this deployment's provider has realtime sessions. */
export function hasSessions({ adapter }: Line): boolean {
  return adapter.realtime !== 'unsupported'
}

/** What stands between the two sides of a session; undefined where both speak OpenAI's words. */
export function sessionTranslator(
  { adapter, target, redact, fieldRules }: Line,
  ground: Pick<SessionGround, 'sessionId' | 'isBeta'>,
): SessionTranslator | undefined {
  if (adapter.realtime === 'unsupported') return undefined
  return adapter.realtime.translate?.(target, { ...ground, redact, mayDrop: fieldRules.dropParams })
}

/**
 * The deployment with a key for one session in place of its own credentials.
 * @throws GatewayError misconfigured where the provider knows no such keys
 */
export function withSessionKey({ adapter, deployment }: Line, key: Secret): Deployment {
  const face = adapter.realtimeKeys
  if (face !== 'unsupported') return face.withKey(deployment, key)
  throw new GatewayError('misconfigured', `provider "${adapter.id}" has no keys for realtime sessions`, {
    source: 'gateway',
  })
}

/**
 * Opens a realtime session by the road that probes take, and hands it over unread and paused: the client speaks
 * first, or hears the provider's greeting.
 * @throws GatewayError misconfigured (no sessions there), the provider's refusal, or what the network said; not yet
 * explained, and not redacted
 */
export async function openSession(line: Line, options: SessionOptions): Promise<OpenSocket> {
  const face = line.adapter.realtime
  if (face === 'unsupported')
    throw new GatewayError('misconfigured', `provider "${line.adapter.id}" has no realtime sessions`, {
      source: 'gateway',
    })
  const request = face.dial(line.target)
  const wire: WireRequest = {
    method: 'GET',
    url: request.url,
    // What a client says to OpenAI by header is nothing that another API knows.
    headers: { ...(face.translate === undefined && options.headers), ...request.headers },
  }
  const { timeoutMs, connectTimeoutMs, signal } = options
  const { url, headers } = await authorized(line, wire, { timeoutMs, signal })
  const opened = await line.transport.openSocket(
    { url, headers, protocols: request.protocols },
    {
      timeoutMs,
      signal,
      maxBytes: MAX_SOCKET_MESSAGE_BYTES,
      ...(connectTimeoutMs !== undefined && { connectTimeoutMs }),
    },
  )
  if ('refused' in opened) throw refusalOf(line, opened.refused)
  return opened.socket
}
