import type { Target } from '../adapter.ts'

/** A route of version 1. A base that ends in `/v1`, with or without a route after it, is meant. */
export function elevenLabsUrl({ base }: Pick<Target, 'base'>, route: string): string {
  const root = base.replace(/\/v1(?:\/(?:speech-to-text|text-to-speech))?$/, '')
  return `${root}/v1${route}`
}
