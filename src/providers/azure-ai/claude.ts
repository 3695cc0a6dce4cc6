import type { Deployment, Misconfiguration } from '../../core/deployment.ts'
import { isJsonObject, parseJson } from '../../core/json.ts'
import { Secret } from '../../core/secret.ts'
import type { WireResponse } from '../../transport/wire.ts'
import type { Codec, Connected, Target } from '../adapter.ts'
import { anthropicChat } from '../anthropic/chat.ts'
import { connectAzure } from '../auth/azure.ts'
import { targetOf } from '../auth/connect.ts'
import type { Env } from '../auth/key.ts'
import { bodyText } from '../error-facts.ts'

const KEY_ENV = ['AZURE_AI_API_KEY'] as const
const VERSION_HEADER = 'anthropic-version'
const VERSION = '2023-06-01'

/** Anthropic's models are served in Anthropic's words, at an address of their own. */
export function isClaude(model: string, base: string): boolean {
  return /^claude\b/i.test(model) || /\/anthropic(\/|$)/.test(base)
}

/**
 * Claude in Foundry: `https://<resource>.services.ai.azure.com/anthropic/v1/messages`
 * (https://platform.claude.com/docs/en/build-with-claude/claude-in-microsoft-foundry, read 2026-11-27). `api_version` is
 * Azure's, and says nothing here.
 */
export function connectClaude(deployment: Deployment, env: Env, base: string): Connected | Misconfiguration {
  const root = base.replace(/\/(anthropic|models|openai)(\/.*)?$/, '')
  const version = deployment.connection.headers[VERSION_HEADER]?.reveal() ?? VERSION
  const keys = {
    keyEnv: KEY_ENV,
    keyHeader: { name: 'x-api-key', prefix: '' },
    more: [{ name: VERSION_HEADER, prefix: '', secret: new Secret(version), isPlaceholder: true }],
  }
  return connectAzure(keys, deployment, env, targetOf(deployment, `${root}/anthropic`, version))
}

/** Chat in the words of whose model it is: OpenAI's are passed on, Claude's translated. */
export function azureAiChat(alike: Codec<'chat'>): Codec<'chat'> {
  const isOwn = ({ model, base }: Target): boolean => isClaude(model, base)
  const of = (target: Target): Codec<'chat'> => (isOwn(target) ? anthropicChat : alike)
  return {
    ...anthropicChat,
    ...alike,
    encode: (request, target) => of(target).encode(request, target),
    decode: (response, target) => of(target).decode(response, target),
    inlines: (url, target) => of(target).inlines?.(url, target) === true,
    readsThinking: isOwn,
    readsBetas: isOwn,
    isRelayed: (target) => !isOwn(target),
  }
}

/** `{"type":"error","error":{…}}` is Anthropic's form alone. */
export function isClaudeError(response: WireResponse): boolean {
  const body = parseJson(bodyText(response))
  return isJsonObject(body) && body['type'] === 'error' && isJsonObject(body['error'])
}
