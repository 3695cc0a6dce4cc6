import type { ProviderAdapter, Target } from '../adapter.ts'
import { hasNone } from '../body-defaults.ts'
import type { SurfaceFace } from '../surface-face.ts'
import { anthropicUrl } from './address.ts'
import { betasInHeader } from './betas-in-header.ts'
import { COUNTED, filledAndRefitted } from './surface-defaults.ts'

/** Anthropic's own API: what comes in its words is passed on with the model set, the deployment's defaults filled in, and thoughts in its form. */
export const anthropicSurfaces = {
  messages: faceAt('/messages'),
  countTokens: faceAt('/messages/count_tokens', COUNTED),
} satisfies ProviderAdapter['surfaces']

/** `only`: the members that it takes. */
function faceAt(path: string, only?: readonly string[]): SurfaceFace {
  return {
    url: (target) => anthropicUrl(target, path),
    refitted: (target, body, spans, { 'anthropic-version': asked }) =>
      filledAndRefitted(ofVersion(target, asked), body, spans, only),
    readHeaders: betasInHeader,
    edits: ({ model }) => ({ set: { model: JSON.stringify(model) } }),
  }
}

/** As the client's version has it, where that is the later one: what either refuses is not added to a request. */
function ofVersion(target: Target, asked: string | undefined): Target {
  const { apiVersion = '', bodyDefaults } = target
  return asked === undefined || asked <= apiVersion || hasNone(bodyDefaults)
    ? target
    : { ...target, apiVersion: asked }
}
