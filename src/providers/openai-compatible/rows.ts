import { OLD_BUDGET, type CompatibleRow } from './row.ts'
import { SPECIAL_ROWS } from './special-rows.ts'

/** Every OpenAI-compatible provider, one row each. To add one, add a row. */
export const COMPATIBLE_ROWS: readonly CompatibleRow[] = [
  ...SPECIAL_ROWS,
  plain('abliteration', 'api.abliteration.ai/v1', 'ABLITERATION_API_KEY'),
  plain('aihubmix', 'aihubmix.com/v1', 'AIHUBMIX_API_KEY'),
  plain('aiml', 'api.aimlapi.com/v1', 'AIML_API_KEY'),
  plain('ai21_chat', 'api.ai21.com/studio/v1', 'AI21_API_KEY', {
    baseEnv: ['AI21_API_BASE'],
    cheapChatModel: 'jamba-mini',
  }),
  plain('anyscale', 'api.endpoints.anyscale.com/v1', 'ANYSCALE_API_KEY'),
  plain('apertis', 'api.stima.tech/v1', 'STIMA_API_KEY', { renames: OLD_BUDGET }),
  plain('baseten', 'inference.baseten.co/v1', 'BASETEN_API_KEY'),
  // https://inference-docs.cerebras.ai/resources/openai and /capabilities/reasoning, as others quote it.
  plain('cerebras', 'api.cerebras.ai/v1', 'CEREBRAS_API_KEY', {
    refuses: [{ fields: ['frequency_penalty', 'presence_penalty', 'logit_bias'] }],
    thoughts: 'reasoning',
    cheapChatModel: 'llama3.1-8b',
  }),
  plain('charity_engine', 'api.charityengine.services/remotejobs/v2/inference', 'CHARITY_ENGINE_API_KEY', {
    renames: OLD_BUDGET,
  }),
  plain('chutes', 'llm.chutes.ai/v1', 'CHUTES_API_KEY', { renames: OLD_BUDGET }),
  plain('clarifai', 'api.clarifai.com/v2/ext/openai/v1', 'CLARIFAI_API_KEY', {
    keyEnv: ['CLARIFAI_API_KEY', 'CLARIFAI_PAT'],
  }),
  plain('cometapi', 'api.cometapi.com/v1', 'COMETAPI_KEY', { keyEnv: ['COMETAPI_KEY', 'COMETAPI_API_KEY'] }),
  plain('crusoe', 'managed-inference-api-proxy.crusoecloud.com/v1', 'CRUSOE_API_KEY', {
    renames: OLD_BUDGET,
  }),
  plain('dashscope', 'dashscope-intl.aliyuncs.com/compatible-mode/v1', 'DASHSCOPE_API_KEY', {
    cheapChatModel: 'qwen-turbo',
  }),
  plain('deepinfra', 'api.deepinfra.com/v1/openai', 'DEEPINFRA_API_KEY', {
    cheapChatModel: 'meta-llama/Meta-Llama-3.1-8B-Instruct',
  }),
  plain('empower', 'app.empower.dev/api/v1', 'EMPOWER_API_KEY'),
  plain('featherless_ai', 'api.featherless.ai/v1', 'FEATHERLESS_AI_API_KEY'),
  plain('friendliai', 'api.friendli.ai/serverless/v1', 'FRIENDLIAI_API_KEY', {
    keyEnv: ['FRIENDLIAI_API_KEY', 'FRIENDLI_TOKEN'],
  }),
  plain('galadriel', 'api.galadriel.com/v1', 'GALADRIEL_API_KEY'),
  plain('github', 'models.inference.ai.azure.com', 'GITHUB_API_KEY', { cheapChatModel: 'gpt-4o-mini' }),
  plain('gmi', 'api.gmi-serving.com/v1', 'GMI_API_KEY'),
  plain('helicone', 'ai-gateway.helicone.ai', 'HELICONE_API_KEY'),
  plain('hyperbolic', 'api.hyperbolic.xyz/v1', 'HYPERBOLIC_API_KEY'),
  plain('lambda_ai', 'api.lambda.ai/v1', 'LAMBDA_API_KEY'),
  plain('llamagate', 'api.llamagate.dev/v1', 'LLAMAGATE_API_KEY', { renames: OLD_BUDGET }),
  plain('meta_llama', 'api.llama.com/compat/v1', 'LLAMA_API_KEY'),
  plain('minimax', 'api.minimax.io/v1', 'MINIMAX_API_KEY'),
  plain('moonshot', 'api.moonshot.ai/v1', 'MOONSHOT_API_KEY', { cheapChatModel: 'moonshot-v1-8k' }),
  plain('morph', 'api.morphllm.com/v1', 'MORPH_API_KEY'),
  plain('nano-gpt', 'nano-gpt.com/api/v1', 'NANOGPT_API_KEY', {
    baseEnv: ['NANOGPT_API_BASE'],
    renames: OLD_BUDGET,
  }),
  plain('nebius', 'api.studio.nebius.ai/v1', 'NEBIUS_API_KEY'),
  plain('novita', 'api.novita.ai/v3/openai', 'NOVITA_API_KEY'),
  plain('nscale', 'inference.api.nscale.com/v1', 'NSCALE_API_KEY'),
  plain('ovhcloud', 'oai.endpoints.kepler.ai.cloud.ovh.net/v1', 'OVHCLOUD_API_KEY'),
  plain('poe', 'api.poe.com/v1', 'POE_API_KEY', { renames: OLD_BUDGET }),
  plain('publicai', 'api.publicai.co/v1', 'PUBLICAI_API_KEY', { renames: OLD_BUDGET }),
  plain('sambanova', 'api.sambanova.ai/v1', 'SAMBANOVA_API_KEY', {
    cheapChatModel: 'Meta-Llama-3.1-8B-Instruct',
  }),
  // https://www.scaleway.com/en/docs/generative-apis/api-cli/using-chat-api (read 2026-11-27).
  plain('scaleway', 'api.scaleway.ai/v1', 'SCW_SECRET_KEY', {
    refuses: [{ fields: ['frequency_penalty', 'n', 'top_logprobs', 'logit_bias', 'user'] }],
  }),
  plain('synthetic', 'api.synthetic.new/openai/v1', 'SYNTHETIC_API_KEY', { renames: OLD_BUDGET }),
  plain('v0', 'api.v0.dev/v1', 'V0_API_KEY'),
  plain('veniceai', 'api.venice.ai/api/v1', 'VENICE_AI_API_KEY'),
  plain('vercel_ai_gateway', 'ai-gateway.vercel.sh/v1', 'VERCEL_AI_GATEWAY_API_KEY', {
    keyEnv: ['VERCEL_AI_GATEWAY_API_KEY', 'VERCEL_OIDC_TOKEN'],
    // https://vercel.com/docs/ai-gateway/sdks-and-apis/rest-api: anybody may list models, the credits are a key's own.
    listing: { route: '/credits' },
    thoughts: 'reasoning',
  }),
  plain('volcengine', 'ark.cn-beijing.volces.com/api/v3', 'VOLCENGINE_API_KEY', {
    keyEnv: ['VOLCENGINE_API_KEY', 'ARK_API_KEY'],
  }),
  plain('wandb', 'api.inference.wandb.ai/v1', 'WANDB_API_KEY'),
  plain('xiaomi_mimo', 'api.xiaomimimo.com/v1', 'XIAOMI_MIMO_API_KEY', { renames: OLD_BUDGET }),
  plain('zai', 'api.z.ai/api/paas/v4', 'ZAI_API_KEY', {
    renames: OLD_BUDGET,
    cheapChatModel: 'glm-4.5-flash',
  }),
]

/** A provider of which base (https) and key are nearly all that differs. */
function plain(id: string, place: string, key: string, more: Partial<CompatibleRow> = {}): CompatibleRow {
  return { id, base: `https://${place}`, keyEnv: [key], ...more }
}
