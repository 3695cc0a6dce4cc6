import { anthropic } from './anthropic.ts'
import { assemblyAi } from './assemblyai.ts'
import { aws } from './aws.ts'
import { azureAi } from './azure-ai.ts'
import { bedrock } from './bedrock.ts'
import { COMPATIBLE_LAWS } from './compatible-laws.ts'
import { compatibleNative } from './compatible.ts'
import { databricks } from './databricks.ts'
import { deepgram } from './deepgram.ts'
import { elevenLabs } from './elevenlabs.ts'
import { entra } from './entra.ts'
import { GEMINI } from './gemini.ts'
import { HUGGINGFACE } from './huggingface.ts'
import { jinaAi } from './jina-ai.ts'
import { MISTRAL } from './mistral.ts'
import type { Native } from './native.ts'
import { nvidiaNim } from './nvidia-nim.ts'
import { OLLAMA } from './ollama.ts'
import { replicate } from './replicate.ts'
import { VERTEX_AI } from './vertex_ai.ts'
import { voyage } from './voyage.ts'
import { watsonx } from './watsonx.ts'
import { WITH_SESSIONS } from './xai.ts'

/** Every provider with words of its own. To add one, add it here. */
export const NATIVES: readonly Native[] = [
  anthropic,
  GEMINI,
  VERTEX_AI,
  bedrock,
  aws,
  azureAi,
  databricks,
  entra,
  HUGGINGFACE,
  MISTRAL,
  OLLAMA,
  voyage,
  jinaAi,
  nvidiaNim,
  watsonx,
  deepgram,
  elevenLabs,
  assemblyAi,
  replicate,
  ...WITH_SESSIONS,
  ...COMPATIBLE_LAWS.map(compatibleNative),
]

/** The provider that a path names, and the path below it; undefined where it names none. */
export function nativeOf(path: string): { readonly native: Native; readonly path: string } | undefined {
  for (const native of NATIVES) {
    const found = native.paths?.exec(path)
    if (found) return { native, path: found.groups?.['own'] ?? path }
  }
  const [, id, below = ''] = /^\/as-([\w-]+)(\/.*)?$/.exec(path) ?? []
  const native = NATIVES.find((one) => one.id === id)
  return native === undefined ? undefined : { native, path: below === '' ? '/' : below }
}
