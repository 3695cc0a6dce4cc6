import type { ChatRequest } from '../../core/mode.ts'
import type { Codec, Encoded, Target } from '../adapter.ts'
import { JSON_HEADERS } from '../post-json.ts'
import { decodeConverse } from './converse-answer.ts'
import { toConverse } from './converse-request.ts'
import { openConverseStream } from './converse-stream.ts'
import { decodeInvoke, encodeInvoke, openInvokeStream } from './invoke.ts'
import { claudeVersion, invokedId, mayBeClaude, modelName, modelUrl, STREAM_HEADERS } from './model-id.ts'

/** Chat by Converse and ConverseStream, which speak to all models alike; by InvokeModel where that is asked for. */
export const bedrockChat: Codec<'chat'> = {
  encode: (request, target) => {
    const invoked = invokedId(target.model)
    return invoked === undefined ? encodeConverse(request, target) : encodeInvoke(request, target, invoked)
  },
  strangersIn: ({ model }) => (invokedId(model) === undefined ? 'additionalModelRequestFields' : undefined),
  readsThinking: ({ model }) => claudeVersion(modelName(invokedId(model) ?? model)) !== undefined,
  readsBetas: ({ model }) => mayBeClaude(modelName(invokedId(model) ?? model)),
  // Bedrock fetches nothing: it takes bytes, and what lies in S3.
  inlines: () => true,
  decode: (response, target) =>
    invokedId(target.model) === undefined ? decodeConverse(response, target) : decodeInvoke(response, target),
  openStream: (target) =>
    invokedId(target.model) === undefined ? openConverseStream(target) : openInvokeStream(target),
}

function encodeConverse(request: ChatRequest, target: Target): Encoded {
  const { base, model } = target
  const { body, dropped } = toConverse(request, target, modelName(model))
  const isStream = request.stream === true
  return {
    method: 'POST',
    url: modelUrl(base, model, isStream ? 'converse-stream' : 'converse'),
    headers: isStream ? STREAM_HEADERS : JSON_HEADERS,
    body: JSON.stringify(body),
    dropped,
  }
}
