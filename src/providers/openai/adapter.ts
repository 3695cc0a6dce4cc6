import { Secret } from '../../core/secret.ts'
import type { ProviderAdapter } from '../adapter.ts'
import type { SecretHeader } from '../auth/authorize.ts'
import { connectByKey, type KeySource } from '../auth/connect.ts'
import { fromEnv } from '../auth/key.ts'
import { createClassify } from '../classify.ts'
import { REFUSED_IN_REASONING } from '../refused-params.ts'
import { joinRoute } from '../route.ts'
import { openAiCodecs } from './codecs.ts'
import { openAiObjects } from './objects.ts'
import { openAiRealtimeKeys } from './realtime-keys.ts'
import { realtimeFace, realtimeQuery } from './realtime.ts'
import { responsesFace } from './responses.ts'
import { modelsUrl, routeBelow, type Surface } from './surface.ts'

const SOURCE: KeySource = {
  base: 'https://api.openai.com/v1',
  baseEnv: ['OPENAI_API_BASE', 'OPENAI_BASE_URL'],
  keyEnv: ['OPENAI_API_KEY'],
}

/** Projects that keep their data in a region have a host of it (https://platform.openai.com/docs/guides/your-data). */
const OPENAIS = /^https:\/\/(?:[a-z]{2}\.)?api\.openai\.com\//

const SURFACE: Surface = {
  url: (target, route) => routeBelow(target.base, route),
  // Others behind the same words, gateways to Claude among them, may know them.
  isOpenAis: ({ base }) => OPENAIS.test(base),
}

const connect: ProviderAdapter['connect'] = (deployment, env) => {
  const named = fromEnv(env, ['OPENAI_ORGANIZATION', 'OPENAI_ORG_ID'])
  const organization =
    deployment.connection.organization ?? (named === undefined ? undefined : new Secret(named))
  const more: SecretHeader[] =
    organization === undefined || organization.reveal() === ''
      ? []
      : [{ name: 'openai-organization', prefix: '', secret: organization }]
  return connectByKey(SOURCE, deployment, env, more)
}

const classify = createClassify()

/** OpenAI itself, and every server that people reach as `openai/…` with an `api_base`. */
export const openAi: ProviderAdapter = {
  id: 'openai',
  codecs: openAiCodecs(SURFACE),
  realtime: realtimeFace((target) => `${joinRoute(target.base, '/realtime')}?${realtimeQuery(target.model)}`),
  objects: openAiObjects,
  realtimeKeys: openAiRealtimeKeys,
  surfaces: { responses: responsesFace() },
  connect,
  classify,
  cheapChatModel: 'gpt-4o-mini',
  freeUrl: modelsUrl,
  refuses: [REFUSED_IN_REASONING],
  hosts: ['api.openai.com'],
}

/** LiteLLM's name for OpenAI models that complete text. */
export const textCompletionOpenAi: ProviderAdapter = {
  id: 'text-completion-openai',
  codecs: openAi.codecs,
  realtime: openAi.realtime,
  objects: openAi.objects,
  realtimeKeys: openAi.realtimeKeys,
  connect,
  classify,
  onlyMode: 'completion',
}
