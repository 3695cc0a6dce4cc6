import type { ProviderAdapter, RelayFace } from '../adapter.ts'
import { anthropicUrl } from './address.ts'

/** Anthropic's own API: what comes in its words is passed on with the model set. */
export const anthropicSurfaces: NonNullable<ProviderAdapter['surfaces']> = {
  messages: faceAt('/messages'),
  countTokens: faceAt('/messages/count_tokens'),
}

function faceAt(path: string): RelayFace {
  return {
    url: (target) => anthropicUrl(target, path),
    edits: ({ model }) => ({ set: { model: JSON.stringify(model) } }),
  }
}
