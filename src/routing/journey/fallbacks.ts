import type { Fallback, FallbackLists } from '../../core/fallback.ts'
import type { FailureKind, GatewayError } from '../../core/failure.ts'

/** What the config says of fallbacks. */
export interface FallbackRules {
  readonly fallbacks: FallbackLists
  readonly contextWindowFallbacks: FallbackLists
  readonly contentPolicyFallbacks: FallbackLists
  /** How deep fallbacks of fallbacks go. */
  readonly maxFallbacks: number
}

/** What a request says of its own fallbacks; it beats the config. */
export interface AskedFallbacks {
  readonly fallbacks?: readonly Fallback[]
  /** The same by group, in the words of the config. */
  readonly fallbackLists?: FallbackLists
  readonly contextWindowFallbacks?: FallbackLists
  readonly contentPolicyFallbacks?: FallbackLists
  readonly disableFallbacks?: boolean
}

/** What of a failure says where to go after it. */
export type FailureWords = Pick<GatewayError, 'kind' | 'source' | 'message'>

/** A fallback, and how deep it lies. */
export interface Detour {
  readonly fallback: Fallback
  readonly depth: number
}

/**
 * Words by which providers say that a request is too long for the model. Neither a status nor a code is common to
 * them: OpenAI's code is context_length_exceeded, others write a sentence.
 */
const TOO_LONG =
  /context_length_exceeded|context[ _]window|maximum context length|exceed\w* (?:the )?(?:model's )?(?:maximum )?context|prompt is too long|request too large|input is too long|too many (?:input )?tokens|model's maximum input/i

/** Nobody waits for another answer, or it is our own bug: another group would change nothing. */
const FINAL: ReadonlySet<FailureKind> = new Set(['cancelled', 'internal'])

/**
 * The groups to ask after one has failed, best first; `names` are what that group is called, an alias first. A request that is too long, or that was refused for its
 * content, goes to those named for that case, and to no others where any are named: LiteLLM's rule. What the client
 * did wrong itself goes nowhere.
 */
export function fallbacksFor(
  names: readonly string[],
  failure: FailureWords,
  rules: FallbackRules,
  asked: AskedFallbacks,
): readonly Fallback[] {
  if (asked.disableFallbacks === true || failure.source === 'client' || FINAL.has(failure.kind)) return []
  if (asked.fallbacks !== undefined) return asked.fallbacks
  const special = specialLists(failure, rules, asked)
  const plain = asked.fallbackLists ?? rules.fallbacks
  const lists = special !== undefined && special.size > 0 ? special : plain
  return listFor(names, lists)
}

/** The models that are asked where a group, by any of its names, fails for no special reason; best first. */
export function fallbackModels(names: readonly string[], lists: FallbackLists): readonly string[] {
  return listFor(names, lists).map(({ model }) => model)
}

function listFor(names: readonly string[], lists: FallbackLists): readonly Fallback[] {
  const name = names.find((each) => lists.has(each)) ?? '*'
  return lists.get(name) ?? []
}

/** LiteLLM sends a model that nobody knows to the first of the default fallbacks; the others follow if that fails. */
export function fallbacksForUnknown(rules: FallbackRules, asked: AskedFallbacks): readonly Fallback[] {
  const { disableFallbacks, fallbackLists = rules.fallbacks } = asked
  return disableFallbacks === true ? [] : (fallbackLists.get('*') ?? [])
}

/** Fallbacks of a group that lies at `depth`. */
export function detours(fallbacks: readonly Fallback[], depth: number): readonly Detour[] {
  return fallbacks.map((fallback) => ({ fallback, depth: depth + 1 }))
}

/** The lists for what this failure is about; undefined where it is nothing special. */
function specialLists(
  failure: FailureWords,
  rules: FallbackRules,
  asked: AskedFallbacks,
): FallbackLists | undefined {
  if (failure.kind === 'content_policy') return asked.contentPolicyFallbacks ?? rules.contentPolicyFallbacks
  if (failure.kind === 'bad_request' && TOO_LONG.test(failure.message))
    return asked.contextWindowFallbacks ?? rules.contextWindowFallbacks
  return undefined
}
