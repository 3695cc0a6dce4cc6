import type { PassThroughFace, Target } from '../adapter.ts'
import { unescaped } from '../route.ts'
import { modelUrl, parseModel, regionOfArn } from './model-id.ts'

/** `/model/{id}/{action}`; an ARN may have its slashes as they are. */
const MODEL_PATH = /^\/model\/(.+)\/([\w-]+)$/
/** What the runtime of agents serves, at a host of its own (https://docs.aws.amazon.com/bedrock/latest/APIReference/API_Operations_Agents_for_Amazon_Bedrock_Runtime.html). */
const OF_AGENTS =
  /^\/(?:agents|flows|generateQuery|invocations|knowledgebases|optimize-prompt|rerank|retrieveAndGenerate|retrieveAndGenerateStream|sessions)(?:\/|$)/i

/**
 * Bedrock's runtime, and that of its agents. The whole id is one segment, as in our own requests: what is signed is what
 * AWS reads, however the client wrote it.
 */
export const bedrockPassThrough: PassThroughFace = {
  modelIn: (path) => MODEL_PATH.exec(path)?.[1],
  url: ({ base }, { path, model }) => {
    const [, id = '', action = ''] = MODEL_PATH.exec(path) ?? []
    if (id !== '')
      return modelUrl(
        hostOf(base, 'bedrock-runtime'),
        model === undefined ? unescaped(id) : idOf(model),
        action,
      )
    return hostOf(base, OF_AGENTS.test(path) ? 'bedrock-agent-runtime' : 'bedrock-runtime') + path
  },
  suits: ({ region }: Target, path) => {
    const id = MODEL_PATH.exec(path)?.[1]
    const wanted = id === undefined ? undefined : regionOfArn(unescaped(id))
    return wanted === undefined || wanted === region
  },
}

/** An address that somebody wrote serves both. */
function hostOf(base: string, service: string): string {
  return base.replace(/^https:\/\/bedrock(?:-agent)?-runtime(?=[.-])/, `https://${service}`)
}

function idOf(model: string): string {
  const parsed = parseModel(model)
  return typeof parsed === 'string' ? model : parsed.id
}
