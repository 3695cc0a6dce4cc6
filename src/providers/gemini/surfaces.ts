import type { ProviderAdapter } from '../adapter.ts'
import type { SurfaceFace } from '../surface-face.ts'
import type { Surface } from './surface.ts'

/** https://ai.google.dev/api/tokens#request-body */
const WHOLE_REQUEST = /^generate_?content_?request$/i

/**
 * Gemini's own API: what comes in its words is passed on as it is, for the model stands in the address. `serves` says
 * which models speak it; absent: all do.
 */
export function googleSurfaces(
  surface: Surface,
  serves?: SurfaceFace['serves'],
): NonNullable<ProviderAdapter['surfaces']> {
  const faceAt = (method: string): SurfaceFace => ({
    url: (target) => surface.url(target, method),
    edits: () => ({}),
    ...(serves !== undefined && { serves }),
  })
  return {
    generateContent: faceAt('generateContent'),
    streamGenerateContent: faceAt('streamGenerateContent?alt=sse'),
    countContent: {
      ...faceAt('countTokens'),
      // What stands in it names its model once more, by the name of the client's.
      takes: (_target, _body, { members }) => members.every(({ key }) => !WHOLE_REQUEST.test(key)),
    },
  }
}
