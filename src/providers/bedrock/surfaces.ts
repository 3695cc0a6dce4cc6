import type { ProviderAdapter, Target } from '../adapter.ts'
import { CLOUD_UNSAID, inliningOf, refittedForCloud } from '../anthropic/cloud-surface.ts'
import { BETA_HEADER, BETA_MEMBER, betasIn } from '../betas.ts'
import type { HeadersRead, SurfaceFace } from '../surface-face.ts'
import { CONVERSE_WORDS } from './converse-request.ts'
import { CLAUDE_VERSION } from './invoke.ts'
import { openMessageFrames } from './message-frames.ts'
import { claudeOf, invokedId, modelUrl, STREAM_HEADERS } from './model-id.ts'

/**
 * Claude on Bedrock in Anthropic's own words, by InvokeModel
 * (https://docs.aws.amazon.com/bedrock/latest/userguide/model-parameters-anthropic-claude-messages-request-response.html,
 * read 2026-11-27): the path names the model and whether it streams, the body the version and what is in beta.
 */
const CLAUDE: SurfaceFace = {
  url: (target) => urlOf(target, 'invoke'),
  serves: (target) => claudeOf(target) !== undefined && !saysConverse(target),
  takes: (_target, _body, { members }) => members.every(({ key }) => !CONVERSE_WORDS.has(key)),
  inlining: inliningOf,
  refitted: (target, body, spans) => refittedForCloud(target, claudeOf(target) ?? target.model, body, spans),
  readHeaders: (target, headers, body, spans) => {
    const { [BETA_MEMBER]: own } = target.bodyDefaults
    if (headers[BETA_HEADER] === undefined && own === undefined) return NOTHING
    const betas = betasIn(target, headers, body, spans)
    return betas.length === 0
      ? NOTHING
      : { headers: {}, edits: { set: { [BETA_MEMBER]: JSON.stringify(betas) } } }
  },
  edits: () => ({
    set: { anthropic_version: JSON.stringify(CLAUDE_VERSION) },
    remove: [...CLOUD_UNSAID, 'stream'],
  }),
}

/** What a deployment's defaults say in Converse's words is said there. */
function saysConverse({ bodyDefaults }: Target): boolean {
  for (const name in bodyDefaults) if (CONVERSE_WORDS.has(name)) return true
  return false
}

const NOTHING: HeadersRead = { headers: {} }

function urlOf({ base, model }: Target, action: string): string {
  return modelUrl(base, invokedId(model) ?? model, action)
}

/** Anthropic's API, before claudes. */
export const bedrockSurfaces: NonNullable<ProviderAdapter['surfaces']> = {
  messages: {
    ...CLAUDE,
    streamed: {
      ...CLAUDE,
      url: (target) => urlOf(target, 'invoke-with-response-stream'),
      accept: STREAM_HEADERS.accept,
      openFrames: openMessageFrames,
    },
  },
}
