import { GatewayError } from '../../core/failure.ts'
import type { Target } from '../adapter.ts'

/** What tells the two doors to Google's models apart: AI Studio and Vertex AI speak the same words. */
export interface Surface {
  /** Where a method of the deployment's model is called: `…/models/gemini-2.5-flash:generateContent`. */
  readonly url: (target: Target, method: string) => string
  /** The model as bodies name it. */
  readonly name: (target: Target) => string
  /** The URLs that the provider fetches by itself, so that they go out as they are. */
  readonly reads: (url: string) => boolean
}

/** Versions that the Gemini API's paths begin with (https://ai.google.dev/gemini-api/docs/api-versions). */
const VERSION = /\/(v1|v1beta|v1alpha)$/

/**
 * The address of the API's version, whatever was written. A bare host means `v1beta`, which alone has all methods; any
 * other path is used as it is, without a model or method that was pasted with it.
 */
export function versionedBase(base: string): string {
  const root = base.replace(/\/(models|tunedModels)(\/[^/]*)?$/, '')
  return new URL(root).pathname === '/' ? `${root}/v1beta` : root
}

/** The address without its version, and the version. */
export function splitVersion(base: string): { readonly root: string; readonly version: string } {
  const version = VERSION.exec(base)?.[1]
  return version === undefined
    ? { root: base, version: 'v1beta' }
    : { root: base.slice(0, -version.length - 1), version }
}

/** `models/…`, `tunedModels/…`: the resource that a model's name stands for. */
export function modelResource(model: string): string {
  return /^(models|tunedModels)\//.test(model) ? model : `models/${model}`
}

/**
 * Each segment of a path, escaped on its own; versions are told by an `@`.
 * @throws GatewayError bad_request where it would lead elsewhere: of a wildcard the client names the model
 */
export function escapedPath(path: string): string {
  const segments = path.split('/')
  if (segments.some((segment) => /^\.{0,2}$/.test(segment)))
    throw unsayable(`"${path.slice(0, 128)}" names no model`, 'model')
  return segments.map(encodeURIComponent).join('/').replaceAll('%40', '@')
}

/** Google AI Studio (https://ai.google.dev/api). */
export const AI_STUDIO: Surface = {
  url: (target, method) => `${target.base}/${escapedPath(modelResource(target.model))}:${method}`,
  name: (target) => modelResource(target.model),
  reads: (url) =>
    // Files API, YouTube (https://ai.google.dev/gemini-api/docs/video-understanding), Cloud Storage.
    /^(gs:\/\/|https:\/\/generativelanguage\.googleapis\.com\/|https:\/\/((www\.)?youtube\.com|youtu\.be)\/)/.test(
      url,
    ),
}

/** Which generation of Gemini a name says; undefined where it says none. `-latest` follows the newest one. */
export function generationOf(model: string): number | undefined {
  if (/gemini-(pro|flash|flash-lite)-latest/.test(model)) return 3
  const written = /gemini-(\d+(?:\.\d+)?)/.exec(model)?.[1]
  return written === undefined ? undefined : Number(written)
}

/** A refusal of what the client wrote, before anything is sent. */
export function unsayable(message: string, param: string): GatewayError {
  return new GatewayError('bad_request', message, { param, source: 'client' })
}
