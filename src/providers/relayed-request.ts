import { memberValue, spliceBody, type BodyEdits, type JsonSpans } from '../core/json-spans.ts'
import type { WireRequest } from '../transport/wire.ts'
import type { RelayFace, Target } from './adapter.ts'
import { unlessSettled } from './body-defaults.ts'
import { formRequest, type RelayedForm } from './form-request.ts'
import { JSON_HEADERS } from './post-json.ts'

/** What a client's body becomes on the wire: the face's edits spliced in, all else as it came. */
export function relayedRequest(
  target: Target,
  face: RelayFace,
  body: Buffer,
  spans: JsonSpans,
  form: RelayedForm | undefined,
): WireRequest {
  const edits = fitted(face, face.edits(target), body, spans)
  if (form !== undefined) {
    const { accept = JSON_HEADERS.accept } = face
    return formRequest(face.url(target), accept, form, { body, spans, edits })
  }
  return {
    method: 'POST',
    url: face.url(target),
    headers: headersOf(face),
    body: spliceBody(body, spans, edits),
  }
}

function headersOf({ accept, headers }: RelayFace): WireRequest['headers'] {
  if (headers !== undefined) return { ...JSON_HEADERS, ...(accept !== undefined && { accept }), ...headers }
  return accept === undefined ? JSON_HEADERS : { ...JSON_HEADERS, accept }
}

/** Carries renamed values over, and leaves out defaults that the body settles under another name. */
function fitted(face: RelayFace, edits: BodyEdits, body: Buffer, spans: JsonSpans): BodyEdits {
  const has = (key: string): boolean => spans.members.some((member) => member.key === key)
  const settled =
    edits.defaults === undefined ? edits : { ...edits, defaults: unlessSettled(edits.defaults, has) }
  if (face.renames === undefined) return settled
  const old = Object.entries(face.renames).filter(([from]) => has(from))
  const moved = old.map(([from, to]): [string, string] => [
    to,
    JSON.stringify(memberValue(body, spans, from) ?? null),
  ])
  return {
    ...settled,
    set: { ...edits.set, ...Object.fromEntries(moved) },
    remove: [...(edits.remove ?? []), ...old.map(([from]) => from)],
  }
}
