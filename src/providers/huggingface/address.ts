import type { Target } from '../adapter.ts'
import { joinRoute } from '../route.ts'
import { OPENAI_ROUTES } from '../openai/surface.ts'
import type { RouteName } from '../../core/mode.ts'

/** Hugging Face's Inference Providers (https://huggingface.co/docs/inference-providers, read 2026-11-27). */
export const ROUTER = 'https://router.huggingface.co/v1'

/** Is it the router, or an endpoint of the user's own? A proxy in front of the router keeps its `/hf-inference`. */
export function isRouter({ base }: Pick<Target, 'base'>): boolean {
  return /^https:\/\/router\.huggingface\.co(\/|$)|\/hf-inference(\/|$)/.test(base)
}

/**
 * OpenAI's routes: below `/v1`, which own endpoints are mostly written without (TGI,
 * https://huggingface.co/docs/text-generation-inference/messages_api).
 */
export function openAiUrl({ base }: Pick<Target, 'base'>, route: RouteName): string {
  return joinRoute(rootOf(base), OPENAI_ROUTES[route])
}

/** The list of models, free. */
export function modelsUrl({ base }: Pick<Target, 'base'>): string {
  return `${rootOf(base).replace(/\/(chat\/)?completions$/, '')}/models`
}

function rootOf(base: string): string {
  return /\/v1(\/|$)/.test(base) ? base : `${base}/v1`
}

/**
 * A model's name at the router: LiteLLM's `provider/owner/model` is the router's `owner/model:provider`. Endpoints
 * take the name as it is written.
 */
export function modelName(target: Target): string {
  const [provider, owner, model, ...more] = target.model.split('/')
  if (!isRouter(target) || model === undefined || more.length > 0) return target.model
  return `${owner}/${model}:${provider}`
}

/** The pipeline that turns texts into vectors: a path of the router, or whatever an endpoint was built for. */
export function featuresUrl(target: Target): string {
  const { base, model } = target
  if (!isRouter(target) || base.includes('/pipeline/')) return base
  const root = base.replace(/\/(v1|hf-inference)(\/.*)?$/, '')
  return `${root}/hf-inference/models/${model}/pipeline/feature-extraction`
}
