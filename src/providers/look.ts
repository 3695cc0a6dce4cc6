import type { Limits, WireRequest } from '../transport/wire.ts'
import { authorized } from './authorized.ts'
import { described, refusalOf, type Line } from './call.ts'

/** The provider's free request for this line, without credentials; undefined where it has none. */
export function freeRequest(line: Line): WireRequest | undefined {
  const { adapter, target } = line
  const url = adapter.freeUrl?.(target)
  return adapter.freeRequest?.(target) ?? (url === undefined ? undefined : getting(url))
}

/** A free GET. */
export function getting(url: string): WireRequest {
  return { method: 'GET', url, headers: { accept: 'application/json' } }
}

/**
 * Sends a free request. A 2xx proves no mode, only that the server answers, takes the key, and, where
 * its provider can tell, has the model.
 * @throws GatewayError as `exchange` does
 */
export async function look(line: Line, wire: WireRequest, limits: Limits): Promise<void> {
  try {
    const response = await line.transport.send(await authorized(line, wire, limits), limits)
    if (response.status < 200 || response.status > 299) throw refusalOf(line, response)
    line.adapter.freeProof?.(response, line.target)
  } catch (error) {
    throw described(line, wire, error)
  }
}
