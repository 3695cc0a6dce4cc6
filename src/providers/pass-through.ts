import { scanObject, spliceBody } from '../core/json-spans.ts'
import type { WireRequest } from '../transport/wire.ts'
import type { PassedPath } from './adapter.ts'
import type { Line } from './call.ts'
import { adapterFor } from './registry.ts'
import { belowBase, unescaped } from './route.ts'

/** A request in a provider's own words, for any of its routes. */
export interface ForeignRequest extends Omit<PassedPath, 'model'> {
  /** With its `?`; empty where there is none. */
  readonly query: string
  /** Those of the client's that belong to it; lower-case names. */
  readonly headers: Readonly<Record<string, string>>
  readonly body?: Uint8Array
}

/** The request at this deployment, without credentials. `model` stands in the place of a group's name. */
export function foreignRequest(
  { adapter, target }: Line,
  request: ForeignRequest,
  model: string | undefined,
): WireRequest {
  const { method, path, query, headers, body } = request
  const face = adapter.passThrough
  const passed = { method, path, ...(model !== undefined && { model }) }
  const url = face?.url(target, passed) ?? belowBase(target.base, path)
  const isInBody = model !== undefined && face?.modelIn(path) === undefined
  const sent = body !== undefined && isInBody ? withModel(Buffer.from(body), model) : body
  return { method, url: url + query, headers, ...(sent !== undefined && { body: sent }) }
}

function withModel(body: Buffer, model: string): Buffer {
  return spliceBody(body, scanObject(body), { set: { model: JSON.stringify(model) } })
}

/** The model that a path of this provider's names; undefined where it names none. */
export function modelInPath(provider: string, path: string): string | undefined {
  const written = adapterFor(provider)?.passThrough?.modelIn(path)
  return written === undefined ? undefined : unescaped(written)
}

/** Is that deployment where the path is meant for, as far as paths say so? */
export function suitsPath({ adapter, target }: Line, path: string): boolean {
  return adapter.passThrough?.suits?.(target, path) ?? true
}
