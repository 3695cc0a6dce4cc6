import type { Json } from '../../core/json.ts'
import { memberValue } from '../../core/json-spans.ts'
import type { ProviderAdapter, Target } from '../adapter.ts'
import {
  areMessagesDefaults,
  CLOUD_UNSAID,
  inliningOf,
  refittedForCloud,
} from '../anthropic/cloud-surface.ts'
import type { HeadersRead, SurfaceFace } from '../surface-face.ts'
import { CONVERSE_WORDS } from './converse-request.ts'
import { CLAUDE_VERSION } from './invoke.ts'
import { openMessageFrames } from './message-frames.ts'
import { invokedId, modelUrl, STREAM_HEADERS } from './model-id.ts'

/**
 * Claude on Bedrock in Anthropic's own words, by InvokeModel
 * (https://docs.aws.amazon.com/bedrock/latest/userguide/model-parameters-anthropic-claude-messages-request-response.html,
 * read 2026-11-27): the path names the model and whether it streams, the body the version and what is in beta.
 */
const CLAUDE: SurfaceFace = {
  url: (target) => urlOf(target, 'invoke'),
  serves: ({ claude, bodyDefaults }) => claude !== undefined && areMessagesDefaults(bodyDefaults),
  takes: (_target, _body, { members }) => members.every(({ key }) => !CONVERSE_WORDS.has(key)),
  inlining: inliningOf,
  refitted: (target, body, spans) => refittedForCloud(target, target.claude ?? target.model, body, spans),
  readHeaders: ({ 'anthropic-beta': betas }, body, spans) =>
    betas === undefined ? NOTHING : inBody(betas, memberValue(body, spans, 'anthropic_beta')),
  edits: () => ({
    set: { anthropic_version: JSON.stringify(CLAUDE_VERSION) },
    remove: [...CLOUD_UNSAID, 'stream'],
  }),
}

const NOTHING: HeadersRead = { headers: {} }

/** Beside what the body asks for already. */
function inBody(betas: string, asked: Json | undefined): HeadersRead {
  const named = betas.split(',').flatMap((name) => (name.trim() === '' ? [] : [name.trim()]))
  const all = new Set<Json>([...(Array.isArray(asked) ? asked : []), ...named])
  return { headers: {}, edits: { set: { anthropic_beta: JSON.stringify([...all]) } } }
}

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
