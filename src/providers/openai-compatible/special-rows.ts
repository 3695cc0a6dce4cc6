import { OLD_BUDGET, type CompatibleRow } from './row.ts'

/** LiteLLM's placeholder: servers without keys refuse an empty header, not a made-up one. */
const FAKE_KEY = { send: 'fake-api-key' } as const

/** Providers with a twist, and servers that one runs oneself. */
export const SPECIAL_ROWS: readonly CompatibleRow[] = [
  // With a twist; each twist is from the provider's own documentation or specification.
  {
    id: 'groq',
    hasResponses: true,
    base: 'https://api.groq.com/openai/v1',
    keyEnv: ['GROQ_API_KEY'],
    unsupported: ['completion', 'embedding', 'rerank', 'image_generation', 'realtime'],
    // https://console.groq.com/docs/openai (read 2026-11-27): 400 for these, for `n` above 1 and `messages[].name`.
    refuses: [{ fields: ['logprobs', 'logit_bias', 'top_logprobs', 'n'] }],
    // https://console.groq.com/docs/reasoning, where `reasoning_format` is `parsed`.
    thoughts: 'reasoning',
    cheapChatModel: 'llama-3.1-8b-instant',
  },
  {
    id: 'deepseek',
    base: 'https://api.deepseek.com/beta',
    keyEnv: ['DEEPSEEK_API_KEY'],
    renames: OLD_BUDGET,
    unsupported: [
      'embedding',
      'rerank',
      'image_generation',
      'audio_transcription',
      'audio_speech',
      'batch',
      'realtime',
    ],
    // https://api-docs.deepseek.com/guides/reasoning_model: an error for these; sampling fields have no effect.
    refuses: [{ fields: ['logprobs', 'top_logprobs'], of: (model) => /reasoner/i.test(model) }],
    cheapChatModel: 'deepseek-chat',
  },
  {
    id: 'xai',
    hasResponses: true,
    base: 'https://api.x.ai/v1',
    keyEnv: ['XAI_API_KEY'],
    unsupported: ['rerank'],
    // https://docs.x.ai/docs/guides/reasoning: reasoning models answer these with an error.
    refuses: [{ fields: ['presence_penalty', 'frequency_penalty', 'stop'], of: isReasoningGrok }],
    cheapChatModel: 'grok-3-mini',
  },
  {
    id: 'together_ai',
    base: 'https://api.together.xyz/v1',
    keyEnv: ['TOGETHER_API_KEY', 'TOGETHER_AI_API_KEY', 'TOGETHERAI_API_KEY', 'TOGETHER_AI_TOKEN'],
    baseEnv: ['TOGETHER_AI_API_BASE'],
    // https://docs.together.ai names the newer host.
    hosts: ['api.together.ai'],
    // https://docs.together.ai/docs/reasoning-overview.
    thoughts: 'reasoning',
    cheapChatModel: 'meta-llama/Llama-3.2-3B-Instruct-Turbo',
  },
  // https://docs.fireworks.ai: a bare chat model's name is short for the account's own.
  {
    id: 'fireworks_ai',
    hasResponses: true,
    base: 'https://api.fireworks.ai/inference/v1',
    keyEnv: ['FIREWORKS_API_KEY', 'FIREWORKS_AI_API_KEY', 'FIREWORKSAI_API_KEY', 'FIREWORKS_AI_TOKEN'],
    baseEnv: ['FIREWORKS_API_BASE', 'FIREWORKS_AI_API_BASE'],
    modelPrefix: { prefix: 'accounts/fireworks/models/', unless: 'accounts/' },
    cheapChatModel: 'accounts/fireworks/models/llama-v3p1-8b-instruct',
  },
  {
    id: 'openrouter',
    hasResponses: true,
    base: 'https://openrouter.ai/api/v1',
    keyEnv: ['OPENROUTER_API_KEY', 'OR_API_KEY'],
    unsupported: ['realtime', 'batch'],
    // https://openrouter.ai/docs/api-reference/limits: models are listed for everybody, a key's own page is not.
    listing: { route: '/key' },
    // https://openrouter.ai/docs/use-cases/reasoning-tokens; `reasoning_details` stands beside it.
    thoughts: 'reasoning',
    cheapChatModel: 'openai/gpt-4o-mini',
  },
  // https://docs.perplexity.ai: no version in the path.
  {
    id: 'perplexity',
    base: 'https://api.perplexity.ai',
    keyEnv: ['PERPLEXITYAI_API_KEY', 'PERPLEXITY_API_KEY'],
    renames: OLD_BUDGET,
    unsupported: [
      'completion',
      'rerank',
      'image_generation',
      'audio_transcription',
      'audio_speech',
      'batch',
      'realtime',
    ],
    // https://www.librechat.ai/docs/configuration/librechat_yaml/ai_endpoints/perplexity (read 2026-11-27): no list of
    // models, and errors for these two.
    listing: 'none',
    refuses: [{ fields: ['stop', 'frequency_penalty'] }],
    cheapChatModel: 'sonar',
  },
  // https://developers.cloudflare.com/workers-ai/configuration/open-ai-compatibility (read 2026-11-23): chat and
  // embeddings below the account's /ai/v1. LiteLLM's configs name the account's other interface, /ai/run.
  {
    id: 'cloudflare',
    base: 'https://api.cloudflare.com/client/v4/accounts/{CLOUDFLARE_ACCOUNT_ID}/ai/v1',
    baseEnding: { written: '/ai/run', meant: '/ai/v1' },
    keyEnv: ['CLOUDFLARE_API_KEY'],
    renames: OLD_BUDGET,
    unsupported: [
      'completion',
      'rerank',
      'image_generation',
      'audio_transcription',
      'audio_speech',
      'batch',
      'realtime',
    ],
    cheapChatModel: '@cf/meta/llama-3.1-8b-instruct',
  },
  {
    id: 'sarvam',
    base: 'https://api.sarvam.ai/v1',
    keyEnv: ['SARVAM_API_KEY'],
    header: { name: 'api-subscription-key', prefix: '' },
    renames: OLD_BUDGET,
  },

  // Self-hosted: the address is the user's, a key is optional.
  // https://docs.vllm.ai/en/v0.26.0/features/reasoning_outputs (read 2026-11-27): `reasoning_content` until 0.11.
  {
    id: 'hosted_vllm',
    hasResponses: true,
    isSelfHosted: true,
    keyEnv: ['HOSTED_VLLM_API_KEY'],
    keyless: FAKE_KEY,
    thoughts: 'reasoning',
  },
  {
    id: 'vllm',
    hasResponses: true,
    isSelfHosted: true,
    keyEnv: ['VLLM_API_KEY'],
    keyless: FAKE_KEY,
    thoughts: 'reasoning',
  },
  // https://github.com/michaelfeil/infinity: embeddings and rerank at the root, a key only where one was set.
  {
    id: 'infinity',
    isSelfHosted: true,
    keyEnv: ['INFINITY_API_KEY'],
    keyless: 'none',
    unsupported: [
      'chat',
      'completion',
      'image_generation',
      'audio_transcription',
      'audio_speech',
      'batch',
      'moderation',
      'realtime',
    ],
  },
  { id: 'openai_like', keyEnv: ['OPENAI_LIKE_API_KEY'], keyless: FAKE_KEY },
  {
    id: 'custom_openai',
    keyEnv: ['CUSTOM_OPENAI_API_KEY', 'OPENAI_API_KEY'],
    baseEnv: ['CUSTOM_OPENAI_API_BASE', 'OPENAI_API_BASE'],
    keyless: FAKE_KEY,
  },
  // What stands behind it is paid for, wherever it stands itself.
  {
    id: 'litellm_proxy',
    hasResponses: true,
    isSelfHosted: false,
    keyEnv: ['LITELLM_PROXY_API_KEY'],
    keyless: FAKE_KEY,
  },
  {
    id: 'lm_studio',
    hasResponses: true,
    isSelfHosted: true,
    keyEnv: ['LM_STUDIO_API_KEY'],
    keyless: FAKE_KEY,
  },
  {
    id: 'llamafile',
    isSelfHosted: true,
    base: 'http://127.0.0.1:8080/v1',
    keyEnv: ['LLAMAFILE_API_KEY'],
    keyless: FAKE_KEY,
  },
  {
    id: 'xinference',
    isSelfHosted: true,
    base: 'http://127.0.0.1:9997/v1',
    keyEnv: ['XINFERENCE_API_KEY'],
    keyless: { send: 'anything' },
  },
  {
    id: 'lemonade',
    isSelfHosted: true,
    base: 'http://localhost:8000/api/v1',
    keyEnv: ['LEMONADE_API_KEY'],
    keyless: 'none',
  },
  {
    id: 'docker_model_runner',
    isSelfHosted: true,
    base: 'http://localhost:12434/engines/v1',
    keyEnv: ['DOCKER_MODEL_RUNNER_API_KEY'],
    keyless: { send: 'dummy-key' },
  },
  { id: 'oobabooga', isSelfHosted: true, keyEnv: ['OOBABOOGA_API_KEY'], keyless: FAKE_KEY },
]

/** Grok 4 and later reason unless their name says otherwise; of the third only the small one did. */
function isReasoningGrok(model: string): boolean {
  return /^grok-(3-mini|[4-9]|code)/.test(model) && !model.includes('non-reasoning')
}
