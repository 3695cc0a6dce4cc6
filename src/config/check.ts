import type { z } from 'zod'
import { didYouMean } from '../core/closest.ts'
import { variableOf } from './env.ts'
import { INFO, paramKind, PARAMS, type Block, type KnownKey } from './known-keys.ts'
import { entriesOf, kindName, scalarText, toJson, type MapEntry, type YamlNode } from './node.ts'
import { problemAt, type Problem } from './problem.ts'

type Issue = z.core.$ZodIssue

/** Takes problems as they are found. */
export type Report = (problem: Problem) => void

/** Checks one value against a known setting; a value of the wrong type is fatal. Null is "not set". */
export function checkValue(known: KnownKey, node: YamlNode, path: string, report: Report): void {
  if (node.kind === 'null') return
  const result = known.type.safeParse(toJson(node))
  for (const issue of result.error?.issues ?? []) reportIssue(issue, known, node, path, report)
}

function reportIssue(issue: Issue, known: KnownKey, node: YamlNode, path: string, report: Report): void {
  const place = descend(node, issue.path)
  const inner = path + issue.path.map((part) => `.${String(part)}`).join('')
  const asMap = issue.code === 'invalid_union' ? issue.errors.find(isOfMap) : undefined
  if (issue.code === 'unrecognized_keys') reportStrangers(issue.keys, known, place, inner, report)
  else if (asMap !== undefined) for (const each of asMap) reportIssue(each, known, place, inner, report)
  else report(problemAt('fatal', place, inner, `${issue.message}, not ${shownValue(place)}`))
}

/** Of a value that may be a number or a map, a map is judged as a map. */
function isOfMap(issues: readonly Issue[]): boolean {
  return issues.every(({ code, path }) => path.length > 0 || code === 'unrecognized_keys')
}

/** Keys of a block of our own that it does not have. */
function reportStrangers(
  keys: readonly string[],
  known: KnownKey,
  block: YamlNode,
  path: string,
  report: Report,
): void {
  for (const key of keys) {
    const place = entriesOf(block).get(key)?.key ?? block
    const message = `unknown key${didYouMean(key, known.members)}`
    report(problemAt('fatal', place, `${path}.${key}`, message))
  }
}

/** Numbers and booleans are shown: no secret is one. Text may be a secret, so only its kind is named. */
function shownValue(node: YamlNode): string {
  return node.kind === 'int' || node.kind === 'float' || node.kind === 'bool'
    ? scalarText(node)
    : kindName(node)
}

function descend(node: YamlNode, path: readonly PropertyKey[]): YamlNode {
  let place = node
  for (const part of path) {
    const next = place.kind === 'list' ? place.items[Number(part)] : entriesOf(place).get(String(part))?.value
    if (next === undefined) return place
    place = next
  }
  return place
}

/** Checks that a block is a map, and each of its known settings; hands the unknown ones to `onUnknown`. */
export function checkBlock(
  block: Block,
  node: YamlNode | undefined,
  path: string,
  report: Report,
  onUnknown: (name: string, entry: MapEntry) => void,
): void {
  if (node === undefined || node.kind === 'null') return
  if (node.kind !== 'map') {
    report(problemAt('fatal', node, path, `must be a map of settings, not ${kindName(node)}`))
    return
  }
  for (const [name, entry] of node.entries) {
    const known = block.get(name)
    if (known === undefined) onUnknown(scalarText(entry.key), entry)
    else checkValue(known, entry.value, `${path}.${name}`, report)
  }
}

/** Reports a key that a settings block does not know: where it belongs, or what was meant. */
export function reportUnknownSetting(
  name: string,
  entry: MapEntry,
  path: string,
  blocks: ReadonlyMap<string, Block>,
  report: Report,
): void {
  const home = [...blocks].find(([other, block]) => other !== path && block.has(name))?.[0]
  const advice =
    home === undefined
      ? `unknown key, ignored${didYouMean(name, blocks.get(path)?.keys() ?? [])}`
      : `not read here; move it to ${home}`
  report(problemAt('warning', entry.key, `${path}.${name}`, advice))
}

/** Reports a key of litellm_params that is unknown, misspelt or misplaced. */
export function reportParam(name: string, entry: MapEntry, path: string, report: Report): void {
  const kind = paramKind(name)
  switch (kind.kind) {
    case 'known':
    case 'request':
      return
    case 'misplaced': {
      const hint = name === 'mode' ? ' (it is used as a hint until then)' : ''
      const home = name === 'model_info' ? 'move it up, beside litellm_params' : 'move it to model_info'
      report(problemAt('warning', entry.key, `${path}.${name}`, `not read here; ${home}${hint}`))
      return
    }
    case 'near_miss':
      report(
        problemAt(
          'warning',
          entry.key,
          `${path}.${name}`,
          `unknown key, ignored; did you mean "${kind.meant}"?`,
        ),
      )
      return
    case 'unknown':
      report(
        problemAt(
          'warning',
          entry.key,
          `${path}.${name}`,
          'unknown key: sent upstream in every request body',
        ),
      )
      return
  }
}

/** Reports `os.environ/` below the top level of litellm_params, where LiteLLM keeps it literally. */
export function reportNested(value: YamlNode, path: string, report: Report): void {
  const parts: readonly (readonly [string, YamlNode])[] =
    value.kind === 'map'
      ? [...value.entries.values()].map((entry) => [scalarText(entry.key), entry.value])
      : value.kind === 'list'
        ? value.items.map((item, index) => [String(index), item])
        : []
  for (const [name, part] of parts) {
    const message =
      '"os.environ/" is replaced only directly under litellm_params; this value is kept as it stands'
    if (variableOf(part) !== undefined) report(problemAt('warning', part, `${path}.${name}`, message))
    reportNested(part, `${path}.${name}`, report)
  }
}

/** Reports a key of model_info only where a known one was surely meant: any other is the user's own. */
export function reportInfo(name: string, entry: MapEntry, path: string, report: Report): void {
  if (MISPLACED_IN_INFO.has(name)) {
    report(problemAt('warning', entry.key, `${path}.${name}`, 'not read here; move it to litellm_params'))
    return
  }
  const isLong = name.length >= 6
  const meant = isLong ? didYouMean(name, LONG_INFO_KEYS) : ''
  if (meant !== '')
    report(problemAt('warning', entry.key, `${path}.${name}`, `carried as a key of your own${meant}`))
}

const MISPLACED_IN_INFO: ReadonlySet<string> = new Set([
  'api_key',
  'api_base',
  'base_url',
  'api_version',
  'timeout',
  'model',
])

const LONG_INFO_KEYS: readonly string[] = [...INFO.keys()].filter((name) => name.length >= 8)

/** Reports a key of a model_list entry that stands one level too high, or nowhere. */
export function reportEntryKey(name: string, entry: MapEntry, path: string, report: Report): void {
  const home = PARAMS.has(name) ? 'litellm_params' : INFO.has(name) ? 'model_info' : undefined
  const advice =
    home === undefined
      ? `unknown key, ignored${didYouMean(name, ENTRY_KEYS)}`
      : `not read here; move it to ${home}`
  report(problemAt('warning', entry.key, `${path}.${name}`, advice))
}

const ENTRY_KEYS: readonly string[] = [
  'model_name',
  'litellm_params',
  'model_info',
  'rpm',
  'tpm',
  'guardrails',
]
