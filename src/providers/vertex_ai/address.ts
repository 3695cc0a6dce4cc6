import type { Deployment, Misconfiguration } from '../../core/deployment.ts'
import type { JsonObject } from '../../core/json.ts'
import type { Target } from '../adapter.ts'
import { fromEnv, type Env } from '../auth/key.ts'
import { cleanBase, isHttpUrl } from '../route.ts'
import { escapedPath, generationOf, type Surface } from '../gemini/surface.ts'
import { vertexModel } from './model-name.ts'

/** Regions that are several at once, at hosts of another form (https://docs.cloud.google.com/gemini-enterprise-agent-platform/resources/locations). */
const MULTI_REGIONS = new Set(['us', 'eu'])

/** What a deployment's address is made of. */
interface Place {
  readonly project: string | undefined
  readonly location: string
  /** `v1`, or `v1beta1` for LiteLLM's `vertex_ai_beta`. */
  readonly version: string
}

/** Where a location's API is served. */
export function hostOf(location: string): string {
  if (location === 'global') return 'https://aiplatform.googleapis.com'
  return MULTI_REGIONS.has(location)
    ? `https://aiplatform.${location}.rep.googleapis.com`
    : `https://${location}-aiplatform.googleapis.com`
}

/**
 * The base of a deployment: up to the location, where the address does not already say more. A written `api_base` may be
 * a host, end in the version or the location, or name the model. An API key alone needs no project
 * (https://cloud.google.com/vertex-ai/generative-ai/docs/start/express-mode/overview).
 */
export function vertexBase(
  deployment: Deployment,
  env: Env,
  credentials: { readonly project?: string | undefined; readonly isKeyAlone?: boolean },
): string | Misconfiguration {
  const { settings = {}, apiBase } = deployment.connection
  const written = apiBase ?? fromEnv(env, ['VERTEXAI_API_BASE', 'VERTEX_API_BASE'])
  const base = written === undefined ? undefined : cleanBase(written).replace(METHOD, '')
  if (base !== undefined && !isHttpUrl(base))
    return {
      message: `"${written ?? ''}" is no address that can be called: api_base needs http:// or https://, a host, and no spaces`,
    }
  if (base !== undefined && /\/(projects|publishers)\//.test(base)) return base
  const location =
    settings['vertex_location'] ??
    settings['vertex_ai_location'] ??
    fromEnv(env, ['VERTEXAI_LOCATION', 'VERTEX_LOCATION', 'GOOGLE_CLOUD_LOCATION']) ??
    usualLocation(deployment.upstreamModel)
  if (!/^[a-z0-9-]+$/.test(location)) return { message: `"${location}" is no location: set vertex_location` }
  const version = deployment.provider === 'vertex_ai_beta' ? 'v1beta1' : 'v1'
  const project =
    settings['vertex_project'] ??
    settings['vertex_ai_project'] ??
    fromEnv(env, ['VERTEXAI_PROJECT', 'VERTEX_PROJECT', 'GOOGLE_CLOUD_PROJECT']) ??
    credentials.project
  // Only Google's own models are served to a key alone.
  const isAlone = credentials.isKeyAlone === true && vertexModel(deployment.upstreamModel).words === 'google'
  if (project === undefined && !isAlone)
    return {
      message:
        'no project: set vertex_project in litellm_params, or VERTEXAI_PROJECT in the environment, or credentials that name one',
    }
  return placed(base ?? hostOf(project === undefined ? 'global' : location), { project, location, version })
}

/** What a base may have been pasted with. */
const METHOD = /:(generateContent|streamGenerateContent|predict|embedContent|rawPredict|streamRawPredict)$/

function placed(base: string, { project, location, version }: Place): string {
  const root = /\/v1(beta1)?$/.test(base) ? base : `${base}/${version}`
  if (project === undefined) return `${root}/publishers/google`
  return `${root}/projects/${encodeURIComponent(project)}/locations/${location}`
}

/** Of Google's models that are not among the newest. */
export const USUAL_LOCATION = 'us-central1'

/** The newest, and models of these publishers, are served at the global endpoint only, or there for certain. */
export function usualLocation(model: string): string {
  const isGlobal = /^publishers\/(anthropic|minimaxai|moonshotai|qwen|xai|zai-org)\//
  return (generationOf(model) ?? 0) >= 3 || isGlobal.test(vertexModel(model).resource)
    ? 'global'
    : USUAL_LOCATION
}

function resource(model: string): string {
  return vertexModel(model).resource
}

/** In place of the version's header, and of the model, which stands in the path. */
export const CLAUDE_VERSION = 'vertex-2023-10-16'

/** A base that names the model needs only the method. */
export function vertexUrl({ base }: Target, named: string, method: string): string {
  if (/\/(models|endpoints)\/[^/]+$/.test(base)) return `${base}:${method}`
  return `${base.replace(/\/publishers\/google$/, '')}/${escapedPath(named)}:${method}`
}

/** How a partner's model is asked in the partner's own words. */
export function rawMethod({ stream }: JsonObject): string {
  return stream === true ? 'streamRawPredict' : 'rawPredict'
}

/** Vertex AI (https://cloud.google.com/vertex-ai/generative-ai/docs/model-reference/inference). */
export const VERTEX: Surface = {
  url: (target, method) => vertexUrl(target, resource(target.model), method),
  name: (target) => {
    const place = /\/(projects\/.*)$/.exec(target.base)?.[1]
    return place === undefined ? resource(target.model) : `${place}/${resource(target.model)}`
  },
  reads: (url) => /^(gs:\/\/|https:\/\/((www\.)?youtube\.com|youtu\.be)\/)/.test(url),
}

/** Sessions stand beside the version, not under a project (https://cloud.google.com/vertex-ai/generative-ai/docs/model-reference/multimodal-live). */
export function liveUrl({ base }: Target): string {
  const [, root = base, version = 'v1'] = /^(.*?)\/(v1(?:beta1)?)\/(?:projects|publishers)\//.exec(base) ?? []
  return `${root}/ws/google.cloud.aiplatform.${version}.LlmBidiService/BidiGenerateContent`
}

/**
 * OpenAI's routes: models of other publishers share one endpoint, and the body names them
 * (https://docs.cloud.google.com/vertex-ai/generative-ai/docs/maas/call-open-model-apis, read 2026-11-27); what somebody
 * deployed has its own.
 */
export function openAiUrl({ base, model }: Target, route: '/chat/completions' | '/embeddings'): string {
  const endpoint = /^.*\/endpoints\/[^/]+(?=\/|$)/.exec(base)?.[0]
  if (endpoint !== undefined) return endpoint + route
  const { name, resource: own } = vertexModel(model)
  const root = base.replace(/\/publishers\/.*$/, '')
  return `${root}/${name === '' ? own : 'endpoints/openapi'}${route}`
}
