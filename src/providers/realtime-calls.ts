import type { JsonObject } from '../core/json.ts'
import { GatewayError } from '../core/failure.ts'
import type { Limits, WireRequest, WireResponse } from '../transport/wire.ts'
import { authorized } from './authorized.ts'
import { refusalOf, type Line } from './call.ts'
import { encodeForm } from './multipart.ts'
import { JSON_HEADERS } from './post-json.ts'

/** What a caller offers for a peer connection, and what the session is to be. */
export interface CallOffer {
  /** A session description (RFC 8866). */
  readonly sdp: string
  /** Absent: as it was settled when the key was asked for. */
  readonly session?: JsonObject
}

/** What can be done to a call that is there. */
export type CallStep = 'accept' | 'hangup' | 'refer' | 'reject'

/** True where this deployment's provider takes calls over WebRTC. */
export function hasRealtimeCalls({ adapter, target }: Line): boolean {
  return adapter.realtimeKeys !== 'unsupported' && adapter.realtimeKeys.callsUrl(target) !== undefined
}

/**
 * The request that begins a call, without credentials.
 * @throws GatewayError misconfigured where the provider takes none
 */
export function realtimeCallRequest(line: Line, { sdp, session }: CallOffer): WireRequest {
  const [method, url, accept] = ['POST', callsUrl(line), 'application/sdp'] as const
  if (session === undefined)
    return { method, url, headers: { accept, 'content-type': 'application/sdp' }, body: sdp }
  const { contentType, body } = encodeForm([
    ['sdp', sdp],
    ['session', JSON.stringify(session)],
  ])
  return { method, url, headers: { accept, 'content-type': contentType }, body }
}

/** The request for a step of a call, without credentials; `id` is the provider's. */
export function realtimeStepRequest(
  line: Line,
  id: string,
  step: CallStep,
  body: JsonObject | undefined,
): WireRequest {
  const url = `${callsUrl(line)}/${encodeURIComponent(id)}/${step}`
  if (body === undefined) return { method: 'POST', url, headers: { accept: '*/*' } }
  return { method: 'POST', url, headers: { ...JSON_HEADERS, accept: '*/*' }, body: JSON.stringify(body) }
}

function callsUrl({ adapter, target }: Line): string {
  const face = adapter.realtimeKeys
  const url = face === 'unsupported' ? undefined : face.callsUrl(target)
  if (url !== undefined) return url
  const message = `provider "${adapter.id}" takes no calls over WebRTC here`
  throw new GatewayError('misconfigured', message, { source: 'gateway' })
}

/**
 * Sends it and reads the answer, which is a session description or nothing.
 * @throws GatewayError the provider's refusal or what the network said; not yet explained, and not redacted
 */
export async function askCall(line: Line, wire: WireRequest, limits: Limits): Promise<WireResponse> {
  const response = await line.transport.send(await authorized(line, wire, limits), limits)
  if (response.status < 200 || response.status > 299) throw refusalOf(line, response)
  return response
}
