import type { ProviderAdapter } from '../adapter.ts'
import { createClassify } from '../classify.ts'
import { openAiCompatible } from '../openai-compatible/adapter.ts'
import { OLD_BUDGET, type CompatibleRow } from '../openai-compatible/row.ts'
import { OPENAI_EXTRAS } from '../unsaid.ts'
import { databricksChat } from './chat.ts'
import { connectDatabricks, workspaceOf } from './connect.ts'

/** In what it is like OpenAI. */
const ROW: CompatibleRow = {
  id: 'databricks',
  keyEnv: ['DATABRICKS_API_KEY', 'DATABRICKS_TOKEN'],
  renames: OLD_BUDGET,
  unsupported: [
    'realtime',
    'batch',
    'audio_speech',
    'audio_transcription',
    'rerank',
    'image_generation',
    'moderation',
  ],
  // Extra inputs are not permitted: its reference lists all that are. Models of others behind it may know more.
  refuses: [{ fields: [...OPENAI_EXTRAS, 'seed', 'logit_bias', 'presence_penalty', 'frequency_penalty'] }],
  // https://docs.databricks.com/machine-learning/foundation-model-apis/supported-models: pay per token.
  cheapChatModel: 'databricks-meta-llama-3-1-8b-instruct',
}

const alike = openAiCompatible(ROW)

/**
 * Databricks' serving endpoints: OpenAI's words, but for what models think, which stands in lists
 * (https://docs.databricks.com/machine-learning/foundation-model-apis/api-reference, read 2026-11-27).
 */
export const databricks: ProviderAdapter = {
  ...alike,
  codecs: { ...alike.codecs, chat: databricksChat },
  connect: connectDatabricks,
  classify: createClassify([
    // An endpoint that was scaled to zero is being started.
    {
      statuses: [404, 503, 504],
      text: /scal(ed|ing) (down|up|to zero)|is not ready|not yet ready/i,
      kind: 'overloaded',
    },
    { code: /^(RESOURCE_DOES_NOT_EXIST|ENDPOINT_NOT_FOUND|NOT_FOUND)$/, kind: 'not_found' },
    { statuses: [429], code: /^REQUEST_LIMIT_EXCEEDED$/, kind: 'rate_limited' },
    {
      statuses: [429],
      code: /^RESOURCE_EXHAUSTED$/,
      text: /workspace/i,
      kind: 'rate_limited',
      isKeyWide: true,
    },
  ]),
  auth: '`authorization: Bearer …`, or a token it gets',
  freeUrl: (target) => `${workspaceOf(target.base)}/api/2.0/serving-endpoints`,
}
