import type { Deployment, Misconfiguration } from '../core/deployment.ts'
import {
  isMode,
  isSurfaceMode,
  isUnprobedMode,
  MODES,
  SURFACE_MODES,
  UNPROBED_MODES,
  type Mode,
  type SurfaceMode,
  type UnprobedMode,
} from '../core/mode.ts'
import type { Resolution } from '../core/resolve.ts'
import type { Report } from './check.ts'
import { didYouMean } from '../core/closest.ts'
import { modeOfName } from './infer-mode.ts'
import { child, textOf, type YamlNode } from './node.ts'
import type { Params } from './params.ts'
import { problemAt } from './problem.ts'

/** A deployment's mode, and how we know. */
export interface ModeFinding {
  readonly mode: Mode
  readonly source: Deployment['modeSource']
  readonly surface?: SurfaceMode
  readonly unprobed?: UnprobedMode
  /** The written word that is no mode. */
  readonly unknown?: string
}

/** What a mode is found from. */
export interface ModeClues {
  readonly info: YamlNode | undefined
  readonly group: string
  readonly params: Params
  readonly found: Resolution
}

/** `model_info.mode`, else what the names say, else the catalogue, else chat. */
export function modeOf(clues: ModeClues): ModeFinding {
  const written = textOf(child(clues.info, 'mode'))
  const guess = guessMode(clues)
  if (written === undefined) return guess
  if (isMode(written)) return { mode: written, source: 'explicit' }
  if (isSurfaceMode(written)) return { mode: 'chat', source: 'explicit', surface: written }
  if (isUnprobedMode(written)) return { mode: guess.mode, source: 'explicit', unprobed: written }
  return { ...guess, unknown: written }
}

function guessMode({ info, group, params, found }: ModeClues): ModeFinding {
  const named = misplacedMode(params) ?? firstNamed(info, group, params, found)
  if (isMode(named)) return { mode: named, source: 'name' }
  if (isSurfaceMode(named)) return { mode: 'chat', source: 'name', surface: named }
  if (named !== undefined) return { mode: found.catalogueMode ?? 'chat', source: 'name', unprobed: named }
  if (found.catalogueMode !== undefined) return { mode: found.catalogueMode, source: 'catalogue' }
  return { mode: 'chat', source: 'default' }
}

/** LiteLLM does not read `mode` under litellm_params, but what is meant is plain: it counts as a name does. */
function misplacedMode(params: Params): Mode | SurfaceMode | UnprobedMode | undefined {
  const word = textOf(params.get('mode'))
  return isMode(word) || isSurfaceMode(word) || isUnprobedMode(word) ? word : undefined
}

function firstNamed(
  info: YamlNode | undefined,
  group: string,
  params: Params,
  found: Resolution,
): Mode | SurfaceMode | UnprobedMode | undefined {
  // A wildcard serves many models; its name says nothing about the one that is probed.
  if (found.upstreamModel.includes('*')) return undefined
  // LiteLLM's routing word for models that are served by the Responses API only.
  if (found.upstreamModel.startsWith('responses/')) return 'responses'
  const baseModel = textOf(child(info, 'base_model')) ?? textOf(params.get('base_model')) ?? ''
  return [found.upstreamModel, baseModel, group].map(modeOfName).find((mode) => mode !== undefined)
}

/** Reports a word that is no mode; that deployment alone cannot be used. */
export function reportMode(
  finding: ModeFinding,
  info: YamlNode | undefined,
  path: string,
  report: Report,
): Misconfiguration | undefined {
  const place = child(info, 'mode')
  if (finding.unknown === undefined || place === undefined) return undefined
  const meant = didYouMean(finding.unknown, [...MODES, ...SURFACE_MODES, ...UNPROBED_MODES])
  const message = `"${finding.unknown}" is no mode; use one of ${MODES.join(', ')}${meant}`
  const where = `${path}.model_info.mode`
  report(problemAt('error', place, where, message))
  return { message: `${where}: ${message}` }
}
