import type { Deployment, Misconfiguration } from '../../core/deployment.ts'
import { Secret } from '../../core/secret.ts'
import type { WireRequest } from '../../transport/wire.ts'
import type { Connected, ProviderAdapter, Target } from '../adapter.ts'
import { connectByKey, type KeySource } from '../auth/connect.ts'
import { findKey, fromEnv, type Env } from '../auth/key.ts'
import { postJson } from '../post-json.ts'
import { anthropicUrl } from './address.ts'
import { anthropicBatch } from './batch.ts'
import { anthropicChat } from './chat.ts'
import { classifyAnthropic } from './refusals.ts'
import { anthropicSurfaces } from './surfaces.ts'

const KEY_ENV = 'ANTHROPIC_API_KEY'
const TOKEN_ENV = 'ANTHROPIC_AUTH_TOKEN'

const BY_KEY: KeySource = {
  base: 'https://api.anthropic.com',
  baseEnv: ['ANTHROPIC_API_BASE', 'ANTHROPIC_BASE_URL'],
  keyEnv: [KEY_ENV, TOKEN_ENV],
  header: { name: 'x-api-key', prefix: '' },
}

/** Gateways and OAuth hand out tokens, which go where everybody else's keys go. */
const BY_TOKEN: KeySource = {
  ...BY_KEY,
  keyEnv: [TOKEN_ENV],
  header: { name: 'authorization', prefix: 'Bearer ' },
}

const VERSION_HEADER = 'anthropic-version'
/** Until somebody asks for another one: newer versions refuse what clients of OpenAI's are used to send. */
const DEFAULT_VERSION = '2023-06-01'

/** Claude at Anthropic: chat in its own words, and the list of batches. */
export const anthropic: ProviderAdapter = {
  id: 'anthropic',
  codecs: {
    chat: anthropicChat,
    completion: 'unsupported',
    embedding: 'unsupported',
    image_generation: 'unsupported',
    audio_transcription: 'unsupported',
    audio_speech: 'unsupported',
    rerank: 'unsupported',
    batch: anthropicBatch,
    moderation: 'unsupported',
  },
  realtime: 'unsupported',
  // It has files and batches of another form.
  objects: 'unsupported',
  realtimeKeys: 'unsupported',
  surfaces: anthropicSurfaces,
  connect,
  classify: classifyAnthropic,
  cheapChatModel: 'claude-haiku-4-5',
  freeUrl: (target) => anthropicUrl(target, '/models?limit=1'),
  freeRequest: countOne,
}

function connect(deployment: Deployment, env: Env): Connected | Misconfiguration {
  const { headers, apiVersion } = deployment.connection
  const isOwn = headers['x-api-key'] !== undefined || headers['authorization'] !== undefined
  const source = usesToken(deployment, env) ? BY_TOKEN : BY_KEY
  const version = apiVersion ?? headers[VERSION_HEADER]?.reveal() ?? DEFAULT_VERSION
  const connected = connectByKey(isOwn ? { ...source, keyless: 'none' } : source, deployment, env, [
    { name: VERSION_HEADER, prefix: '', secret: new Secret(version), isPlaceholder: true },
  ])
  if ('message' in connected) return connected
  return { ...connected, target: { ...connected.target, apiVersion: version } }
}

/**
 * Counting tokens costs nothing, has a limit of its own, and shows that the key may use this model
 * (https://platform.claude.com/docs/en/build-with-claude/token-counting). A wildcard names no model.
 */
function countOne(target: Target): WireRequest | undefined {
  const { model } = target
  if (model.includes('*')) return undefined
  const messages = [{ role: 'user', content: 'ping' }]
  return postJson(anthropicUrl(target, '/messages/count_tokens'), { model, messages })
}

/** Only where no key is set anywhere: Anthropic itself goes by the key where both come. */
function usesToken(deployment: Deployment, env: Env): boolean {
  return findKey(deployment, env, [KEY_ENV]) === undefined && fromEnv(env, [TOKEN_ENV]) !== undefined
}
