import type { Json, JsonObject } from '../core/json.ts'
import { memberValue, scanObject, spliceBody, type JsonSpans } from '../core/json-spans.ts'
import type { WireRequest } from '../transport/wire.ts'
import type { Codec, Target } from './adapter.ts'

/**
 * The header by which Anthropic is asked for what is in beta: names with commas between them
 * (https://platform.claude.com/docs/en/api/beta-headers).
 */
export const BETA_HEADER = 'anthropic-beta'
/** The member that stands for it in bodies (https://docs.aws.amazon.com/bedrock/latest/userguide/model-parameters-anthropic-claude-messages-request-response.html). */
export const BETA_MEMBER = 'anthropic_beta'

/** Names as a header or a list has them. */
export function betaNames(written: Json | undefined): readonly string[] {
  const names = typeof written === 'string' ? written.split(',') : Array.isArray(written) ? written : []
  return names.flatMap((name: Json) => (typeof name === 'string' && name.trim() !== '' ? [name.trim()] : []))
}

/** All of them, each once, in this order. */
export function allBetas(...written: readonly (Json | undefined)[]): readonly string[] {
  return [...new Set(written.flatMap(betaNames))]
}

/** What a deployment asks for, then what a request does. */
export function betasOf(
  { bodyDefaults }: Pick<Target, 'bodyDefaults'>,
  request: JsonObject,
): readonly string[] {
  return allBetas(bodyDefaults[BETA_MEMBER], request[BETA_MEMBER])
}

/** The same of a body in Anthropic's words and the client's headers. */
export function betasIn(
  { bodyDefaults }: Pick<Target, 'bodyDefaults'>,
  headers: Readonly<Record<string, string>>,
  body: Buffer,
  spans: JsonSpans,
): readonly string[] {
  return allBetas(bodyDefaults[BETA_MEMBER], memberValue(body, spans, BETA_MEMBER), headers[BETA_HEADER])
}

/** A request with these in its header. */
export function withBetas<Request extends WireRequest>(request: Request, betas: readonly string[]): Request {
  return betas.length === 0
    ? request
    : { ...request, headers: { ...request.headers, [BETA_HEADER]: betas.join(',') } }
}

/**
 * A chat whose client asks by Anthropic's header for what is in beta, with that in its body, where the provider reads it
 * there; undefined where it does not.
 */
export function withClientBetas(
  { readsBetas }: Pick<Codec<'chat'>, 'readsBetas'>,
  target: Target,
  header: string,
  body: Buffer,
  spans: JsonSpans,
): { readonly body: Buffer; readonly spans: JsonSpans } | undefined {
  if (readsBetas?.(target) !== true) return undefined
  const betas = allBetas(memberValue(body, spans, BETA_MEMBER), header)
  if (betas.length === 0) return undefined
  const told = spliceBody(body, spans, { set: { [BETA_MEMBER]: JSON.stringify(betas) } })
  return { body: told, spans: scanObject(told) }
}
