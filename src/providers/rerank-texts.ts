import { memberValue, type JsonSpans } from '../core/json-spans.ts'
import type { Json } from '../core/json.ts'
import type { Operations } from '../core/mode.ts'
import type { Codec, Encoded, Target } from './adapter.ts'
import { withDefaults } from './body-defaults.ts'
import { sayable } from './unsaid.ts'

/** What the gateway says or does in the provider's place. */
const OURS = ['rank_fields', 'return_documents'] as const
const LACKS: ReadonlySet<string> = new Set(['max_chunks_per_doc', 'metadata', 'user'])
const OPEN_BRACE = 0x7b

/**
 * Rerank where the second version of Cohere's API is spoken: its documents are texts, and it neither picks members of
 * objects nor says documents again (https://docs.cohere.com/reference/rerank, read 2026-11-27). Bodies with any of that are
 * translated, all others are passed on. `isSecond`: is that what this deployment speaks?
 */
export function rerankOfTexts(
  codec: Codec<'rerank'>,
  isSecond: (target: Target) => boolean,
): Codec<'rerank'> {
  return {
    ...codec,
    encode: (request, target) =>
      isSecond(target) ? inTexts(codec, request, target) : codec.encode(request, target),
    ...(codec.relay !== undefined && {
      relay: {
        ...codec.relay,
        takes: (target, body, spans) => isPlain(target, body, spans) || !isSecond(target),
      },
    }),
  }
}

function inTexts(codec: Codec<'rerank'>, request: Operations['rerank']['request'], target: Target): Encoded {
  const {
    rank_fields: _,
    return_documents: __,
    ...asked
  } = withDefaults('rerank', request, target.bodyDefaults)
  const { said, dropped } = sayable(asked, LACKS)
  const { query, documents } = request
  return { ...codec.encode({ ...said, query, documents }, { ...target, bodyDefaults: {} }), dropped }
}

/** Both versions understand it. */
function isPlain({ bodyDefaults }: Target, body: Buffer, spans: JsonSpans): boolean {
  if (spans.members.some(({ key }) => isStrange(key)) || Object.keys(bodyDefaults).some(isStrange))
    return false
  const documents = spans.members.findLast(({ key }) => key === 'documents')
  if (documents === undefined) return true
  const brace = body.indexOf(OPEN_BRACE, documents.valueStart)
  // Nearly always there is none; it may stand in a text, though.
  if (brace === -1 || brace >= documents.valueEnd) return true
  const listed = memberValue(body, spans, 'documents')
  return !Array.isArray(listed) || listed.every((one: Json) => typeof one === 'string')
}

function isStrange(name: string): boolean {
  return LACKS.has(name) || OURS.some((ours) => ours === name)
}
