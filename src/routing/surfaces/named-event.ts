import type { JsonObject } from '../../core/json.ts'

/** An event that says its type twice, as Anthropic's and those of responses do. */
export function namedEvent(event: JsonObject & { readonly type: string }): string {
  return `event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`
}
