import type { ProviderAdapter, RelayFace } from '../adapter.ts'
import type { Surface } from './surface.ts'

/** Gemini's own API: what comes in its words is passed on as it is, for the model stands in the address. */
export function googleSurfaces(surface: Surface): NonNullable<ProviderAdapter['surfaces']> {
  return {
    generateContent: faceAt(surface, 'generateContent'),
    streamGenerateContent: faceAt(surface, 'streamGenerateContent?alt=sse'),
  }
}

function faceAt(surface: Surface, method: string): RelayFace {
  return { url: (target) => surface.url(target, method), edits: () => ({}) }
}
