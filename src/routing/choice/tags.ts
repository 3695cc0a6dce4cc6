import { GatewayError } from '../../core/failure.ts'
import { isJsonObject } from '../../core/json.ts'
import type { Json, JsonObject } from '../../core/json.ts'
import { memberValue } from '../../core/json-spans.ts'
import type { JsonSpans } from '../../core/json-spans.ts'
import type { Candidate } from './directory.ts'
import type { RequestHeaders } from '../request/request-headers.ts'

/** What the config says of tags. */
export interface TagRules {
  /** `enable_tag_filtering`. */
  readonly isEnabled: boolean
  /** `tag_filtering_match_any`: one common tag is enough; else the deployment must have all of the request's. */
  readonly matchesAny: boolean
}

/** The tag of deployments for requests that no other is for. */
const DEFAULT_TAG = 'default'
/** A request has no use for more. */
const MAX_TAGS = 100
/** Patterns see no more of a header than this. */
const MAX_AGENT_CHARS = 512

/**
 * What a request is tagged with: its `tags`, those of `metadata` and `litellm_metadata`, and the header's; and, for
 * `tag_regex`, its user agent as LiteLLM writes it, which no plain tag looks like.
 */
export function readTags(body: Buffer, spans: JsonSpans, headers: RequestHeaders): readonly string[] {
  const header = headers['x-litellm-tags']
  const agent = headers['user-agent']
  const named = [
    ...(typeof header === 'string' ? header.split(',').map((tag) => tag.trim()) : []),
    ...textsIn(memberValue(body, spans, 'tags')),
    ...textsIn(tagsIn(memberValue(body, spans, 'metadata'))),
    ...textsIn(tagsIn(memberValue(body, spans, 'litellm_metadata'))),
  ]
  return [
    ...named.filter((tag) => tag !== '' && !tag.startsWith(AGENT)).slice(0, MAX_TAGS),
    ...(typeof agent === 'string' ? [AGENT + agent.slice(0, MAX_AGENT_CHARS)] : []),
  ]
}

const AGENT = 'User-Agent: '

function tagsIn(metadata: Json | undefined): Json | undefined {
  return isJsonObject(metadata) ? metadata['tags'] : undefined
}

function textsIn(list: Json | undefined): readonly string[] {
  if (typeof list === 'string') return [list]
  return Array.isArray(list) ? list.filter((each) => typeof each === 'string') : []
}

/** `metadata` without the tags that were meant for the gateway: providers take texts there, and no lists. */
export function withoutTags(body: Buffer, spans: JsonSpans): JsonObject {
  const metadata = memberValue(body, spans, 'metadata')
  if (!isJsonObject(metadata) || !Array.isArray(metadata['tags'])) return {}
  const { tags: _, ...rest } = metadata
  return { metadata: rest }
}

/**
 * The candidates for a request with these tags, in LiteLLM's order: those with its tags, those whose pattern fits its
 * user agent, those tagged `default`; a request without tags goes to the `default` ones, or to all where there are none.
 * @throws GatewayError auth (401, the client's doing) where a tagged request finds nobody
 */
export function tagged(
  model: string,
  candidates: readonly Candidate[],
  asked: readonly string[],
  { matchesAny }: TagRules,
): readonly Candidate[] {
  const agent = asked.find((tag) => tag.startsWith(AGENT))
  const tags = agent === undefined ? asked : asked.slice(0, -1)
  const exact = tags.length === 0 ? [] : candidates.filter((each) => hasTags(each, tags, matchesAny))
  if (exact.length > 0) return exact
  const fitting = agent === undefined ? [] : candidates.filter((each) => fits(each, agent))
  if (fitting.length > 0) return fitting
  const usual = candidates.filter((each) => tagsOf(each).includes(DEFAULT_TAG))
  if (usual.length > 0) return usual
  if (tags.length === 0) return candidates
  const message = `Not allowed to access model due to tags configuration. Passed model=${model.slice(0, 256)} and tags=${tags.join(', ').slice(0, 256)}`
  throw new GatewayError('auth', message, { status: 401, source: 'client', param: 'tags' })
}

function tagsOf({ deployment }: Candidate): readonly string[] {
  return deployment.traffic?.tags ?? []
}

function hasTags(candidate: Candidate, tags: readonly string[], matchesAny: boolean): boolean {
  const own = tagsOf(candidate)
  const has = (tag: string): boolean => own.includes(tag)
  return matchesAny ? tags.some(has) : tags.every(has)
}

function fits({ deployment }: Candidate, agent: string): boolean {
  return deployment.traffic?.tagPatterns?.some((pattern) => pattern.test(agent)) === true
}
