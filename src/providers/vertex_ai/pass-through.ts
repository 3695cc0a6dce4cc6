import type { PassThroughFace } from '../adapter.ts'
import { escapedPath, unsayable } from '../gemini/surface.ts'
import { belowBase } from '../route.ts'
import { hostOf } from './address.ts'
import { vertexModel } from './model-name.ts'

/** A base, up to its location. */
const BASE = /^(.*?)\/(v1(?:beta1)?)\/(?:projects\/([^/]+)\/locations\/([^/]+)|publishers)(?=\/|$)/
/** Each part may be missing: LiteLLM's clients begin with `/publishers`. */
const PATH = /^(?:\/(v\d\w*))?(?:\/projects\/([^/]+))?(?:\/locations\/([^/]+))?(\/.*)?$/
/** What counts for all Claudes is no model that anybody names: its bodies name one. */
const MODEL = /\/models\/(?!count-tokens:)([^:]+(?=:)|[^/]+)/
const MODEL_RESOURCE = /^(?:\/publishers\/[^/]+)?\/models\/(?!count-tokens:)(?:[^:]+(?=:)|[^/]+)/
const OPENAI_PATH = /\/endpoints\/openapi\//
const PARTNER_PATH = /:(?:rawPredict|streamRawPredict)$/
const GOOGLE = /^https:\/\/(?:[a-z0-9-]+-)?aiplatform(?:\.\w+\.rep)?\.googleapis\.com$/

/**
 * Vertex AI's resources stand below a project and a location, which a path may name, leave out or leave to the
 * deployment (`default`). Each location has a host of its own.
 */
export const vertexPassThrough: PassThroughFace = {
  modelIn: (path) => MODEL.exec(path)?.[1],
  modelInBody,
  isSame: (one, other) => vertexModel(one).resource === vertexModel(other).resource,
  url: ({ base }, { method, path, model }) => {
    const own = placeOf(base)
    const asked = partsOf(path)
    if (own === undefined || asked === undefined) return belowBase(base, path)
    const given = model === undefined ? asked : own
    const project = given.project ?? own.project
    const location = given.location ?? own.location
    const rest =
      model === undefined
        ? asked.rest
        : asked.rest.replace(MODEL_RESOURCE, () => `/${escapedPath(vertexModel(model).resource)}`)
    const host =
      location !== undefined && location !== own.location && GOOGLE.test(own.root)
        ? hostOf(location)
        : own.root
    const version = asked.version ?? (rest.startsWith('/cachedContents') ? 'v1beta1' : own.version)
    // What Google says of its own models stands beside all projects, and nowhere else.
    const isShared =
      method === 'GET' && asked.project === undefined && rest.startsWith('/publishers/google/models')
    const place = isShared ? '' : placeText(project, isOfProject(rest) ? undefined : location)
    return `${host}/${version}${place}${rest}`
  },
  suits: ({ base }, path) => {
    const own = placeOf(base)
    const asked = partsOf(path)
    return (
      (asked?.project ?? own?.project) === own?.project &&
      (asked?.location ?? own?.location) === own?.location
    )
  },
}

function modelInBody(path: string, model: string): string | undefined {
  const { words, name, resource } = vertexModel(model)
  if (OPENAI_PATH.test(path)) return resource.replace(/^publishers\/(.+?)\/models\//, '$1/')
  if (!MODEL.test(path)) return name
  // Partners are named twice.
  return PARTNER_PATH.test(path) && (words === 'mistral' || words === 'ai21') ? name : undefined
}

/** Undefined: not said, or left to the deployment. */
interface Place {
  readonly project: string | undefined
  readonly location: string | undefined
}

function placeOf(base: string): (Place & { readonly root: string; readonly version: string }) | undefined {
  const [, root, version = 'v1', project, location] = BASE.exec(base) ?? []
  return root === undefined ? undefined : { root, version, project, location }
}

function partsOf(
  path: string,
): (Place & { readonly version: string | undefined; readonly rest: string }) | undefined {
  const [found, version, project, location, rest = ''] = PATH.exec(path) ?? []
  if (found === undefined) return undefined
  // It becomes a part of the host's name, which gets the deployment's credentials.
  if (location !== undefined && !/^[a-z0-9-]{1,63}$/.test(location))
    throw unsayable(
      'the path names no location of Google Cloud: write one such as us-central1, global or default.',
      'path',
    )
  return { version, project: unlessDefault(project), location: unlessDefault(location), rest }
}

function unlessDefault(part: string | undefined): string | undefined {
  return part === 'default' ? undefined : part
}

/** The project itself, or its list of locations. */
function isOfProject(rest: string): boolean {
  return rest === '' || /^\/locations\/?$/.test(rest)
}

function placeText(project: string | undefined, location: string | undefined): string {
  return (
    (project === undefined ? '' : `/projects/${project}`) +
    (location === undefined ? '' : `/locations/${location}`)
  )
}
