import type { z } from 'zod'
import type { Traffic } from '../core/deployment.ts'
import { readFallbackLists } from '../core/fallback.ts'
import type { Fallback, FallbackLists } from '../core/fallback.ts'
import type { HedgeRule } from '../core/hedge-rule.ts'
import type { ModelAlias } from '../core/model-alias.ts'
import { isRoutingStrategy } from '../core/routing-strategy.ts'
import type { ChoiceSettings, RoutingSettings } from './config.ts'
import { numberOf, plainText } from './connection.ts'
import { readPolicy } from './error-policies.ts'
import { child, toJson, type MapNode, type YamlNode } from './node.ts'
import type { Params } from './params.ts'
import { patternOf } from './pattern.ts'
import { librarySettings } from './schema-library.ts'
import { routerSettings } from './schema-router.ts'

/** More retries than this are a slip of the pen, and would outlast any client. */
const MAX_RETRIES = 20

type Library = z.output<typeof librarySettings>
type Router = z.output<typeof routerSettings>

/** Reads strategy, retries, fallbacks and cooldowns: `router_settings` first, then the same names in `litellm_settings`. */
export function readRouting(root: MapNode): RoutingSettings {
  const library = librarySettings.parse(blockOf(root, 'litellm_settings'))
  const router = routerSettings.parse(blockOf(root, 'router_settings'))
  const byGroup = Object.entries(router.model_group_retry_policy ?? {})
  const lists = (
    name: 'fallbacks' | 'context_window_fallbacks' | 'content_policy_fallbacks',
  ): FallbackLists => readFallbackLists(router[name] ?? library[name])
  const allowedFails = router.allowed_fails ?? library.allowed_fails
  const cooldownMs = milliseconds(router.cooldown_time ?? library.cooldown_time)
  return {
    ...choiceOf(router, library),
    numRetries: wholeRetries(router.num_retries ?? library.num_retries) ?? 2,
    retryPolicy: readPolicy(router.retry_policy ?? library.retry_policy, 'Retries', MAX_RETRIES),
    groupRetryPolicies: new Map(
      byGroup.map(([group, policy]) => [group, readPolicy(policy, 'Retries', MAX_RETRIES)]),
    ),
    retryShare: router.retry_budget ?? RETRY_SHARE,
    leastWaitMs: milliseconds(router.retry_after ?? library.retry_after) ?? 0,
    fallbacks: withDefaults(lists('fallbacks'), router.default_fallbacks ?? library.default_fallbacks),
    contextWindowFallbacks: lists('context_window_fallbacks'),
    contentPolicyFallbacks: lists('content_policy_fallbacks'),
    maxFallbacks: Math.max(0, Math.floor(router.max_fallbacks ?? 5)),
    hedges: hedgesOf(router.model_group_hedge),
    cooldowns: {
      isEnabled: router.disable_cooldowns !== true && cooldownMs !== 0,
      ...(cooldownMs && { cooldownMs }),
      ...(allowedFails !== undefined && allowedFails !== null && { allowedFails }),
      allowedFailsByKind: readPolicy(
        router.allowed_fails_policy ?? library.allowed_fails_policy,
        'AllowedFails',
        Number.MAX_SAFE_INTEGER,
      ),
    },
  }
}

/** One retry for five requests, so that an outage is not multiplied. */
const RETRY_SHARE = 0.2

/** Without a number of its own a group hedges one request in twenty. */
const HEDGED_SHARE = 0.05

function hedgesOf(written: Router['model_group_hedge']): ReadonlyMap<string, HedgeRule> {
  const rules = Object.entries(written ?? {}).map(([group, { after, budget }]): [string, HedgeRule] => [
    group,
    { after: typeof after === 'number' ? after * 1000 : 'p95', share: budget ?? HEDGED_SHARE },
  ])
  return new Map(rules)
}

/** A latency counts for an hour where nothing else is written. */
const LATENCY_WINDOW_SECONDS = 3600

/** A strategy that is none was complained of; the default counts. */
function choiceOf(router: Router, library: Library): ChoiceSettings {
  const strategy = router.routing_strategy ?? library.routing_strategy ?? ''
  const args = router.routing_strategy_args
  const parallel = router.default_max_parallel_requests
  const checks =
    router.enable_pre_call_checks ?? router.enable_pre_call_check ?? library.enable_pre_call_checks
  return {
    strategy: isRoutingStrategy(strategy) ? strategy : 'simple-shuffle',
    latencyWindowMs: (args?.ttl ?? LATENCY_WINDOW_SECONDS) * 1000,
    latencySlack: args?.lowest_latency_buffer ?? 0,
    ...(parallel && { defaultMaxParallelRequests: parallel }),
    aliases: aliasesOf(router.model_group_alias ?? library.model_group_alias),
    tags: {
      isEnabled: router.enable_tag_filtering ?? false,
      matchesAny: router.tag_filtering_match_any ?? true,
    },
    checksContextWindow: checks ?? false,
  }
}

function aliasesOf(written: Router['model_group_alias']): ReadonlyMap<string, ModelAlias> {
  const aliases = Object.entries(written ?? {}).map(([alias, target]): [string, ModelAlias] => [
    alias,
    typeof target === 'string'
      ? { model: target, isHidden: false }
      : { model: target.model, isHidden: target.hidden === true },
  ])
  return new Map(aliases)
}

/**
 * The part that one deployment takes in its group's traffic; empty where nothing is written of it. `outside`: rpm and
 * tpm that stand elsewhere in its entry.
 */
export function trafficOf(
  params: Params,
  outside: Readonly<Record<string, YamlNode | undefined>> = {},
): { readonly traffic?: Traffic } {
  const numRetries = wholeRetries(numberOf(params.get('num_retries')))
  const leastRetries = wholeRetries(numberOf(params.get('max_retries')))
  const cooldownMs = milliseconds(numberOf(params.get('cooldown_time')))
  const order = numberOf(params.get('order'))
  const weight = numberOf(params.get('weight'))
  const rpm = numberOf(params.get('rpm') ?? outside['rpm'])
  const tpm = numberOf(params.get('tpm') ?? outside['tpm'])
  const maxParallelRequests = numberOf(params.get('max_parallel_requests'))
  const tags = textsOf(params.get('tags'))
  const tagPatterns = textsOf(params.get('tag_regex')).flatMap((text) => patternOf(text) ?? [])
  const traffic: Traffic = {
    ...(numRetries !== undefined && { numRetries }),
    ...(leastRetries && { leastRetries }),
    ...(cooldownMs !== undefined && { cooldownMs }),
    ...(order !== undefined && { order }),
    ...(weight !== undefined && { weight }),
    ...(rpm !== undefined && { rpm }),
    ...(tpm !== undefined && { tpm }),
    ...(maxParallelRequests && { maxParallelRequests }),
    ...(tags.length > 0 && { tags }),
    ...(tagPatterns.length > 0 && { tagPatterns }),
  }
  return Object.keys(traffic).length === 0 ? {} : { traffic }
}

/** The texts of a list. */
export function textsOf(node: YamlNode | undefined): readonly string[] {
  return node?.kind === 'list' ? node.items.flatMap((item) => plainText(item) ?? []) : []
}

function blockOf(root: MapNode, name: string): unknown {
  const node: YamlNode | undefined = child(root, name)
  return node === undefined ? {} : toJson(node)
}

function wholeRetries(written: number | null | undefined): number | undefined {
  if (written === null || written === undefined || !(written >= 0)) return undefined
  return Math.min(Math.floor(written), MAX_RETRIES)
}

function milliseconds(seconds: number | null | undefined): number | undefined {
  return seconds === null || seconds === undefined || !(seconds >= 0) ? undefined : seconds * 1000
}

/** `default_fallbacks` are LiteLLM's list for `*`. */
function withDefaults(lists: FallbackLists, defaults: readonly unknown[] | null | undefined): FallbackLists {
  if (defaults === undefined || defaults === null || lists.has('*')) return lists
  const [read] = readFallbackLists([{ '*': defaults }])
  return read === undefined ? lists : new Map<string, readonly Fallback[]>([...lists, read])
}
