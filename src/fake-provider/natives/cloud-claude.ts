import { isJsonObject, type Json, type JsonObject } from '../../core/json.ts'
import { complaintAbout } from './anthropic-rules.ts'
import { word, type Complaint } from './anthropic-words.ts'

/** Where Claude is served, beside Anthropic. */
export interface ClaudeCloud {
  readonly version: string
  /** What may be asked for though it is in beta. */
  readonly betas: ReadonlySet<string>
  /** Members that only Anthropic's own API takes, or that this cloud has no place for. */
  readonly lacks: readonly string[]
}

/**
 * What runs at Anthropic alone, or is said elsewhere here (https://platform.claude.com/docs/en/build-with-claude/data-residency,
 * …/claude-on-vertex-ai, https://platform.claude.com/docs/en/api/service-tiers, read 2026-11-27).
 */
export const ANTHROPIC_ALONE = [
  'cache_control',
  'container',
  'diagnostics',
  'inference_geo',
  'mcp_servers',
  'model',
  'service_tier',
  'speed',
] as const

const MANAGED = /^(?:context-management|compact)-/

/** The first thing that is wrong with a request in Anthropic's words, but for its betas. */
export function cloudComplaint(
  json: JsonObject,
  model: string,
  betas: readonly string[],
  { version, lacks }: ClaudeCloud,
): Complaint {
  const { anthropic_version: said, anthropic_beta: _, context_management: managed, ...rest } = json
  if (said !== version) return `anthropic_version: Input should be '${version}'`
  const foreign = Object.keys(json).find((name) => lacks.includes(name))
  if (foreign !== undefined) return `${foreign}: Extra inputs are not permitted`
  if (managed !== undefined && !betas.some((name) => MANAGED.test(name)))
    return 'context_management: Extra inputs are not permitted'
  if (hasUrl(rest['messages'])) return 'messages: URL sources are not supported'
  return complaintAbout({ ...rest, model }, 'message', '2023-06-01')
}

/** Betas that this cloud does not have. */
export function strangeBetas(betas: readonly string[], { betas: known }: ClaudeCloud): readonly string[] {
  return betas.filter((name) => !known.has(name))
}

/** Pictures and documents come as bytes (https://platform.claude.com/docs/en/build-with-claude/vision, read 2026-11-27). */
function hasUrl(list: Json | undefined): boolean {
  if (!Array.isArray(list)) return false
  return list.filter(isJsonObject).some(({ source, content }) => {
    const isUrl = isJsonObject(source) && source['type'] === 'url'
    return isUrl || hasUrl(content)
  })
}

/** As clouds name models in their answers: without their own prefixes and versions. */
export function bareModel(name: string): string {
  return word(name)
    .replace(/^anthropic\./, '')
    .replace(/-v\d+(:\d+)?$/, '')
    .replace('@', '-')
}
