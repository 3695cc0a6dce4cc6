/** The master key of the demo's gateway. */
const DEMO_MASTER_KEY = 'sk-1234'

/** The demo's own traffic: a chat four times a second to the group that has deployments to spare. */
export const DEMO_TRAFFIC = { models: ['gpt-4o'], everyMs: 250 } as const

/** How the demo's models behave at the fake provider: four are sick, the others take a lifelike time. */
export const demoBehaviours: Readonly<Record<string, string>> = {
  'gpt-4o': 'slow180',
  'gpt-4o-canada': 'slow140',
  'gpt-4o-france': 'e401',
  'llama-3.3-70b-versatile': 'e429r30',
  'mistral-large-latest': 'hang',
  'command-r-plus': 'shape',
  'gpt-3.5-turbo-instruct': 'slow120',
  'text-embedding-3-small': 'slow60',
  'embed-multilingual': 'slow80',
  'gpt-image-1': 'slow700',
  'whisper-1': 'slow260',
  'tts-1': 'slow220',
  'rerank-v3.5': 'slow90',
  'gpt-realtime': 'slow110',
}

/**
 * The demo's config.yaml: fifteen deployments in nine modes, all at the fake provider under `url`. Two of them
 * share the group `gpt-4o` with a sick third.
 */
export function demoConfig(url: string): string {
  const openai = (model: string, rest = ''): string =>
    params(`openai/${model}`, `${url}/v1`, 'sk-demo-openai', rest)
  const azure = (deployment: string): string =>
    params(`azure/${deployment}`, url, 'demo-azure-key', '      api_version: "2024-10-21"\n')
  const cohere = (model: string): string => params(model, url, 'demo-cohere-key', '')
  return [
    'model_list:\n',
    entry('gpt-4o', openai('gpt-4o')),
    entry('gpt-4o', azure('gpt-4o-canada')),
    entry('gpt-4o', azure('gpt-4o-france')),
    entry('llama-70b', params('groq/llama-3.3-70b-versatile', `${url}/openai/v1`, 'gsk-demo-groq', '')),
    entry(
      'mistral-large',
      params('mistral/mistral-large-latest', `${url}/v1`, 'demo-mistral-key', ''),
      'chat',
      HANGING,
    ),
    entry('command-r', cohere('cohere_chat/command-r-plus')),
    entry(
      'autocomplete',
      params('text-completion-openai/gpt-3.5-turbo-instruct', `${url}/v1`, 'sk-demo-openai', ''),
      'completion',
    ),
    entry('search-embeddings', openai('text-embedding-3-small'), 'embedding'),
    entry('support-embeddings', azure('embed-multilingual'), 'embedding'),
    entry('marketing-images', openai('gpt-image-1'), 'image_generation'),
    entry('meeting-notes', openai('whisper-1'), 'audio_transcription'),
    entry('voice-of-support', openai('tts-1'), 'audio_speech'),
    entry('search-rerank', cohere('cohere/rerank-v3.5'), 'rerank'),
    entry('nightly-batch', azure('gpt-4o-mini-batch'), 'batch'),
    entry('phone-agent', openai('gpt-realtime'), 'realtime'),
    `general_settings:\n  master_key: ${DEMO_MASTER_KEY}\n  background_health_checks: true\n`,
  ].join('')
}

/** The hanging one is given up early, so that the table is complete within seconds. */
const HANGING = '      health_check_timeout: 3\n'

function params(model: string, base: string, key: string, rest: string): string {
  return `    litellm_params:\n      model: ${model}\n      api_base: ${base}\n      api_key: ${key}\n${rest}`
}

function entry(name: string, litellmParams: string, mode = 'chat', info = ''): string {
  const modelInfo = `    model_info:\n      mode: ${mode}\n${info}`
  return `  - model_name: ${name}\n${litellmParams}${modelInfo}`
}
