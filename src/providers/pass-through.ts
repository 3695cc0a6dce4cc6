import { scanObject, spliceBody } from '../core/json-spans.ts'
import type { WireRequest } from '../transport/wire.ts'
import type { PassedPath, PassThroughFace } from './adapter.ts'
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
  const named = model === undefined ? undefined : nameInBody(adapter.passThrough, path, model)
  const sent = body !== undefined && named !== undefined ? withModel(Buffer.from(body), named) : body
  return { method, url: url + query, headers, ...(sent !== undefined && { body: sent }) }
}

function nameInBody(face: PassThroughFace | undefined, path: string, model: string): string | undefined {
  if (face?.modelInBody !== undefined) return face.modelInBody(path, model)
  return face?.modelIn(path) === undefined ? model : undefined
}

/** A body that names no model goes out as it came. */
function withModel(body: Buffer, model: string): Buffer {
  const spans = scanObject(body)
  return spans.members.some(({ key }) => key === 'model')
    ? spliceBody(body, spans, { set: { model: JSON.stringify(model) } })
    : body
}

/** The model that a path of this provider's names; undefined where it names none. */
export function modelInPath(provider: string, path: string): string | undefined {
  const written = adapterFor(provider)?.passThrough?.modelIn(path)
  return written === undefined ? undefined : unescaped(written)
}

/** Does this provider know one model by both names? What stands before a slash says how a model is asked, or where. */
export function isSameModel(provider: string, written: string, asked: string): boolean {
  return (
    written === asked ||
    written.endsWith(`/${asked}`) ||
    adapterFor(provider)?.passThrough?.isSame?.(written, asked) === true
  )
}

/** Is that deployment where the path is meant for, as far as paths say so? */
export function suitsPath({ adapter, target }: Line, path: string): boolean {
  return adapter.passThrough?.suits?.(target, path) ?? true
}
