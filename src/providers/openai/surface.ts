import { entryOf } from '../../core/entry-of.ts'
import type { JsonObject } from '../../core/json.ts'
import { isSideRoute, SIDE_ROUTES } from '../../core/mode.ts'
import type { HttpMode, RouteName } from '../../core/mode.ts'
import type { WireRequest } from '../../transport/wire.ts'
import type { Target } from '../adapter.ts'
import { withDefaults } from '../body-defaults.ts'
import { postJson } from '../post-json.ts'
import { joinRoute } from '../route.ts'

/** How a server that speaks OpenAI's words differs from OpenAI's own. */
export interface Surface {
  /** The full URL of a route. */
  url(target: Target, route: RouteName): string
  /** The model's name in the body; default: `target.model`. */
  model?(target: Target, route: RouteName): string
  /** Chat and completion fields that it knows by another name: old → new. */
  readonly renames?: Readonly<Record<string, string>>
  /** What a mode's body must have there, used where the request has none. */
  readonly required?: { readonly [M in HttpMode]?: JsonObject }
  /** The member of a chat's message that holds what the model thought; default: `reasoning_content`. */
  readonly thoughts?: string
  /**
   * Does a chat there take nothing but OpenAI's own words: no marks of caches of Anthropic's, and no `top_k`? Default:
   * they are passed on.
   */
  readonly isOpenAis?: (target: Target) => boolean
  /** Where a completion's words stand: `choices[0].text`, or, of fill-in-the-middle servers, in a message. */
  readonly completionAnswer?: 'text' | 'message'
}

/** Paths below an OpenAI base such as `https://api.openai.com/v1`. */
export const OPENAI_ROUTES: { readonly [R in RouteName]: string } = {
  chat: '/chat/completions',
  completion: '/completions',
  embedding: '/embeddings',
  image_generation: '/images/generations',
  image_edit: '/images/edits',
  audio_transcription: '/audio/transcriptions',
  audio_translation: '/audio/translations',
  audio_speech: '/audio/speech',
  rerank: '/rerank',
  batch: '/batches',
  moderation: '/moderations',
}

/** The list of models, below the base even of a target that was pasted with a mode's route. */
export function modelsUrl(target: Pick<Target, 'base'>): string {
  return `${rootOf(target)}/models`
}

/** The base without the mode's route that it may have been pasted with. */
export function rootOf({ base }: Pick<Target, 'base'>): string {
  const route = Object.values(OPENAI_ROUTES).find((each) => base.endsWith(each)) ?? ''
  return base.slice(0, base.length - route.length)
}

/** `base` + the route's path. A base that was pasted with the path of the mode serves what is beside it too. */
export function routeBelow(base: string, route: RouteName, path: string = OPENAI_ROUTES[route]): string {
  const own = isSideRoute(route) ? OPENAI_ROUTES[SIDE_ROUTES[route]] : ''
  return joinRoute(own !== '' && base.endsWith(own) ? base.slice(0, -own.length) : base, path)
}

/** The model's name as this server wants it. */
export function modelName(surface: Surface, target: Target, route: RouteName): string {
  return surface.model?.(target, route) ?? target.model
}

/** A POST with a JSON body: the request, the deployment's defaults, the server's musts, its model. */
export function postBody(surface: Surface, mode: HttpMode, request: JsonObject, target: Target): WireRequest {
  const filled = withDefaults(mode, request, target.bodyDefaults)
  const body = {
    ...surface.required?.[mode],
    ...renamed(filled, surface.renames),
    model: modelName(surface, target, mode),
  }
  return postJson(surface.url(target, mode), body)
}

/** The same members under the server's names; a renamed one wins over one that already stands there. */
export function renamed(body: JsonObject, renames: Readonly<Record<string, string>> | undefined): JsonObject {
  if (renames === undefined) return body
  const old = Object.entries(renames).filter(([from]) => body[from] !== undefined)
  if (old.length === 0) return body
  const kept = Object.entries(body).filter(
    ([key]) => entryOf(renames, key) === undefined || body[key] === undefined,
  )
  return { ...Object.fromEntries(kept), ...Object.fromEntries(old.map(([from, to]) => [to, body[from]])) }
}

/** Each value as its JSON text. */
export function jsonTexts(values: JsonObject): Readonly<Record<string, string>> {
  return Object.fromEntries(
    Object.entries(values).flatMap(([key, value]) =>
      value === undefined ? [] : [[key, JSON.stringify(value)]],
    ),
  )
}
