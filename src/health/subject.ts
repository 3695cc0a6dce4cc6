import type { Deployment, Misconfiguration } from '../core/deployment.ts'
import type { JsonObject } from '../core/json.ts'
import type { Mode } from '../core/mode.ts'
import type { Line } from '../providers/call.ts'
import { resolveModel } from '../providers/registry.ts'
import { asSurface } from '../providers/surface-codecs.ts'

/** How a deployment can be called, or why not. */
export type LineOrProblem = { readonly line: Line } | { readonly misconfigured: Misconfiguration }

/** Where calls of a deployment go; undefined: it cannot be called. */
export function addressOf(opened: LineOrProblem): string | undefined {
  return 'line' in opened ? opened.line.target.base : undefined
}

/** What is really probed when a deployment is checked. */
export interface Subject {
  readonly kind: 'ready'
  readonly deployment: Deployment
  readonly line: Line
  readonly mode: Mode
  readonly isWildcard: boolean
  /** The model behind it: `base_model` where the deployment's own name says nothing. */
  readonly knownModel: string
  /** As /health names it. */
  readonly probedModel: string
}

/** Nothing can be sent, and why. */
export interface NoSubject extends Misconfiguration {
  readonly kind: 'misconfigured' | 'unprobed'
  readonly probedModel: string
}

/**
 * Which model, mode and line a check of this deployment uses: `health_check_model` before the deployment's
 * own; for a wildcard without one, a cheap chat model of the provider, in chat mode whatever is written.
 */
export function probeSubject(
  deployment: Deployment,
  lines: (index: number) => LineOrProblem,
  openLine: (derived: Deployment) => LineOrProblem,
): Subject | NoSubject {
  const own = { deployment, isWildcard: isWildcard(deployment), probedModel: deployment.model }
  // What cannot be called is not spared a check: it has failed it.
  if (deployment.misconfigured !== undefined) return noSubject(deployment.misconfigured, deployment.model)
  const refused = neverProbed(deployment)
  if (refused !== undefined) return { kind: 'unprobed', message: refused, probedModel: deployment.model }
  const { model } = deployment.probe
  if (model !== undefined) {
    const mode = modeOfStandIn(deployment, model.model)
    const standIn = { ...own, mode, knownModel: model.upstreamModel, probedModel: model.model }
    return derived(standIn, openLine({ ...deployment, ...model }))
  }
  const found = lines(deployment.index)
  if ('misconfigured' in found) return noSubject(found.misconfigured, deployment.model)
  if (!own.isWildcard) {
    const knownModel = knownModelOf(deployment)
    return ready({ ...own, mode: deployment.mode, knownModel }, found.line)
  }
  const cheap = found.line.adapter.cheapChatModel
  if (cheap === undefined) return noSubject(noCheapModel(deployment), deployment.model)
  const probedModel = `${prefixOf(deployment)}/${cheap}`
  const asked = openLine({ ...deployment, model: probedModel, upstreamModel: cheap })
  return derived({ ...own, mode: 'chat', knownModel: cheap, probedModel }, asked)
}

/** An Azure deployment may carry any name; `base_model` says what stands behind it. */
export function knownModelOf(deployment: Deployment): string {
  return baseModel(deployment) ?? deployment.upstreamModel
}

function baseModel(deployment: Deployment): string | undefined {
  const named = deployment.shown['base_model'] ?? deployment.info['base_model']
  return typeof named === 'string' ? named.slice(named.lastIndexOf('/') + 1) : undefined
}

/** Why this deployment is left unprobed for good; undefined where it may be probed. */
export function neverProbed(deployment: Deployment): string | undefined {
  if (deployment.unprobedMode !== undefined) return `mode ${deployment.unprobedMode} is not probed`
  // The written mode is the user's consent to pay for a picture; a mode guessed from a name is not.
  if (deployment.mode === 'image_generation' && deployment.modeSource !== 'explicit') {
    return 'an image probe costs money: write model_info.mode: image_generation to allow it'
  }
  return undefined
}

/** One deployment for all models of a provider. */
export function isWildcard(deployment: Deployment): boolean {
  return deployment.upstreamModel.includes('*') || deployment.model.includes('*')
}

function noSubject(problem: Misconfiguration, probedModel: string): NoSubject {
  return { kind: 'misconfigured', message: problem.message, probedModel }
}

function noCheapModel(deployment: Deployment): Misconfiguration {
  const message = `no cheap chat model of ${deployment.provider} is known to probe ${deployment.model} with; set model_info.health_check_model`
  return { message }
}

/** The mode is the stand-in's own where nobody wrote one: `openai/*` says nothing about it. */
export function modeOfStandIn(deployment: Deployment, model: string): Mode {
  if (deployment.modeSource === 'explicit') return deployment.mode
  return resolveModel(model, {}).catalogueMode ?? deployment.mode
}

function derived(subject: Omit<Subject, 'kind' | 'line'>, opened: LineOrProblem): Subject | NoSubject {
  if ('misconfigured' in opened) return noSubject(opened.misconfigured, subject.probedModel)
  return ready(subject, opened.line)
}

/** A chat that traffic asks for in another API's words is probed in these, where its provider speaks them. */
function ready(subject: Omit<Subject, 'kind' | 'line'>, line: Line): Subject {
  const { surfaceMode } = subject.deployment
  const probed = surfaceMode === undefined || subject.mode !== 'chat' ? line : asSurface(line, surfaceMode)
  return { kind: 'ready', ...subject, line: probed }
}

/** The provider as the user wrote it: `openai` of `openai/*`; a bare `*` has none. */
function prefixOf(deployment: Deployment): string {
  const slash = deployment.model.indexOf('/')
  return slash > 0 ? deployment.model.slice(0, slash) : deployment.provider
}

/** The same line with fewer defaults: those that would make a probe dear, streamed or refused. */
export function leaner(line: Line, fields: readonly string[]): Line {
  const kept: JsonObject = Object.fromEntries(
    Object.entries(line.target.bodyDefaults).filter(([name]) => !fields.includes(name)),
  )
  return { ...line, target: { ...line.target, bodyDefaults: kept } }
}
