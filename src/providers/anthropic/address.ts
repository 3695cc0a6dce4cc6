import type { Target } from '../adapter.ts'

/** Where Anthropic serves something below `/v1`; a base may end in `/v1` or `/v1/messages` as well. */
export function anthropicUrl(target: Target, path: string): string {
  return `${target.base.replace(/\/messages$/, '').replace(/\/v1$/, '')}/v1${path}`
}
