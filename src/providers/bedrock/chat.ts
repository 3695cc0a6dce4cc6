import type { Codec } from '../adapter.ts'
import { JSON_HEADERS, postJson } from '../post-json.ts'
import { decodeConverse } from './converse-answer.ts'
import { toConverse } from './converse-request.ts'
import { openConverseStream } from './converse-stream.ts'
import { modelName, modelUrl, splitModel } from './model-id.ts'

const STREAM_HEADERS = { ...JSON_HEADERS, accept: 'application/vnd.amazon.eventstream' }

/** Chat by Converse and ConverseStream, which speak to all models alike. */
export const bedrockChat: Codec<'chat'> = {
  encode: (request, target) => {
    const { id } = splitModel(target.model)
    const { body, dropped } = toConverse(request, target, modelName(id))
    const isStream = request.stream === true
    const wire = postJson(modelUrl(target.base, id, isStream ? 'converse-stream' : 'converse'), body)
    return { ...wire, dropped, ...(isStream && { headers: STREAM_HEADERS }) }
  },
  // Bedrock fetches nothing: it takes bytes, and what lies in S3.
  inlines: () => true,
  decode: decodeConverse,
  openStream: openConverseStream,
}
