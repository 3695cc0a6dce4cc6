import { BETA_HEADER, BETA_MEMBER, betasIn } from '../betas.ts'
import type { SurfaceFace } from '../surface-face.ts'

/** What is in beta is asked for by the header alone: a body with `anthropic_beta` is refused, and defaults are no header. */
export const betasInHeader: NonNullable<SurfaceFace['readHeaders']> = (target, headers, body, spans) => {
  const isSaid = spans.members.some(({ key }) => key === BETA_MEMBER)
  if (!isSaid && target.bodyDefaults[BETA_MEMBER] === undefined) return { headers }
  const betas = betasIn(target, headers, body, spans)
  return {
    headers: betas.length === 0 ? headers : { ...headers, [BETA_HEADER]: betas.join(',') },
    ...(isSaid && { edits: { remove: [BETA_MEMBER] } }),
  }
}
