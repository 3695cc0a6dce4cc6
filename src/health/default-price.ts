import type { Deployment } from '../core/deployment.ts'
import type { Mode } from '../core/mode.ts'

/**
 * What one whole check costs, dollars, where nobody knows the model's own price: 15 tokens in and 16 out of a model of
 * the middle class, one word embedded, one document ranked, one small picture, a second of sound. Listing batches and
 * opening a realtime session are free. (Prices of early 2026; docs/health.md shows the table.)
 */
const DOLLARS: Readonly<Record<Mode, number>> = {
  chat: 2e-4,
  completion: 5e-5,
  embedding: 3e-7,
  rerank: 2e-3,
  image_generation: 0.04,
  audio_transcription: 1e-4,
  audio_speech: 2e-4,
  batch: 0,
  realtime: 0,
}

/** Dollars for one whole check of a deployment, by its mode. */
export function defaultPrice({ mode }: Pick<Deployment, 'mode'>): number {
  return DOLLARS[mode]
}
