import type { ProviderAdapter } from '../adapter.ts'
import { CLOUD_UNSAID, inliningOf, refittedForCloud } from '../anthropic/cloud-surface.ts'
import { betasInHeader } from '../anthropic/betas-in-header.ts'
import { BETA_HEADER } from '../betas.ts'
import { picked } from '../body-defaults.ts'
import { googleSurfaces } from '../gemini/surfaces.ts'
import type { SurfaceFace } from '../surface-face.ts'
import { CLAUDE_VERSION, VERTEX } from './address.ts'
import { speaksGemini, vertexModel } from './model-name.ts'

/**
 * Claude on Vertex AI in Anthropic's own words (https://platform.claude.com/docs/en/build-with-claude/claude-on-vertex-ai,
 * read 2026-11-27): the path names the model and whether it streams, the body the version. What is in beta is asked for by
 * the header, as at Anthropic.
 */
const CLAUDE: SurfaceFace = {
  url: (target) => VERTEX.url(target, 'rawPredict'),
  serves: ({ model }) => vertexModel(model).words === 'anthropic',
  inlining: inliningOf,
  refitted: (target, body, spans) => refittedForCloud(target, target.model, body, spans),
  readHeaders: (target, headers, body, spans) =>
    betasInHeader(target, picked(headers, [BETA_HEADER]), body, spans),
  edits: () => ({ set: { anthropic_version: JSON.stringify(CLAUDE_VERSION) }, remove: CLOUD_UNSAID }),
}

/** Gemini's API, and for Claude Anthropic's. */
export const vertexSurfaces: NonNullable<ProviderAdapter['surfaces']> = {
  ...googleSurfaces(VERTEX, speaksGemini),
  messages: { ...CLAUDE, streamed: { ...CLAUDE, url: (target) => VERTEX.url(target, 'streamRawPredict') } },
}
