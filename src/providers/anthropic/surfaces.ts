import type { ProviderAdapter } from '../adapter.ts'
import type { SurfaceFace } from '../surface-face.ts'
import { anthropicUrl } from './address.ts'
import { refitted } from './refit.ts'

/** Anthropic's own API: what comes in its words is passed on with the model set, and thoughts in its form. */
export const anthropicSurfaces = {
  messages: faceAt('/messages'),
  countTokens: faceAt('/messages/count_tokens'),
} satisfies ProviderAdapter['surfaces']

function faceAt(path: string): SurfaceFace {
  return {
    url: (target) => anthropicUrl(target, path),
    refitted,
    edits: ({ model }) => ({ set: { model: JSON.stringify(model) } }),
  }
}
