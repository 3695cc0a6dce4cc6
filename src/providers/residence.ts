import type { Residence } from '../core/health.ts'
import type { Limits, WireResponse } from '../transport/wire.ts'
import type { Target } from './adapter.ts'
import { authorized } from './authorized.ts'
import type { Line } from './call.ts'
import { getting } from './look.ts'

/** How one sees, for nothing and without loading it, whether an engine has a model in memory. */
export interface ResidenceFace {
  /** Where a GET shows it; undefined: this model is not the engine's own to load. */
  url(target: Target): string | undefined
  /** Undefined where the answer does not tell. */
  read(response: WireResponse, target: Target): Residence | undefined
}

/** Would a probe's question make an engine load this line's model? */
export function isLoadedByAsking({ adapter, target }: Pick<Line, 'adapter' | 'target'>): boolean {
  return adapter.residence?.url(target) !== undefined
}

/** Whether the engine has the model in memory; undefined where it does not say, or is not asked. @throws GatewayError cancelled */
export async function residenceOf(line: Line, limits: Limits): Promise<Residence | undefined> {
  const { residence } = line.adapter
  const url = residence?.url(line.target)
  if (url === undefined) return undefined
  try {
    const response = await line.transport.send(await authorized(line, getting(url), limits), limits)
    return response.status === 200 ? residence?.read(response, line.target) : undefined
  } catch (error) {
    // Older engines lack the route, and what it says proves nothing that the look before it has not.
    if (limits.signal?.aborted === true) throw error
    return undefined
  }
}
