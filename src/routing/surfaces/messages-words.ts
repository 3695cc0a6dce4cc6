import type { JsonObject } from '../../core/json.ts'
import type { ChatUsage } from './chat-answer.ts'

/** As Anthropic's ids begin. */
export function messageId(id: string): string {
  return id.startsWith('msg_') ? id : `msg_${id}`
}

/** Why the model stopped, in Anthropic's words. */
export function stopReason(finish: string | undefined, hasCalls: boolean, isRefused: boolean): string {
  switch (finish) {
    case 'length':
      return 'max_tokens'
    case 'content_filter':
      return 'refusal'
    default:
      // Some servers say "stop" of a call, too.
      return hasCalls ? 'tool_use' : isRefused ? 'refusal' : 'end_turn'
  }
}

/** Anthropic counts what was cached beside the rest of the prompt, OpenAI within it. */
export function usageOf({ prompt, completion, cached, written }: ChatUsage): JsonObject {
  return {
    input_tokens: Math.max(prompt - cached - written, 0),
    cache_creation_input_tokens: written,
    cache_read_input_tokens: cached,
    output_tokens: completion,
  }
}
