import type { Deployment, Misconfiguration } from '../../core/deployment.ts'
import type { Connected, ProviderAdapter, Target } from '../adapter.ts'
import { CLOUD_REFUSES } from '../anthropic/cloud-surface.ts'
import { authorizedBy } from '../auth/authorize.ts'
import { signedByAws } from '../auth/aws.ts'
import { dnsSuffix } from '../auth/aws-fetch.ts'
import { awsSetting, profileOfEnv, profileRegion, type AwsIdentity } from '../auth/aws-settings.ts'
import { resolveBase, targetOf, withAddress } from '../auth/connect.ts'
import { findKey, fromEnv, type Env } from '../auth/key.ts'
import { allBetas, BETA_HEADER, BETA_MEMBER } from '../betas.ts'
import { bedrockChat } from './chat.ts'
import { bedrockCount } from './count.ts'
import { bedrockEmbedding } from './embedding.ts'
import { bedrockImage } from './image.ts'
import { claudeBehind, parseModel, targetModel, type BedrockModel } from './model-id.ts'
import { bedrockPassThrough } from './pass-through.ts'
import { bedrockRerank } from './rerank.ts'
import { classifyBedrock } from './refusal-rules.ts'
import { bedrockSurfaces } from './surfaces.ts'

const BASE_ENV = ['AWS_BEDROCK_RUNTIME_ENDPOINT', 'AWS_ENDPOINT_URL_BEDROCK_RUNTIME']
const KEY_ENV = ['AWS_BEARER_TOKEN_BEDROCK']
const REGION_ENV = ['AWS_REGION_NAME', 'AWS_REGION', 'AWS_DEFAULT_REGION']
/** LiteLLM's, where nobody says one. */
const DEFAULT_REGION = 'us-west-2'

/** Amazon Bedrock: chat by Converse or InvokeModel, the other modes by InvokeModel and Rerank. */
export const bedrock: ProviderAdapter = {
  id: 'bedrock',
  codecs: {
    chat: bedrockChat,
    completion: 'unsupported',
    embedding: bedrockEmbedding,
    image_generation: bedrockImage,
    audio_transcription: 'unsupported',
    audio_speech: 'unsupported',
    rerank: bedrockRerank,
    // Its jobs read from S3 and are another service's.
    batch: 'unsupported',
    moderation: 'unsupported',
  },
  realtime: 'unsupported',
  objects: 'unsupported',
  realtimeKeys: 'unsupported',
  surfaces: bedrockSurfaces,
  passThrough: bedrockPassThrough,
  tokenCount: bedrockCount,
  connect,
  readsName,
  refuses: CLOUD_REFUSES,
  classify: classifyBedrock,
  auth: "AWS's signature, or `authorization: Bearer …`",
  cheapChatModel: 'amazon.nova-micro-v1:0',
  isSelfHosted: false,
}

/** LiteLLM's name for those that must be spoken to by Converse. */
export const bedrockConverse: ProviderAdapter = { ...bedrock, id: 'bedrock_converse', surfaces: {} }

/** Routes, regions and words for families, ARNs, and what another service ranks with. */
function readsName(model: string): boolean {
  const parsed = parseModel(model)
  return (
    typeof parsed === 'string' || parsed.id !== model || parsed.region !== undefined || /rerank/.test(model)
  )
}

/**
 * Region, address and credentials. A key of Bedrock's own (a bearer token) wins over AWS's keys, as in AWS's clients;
 * but for reranking, for which Bedrock takes no such key.
 */
function connect(given: Deployment, env: Env): Connected | Misconfiguration {
  const written = withBetasInBody(given)
  const { model_id: named, ...bodyDefaults } = written.bodyDefaults
  const model = parseModel(written.upstreamModel)
  if (typeof model === 'string') return { message: model }
  const own = typeof named === 'string' ? parseModel(named) : model
  if (typeof own === 'string') return { message: own }
  const setting = awsSetting(written.connection)
  const region = regionOf(written, model, own, setting, env)
  const place = placed(withEndpoint(written, setting, env), region)
  if ('message' in place) return place
  const { deployment, base, isOwn } = place
  const claude = claudeBehind(model, [model.id, written.facts?.baseModel])
  const target: Target = {
    ...targetOf({ ...deployment, bodyDefaults }, base),
    model: targetModel({ ...own, route: model.route }),
    region,
    ...(claude !== undefined && { claude }),
  }
  const key = findKey(written, env, KEY_ENV)
  const needsSignature = written.mode === 'rerank' && !isOwn
  if (key !== undefined && !needsSignature)
    return authorizedBy([{ name: 'authorization', prefix: 'Bearer ', secret: key }], deployment, target)
  const who: AwsIdentity = { setting, env, region }
  return signedByAws(deployment, target, who, 'bedrock')
}

/** Bedrock reads no header of Anthropic's: what is in beta is asked for in the body. */
function withBetasInBody(deployment: Deployment): Deployment {
  const { connection, bodyDefaults } = deployment
  const { [BETA_HEADER]: header, ...headers } = connection.headers
  if (header === undefined) return deployment
  const betas = allBetas(header.reveal(), bodyDefaults[BETA_MEMBER])
  return {
    ...deployment,
    connection: { ...connection, headers },
    bodyDefaults: { ...bodyDefaults, [BETA_MEMBER]: betas },
  }
}

/** Written for the deployment; in its model's name; in the environment; in a profile. */
function regionOf(
  { connection }: Deployment,
  model: BedrockModel,
  own: BedrockModel,
  setting: AwsIdentity['setting'],
  env: Env,
): string {
  const profile = setting('aws_profile_name') ?? profileOfEnv(env) ?? 'default'
  return (
    setting('aws_region_name') ??
    connection.settings?.['region_name'] ??
    model.region ??
    own.region ??
    fromEnv(env, REGION_ENV) ??
    profileRegion(env, profile) ??
    DEFAULT_REGION
  )
}

/** `api_base`, else `aws_bedrock_runtime_endpoint`, else the environment's. */
function withEndpoint(deployment: Deployment, setting: AwsIdentity['setting'], env: Env): Deployment {
  const endpoint = setting('aws_bedrock_runtime_endpoint')
  const asEnv = endpoint === undefined ? env : { ...env, AWS_BEDROCK_RUNTIME_ENDPOINT: endpoint }
  return withAddress(deployment, asEnv, BASE_ENV)
}

function placed(
  deployment: Deployment,
  region: string,
): { readonly deployment: Deployment; readonly base: string; readonly isOwn: boolean } | Misconfiguration {
  if (!/^[a-z0-9-]{4,30}$/.test(region)) return { message: `"${region}" is no region of AWS` }
  const written = resolveBase(deployment, BASE_ENV, `https://bedrock-runtime.${region}.${dnsSuffix(region)}`)
  if (typeof written !== 'string') return written
  const base =
    deployment.mode === 'rerank' ? written.replace('://bedrock-runtime', '://bedrock-agent-runtime') : written
  return { deployment, base, isOwn: !/^https:\/\/bedrock-agent-runtime[.-]/.test(base) }
}
