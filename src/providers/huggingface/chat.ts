import { memberValue } from '../../core/json-spans.ts'
import type { JsonObject } from '../../core/json.ts'
import type { Codec, Target } from '../adapter.ts'
import type { RelayedChat } from '../openai/chat.ts'
import { CHANGES_NOTHING, OPENAI_EXTRAS, saysSomething } from '../unsaid.ts'

/** OpenAI's members that it does not document (https://huggingface.co/docs/inference-providers/tasks/chat-completion, read 2026-11-27). */
export const LACKS: readonly string[] = [
  ...OPENAI_EXTRAS,
  'n',
  'logit_bias',
  'parallel_tool_calls',
  'thinking',
]
const LACKED: ReadonlySet<string> = new Set(LACKS)
/** Those that never change an answer. */
const SILENT: readonly string[] = LACKS.filter((name) => CHANGES_NOTHING.has(name))
/** Those that may. */
const SPOKEN: ReadonlySet<string> = new Set(LACKS.filter((name) => !CHANGES_NOTHING.has(name)))

/**
 * OpenAI's chat, passed on without what it does not document and what says no more than is so anyway, such as `n: 1`:
 * many clients write that, and it is refused. Whatever says something goes out, and is the provider's to refuse.
 */
export function huggingFaceChat(alike: RelayedChat): Codec<'chat'> {
  return {
    ...alike,
    answersAsIs: true,
    relay: {
      ...alike.relay,
      edits: (target) => ({ ...alike.relay.edits(bareTarget(target)), remove: SILENT }),
      takes: (_, body, spans) =>
        spans.members.every(
          ({ key }) => !SPOKEN.has(key) || saysSomething(key, memberValue(body, spans, key)),
        ),
    },
    encode: ({ messages, ...rest }, target) => alike.encode({ messages, ...bare(rest) }, bareTarget(target)),
  }
}

function bareTarget(target: Target): Target {
  return { ...target, bodyDefaults: bare(target.bodyDefaults) }
}

function bare(body: JsonObject): JsonObject {
  return Object.fromEntries(
    Object.entries(body).filter(([name, value]) => !LACKED.has(name) || saysSomething(name, value)),
  )
}
