import * as z from 'zod'
import {
  acted,
  anything,
  flag,
  kept,
  keptSecret,
  list,
  map,
  notNegative,
  numeric,
  positive,
  text,
  textLike,
} from './schema-types.ts'

const groupLists = z.array(z.record(z.string(), z.array(z.unknown())), {
  error: 'must be a list of maps, each from one model group to a list of groups: [{"a": ["b", "c"]}]',
})

const aliasTarget = z.union([z.string(), z.looseObject({ model: z.string(), hidden: flag.nullish() })], {
  error: 'must be a model group, or a map of `model` and `hidden`',
})

const percentage = z
  .string({ error: 'must be a share of the requests, such as 5%' })
  .regex(/^\s*\d{1,3}(?:\.\d+)?\s*%\s*$/, { error: 'must be a share of the requests, such as 5%' })
  .transform((written) => Number.parseFloat(written) / 100)
  .refine((part) => part > 0 && part <= 1, { error: 'must be above 0% and no more than 100%' })

const hedge = z.strictObject(
  {
    after: z
      .union([z.literal('p95'), positive], { error: 'must be `p95` or a number of seconds above 0' })
      .nullish(),
    budget: percentage.nullish(),
  },
  { error: 'must be a map of `after` and `budget`: {after: p95, budget: 5%}' },
)

/** Keys that LiteLLM's router and its library both read. */
export const routingShape = {
  num_retries: acted(notNegative, 'How often a failed request is tried again within its group. Default: 2.'),
  fallbacks: acted(groupLists, 'Other model groups to try, by group; `*` stands for every other group.'),
  default_fallbacks: acted(list, 'Other model groups to try for every group that has no `fallbacks`.'),
  context_window_fallbacks: acted(
    groupLists,
    'Model groups to try, by group, after a request that is too long. Where any are written, `fallbacks` are not for such requests.',
  ),
  content_policy_fallbacks: acted(
    groupLists,
    'Model groups to try, by group, after a content refusal. Where any are written, `fallbacks` are not for such requests.',
  ),
  allowed_fails: acted(
    notNegative,
    'Failures a minute that a deployment may have before it is down. Default: five that nothing else explains.',
  ),
  allowed_fails_policy: acted(
    map,
    'The same by kind: `AuthenticationErrorAllowedFails`, `NotFoundErrorAllowedFails`, `TimeoutErrorAllowedFails`, `RateLimitErrorAllowedFails`, `InternalServerErrorAllowedFails`, `ServiceUnavailableErrorAllowedFails`, `BadGatewayErrorAllowedFails`. Bad requests and content refusals never count.',
  ),
  cooldown_time: acted(
    notNegative,
    'Seconds before a deployment that is down is looked at for the first time; the waits after that grow. 0: failing traffic puts nobody aside. Default: 5.',
  ),
  retry_after: acted(
    notNegative,
    'Seconds to wait at least before the same deployment is tried again. Default: 0.',
  ),
  retry_policy: acted(
    map,
    'Tries by kind, in place of `num_retries`: `AuthenticationErrorRetries`, `NotFoundErrorRetries`, `TimeoutErrorRetries`, `RateLimitErrorRetries`, `InternalServerErrorRetries`, `ServiceUnavailableErrorRetries`, `BadGatewayErrorRetries`, and `DefaultRetries` for all others. Bad requests and content refusals are never tried again.',
  ),
  set_verbose: kept(flag, 'Log more.'),
  model_group_alias: acted(
    z.record(z.string(), aliasTarget, { error: 'must be a map from names to model groups' }),
    'Other names of model groups: `{alias: group}`, or `{alias: {model: group, hidden: true}}` for one that is not listed.',
  ),
  routing_strategy: acted(
    text,
    'How a deployment of a group is chosen: `simple-shuffle` (default), `least-busy`, `latency-based-routing`, `usage-based-routing`, `usage-based-routing-v2`, `cost-based-routing`.',
  ),
  stream_timeout: acted(
    notNegative,
    'Seconds a stream may be silent, before its first event and between any two. Default: the request timeout, 600 at most.',
  ),
  enable_pre_call_checks: acted(
    flag,
    'Requests that are too long for a model are not sent to it. Default: false.',
  ),
}

/** `router_settings`. */
export const routerSettings = z.looseObject({
  ...routingShape,
  timeout: acted(positive, 'Seconds a request may take. Default: `litellm_settings.request_timeout`.'),
  routing_strategy_args: acted(
    z.looseObject({ ttl: positive.nullish(), lowest_latency_buffer: notNegative.nullish() }),
    'Options of `latency-based-routing`: `ttl`, seconds for which an answer counts (default: 3600); `lowest_latency_buffer`, by what part others may be slower than the fastest and still take part (default: 0).',
  ),
  model_group_retry_policy: acted(map, '`retry_policy` by model group; it wins.'),
  model_group_hedge: acted(
    z.record(z.string(), hedge, { error: 'must be a map from model groups to maps of `after` and `budget`' }),
    'By model group: `{after: p95, budget: 5%}` sends a request that has had no first byte after that time (`p95` of the recent ones, or seconds) to a second deployment as well, for so many of the requests at most. Absent: never.',
  ),
  retry_budget: acted(
    percentage,
    'Most retries that a group may have, as a share of its requests of the last ten seconds; ten a second are always allowed. Default: 20%.',
  ),
  max_fallbacks: acted(notNegative, 'How deep fallbacks of fallbacks go. Default: 5.'),
  disable_cooldowns: acted(flag, 'Failing traffic puts no deployment aside. Default: false.'),
  enable_pre_call_check: acted(flag, 'The same as `enable_pre_call_checks`.'),
  optional_pre_call_checks: kept(list, 'Which checks.'),
  enable_tag_filtering: acted(flag, 'Choose deployments by `tags`. Default: false.'),
  tag_filtering_match_any: acted(
    flag,
    "One common tag is enough; false: a deployment must have all of the request's. Default: true.",
  ),
  default_max_parallel_requests: acted(
    notNegative,
    'Most requests in flight per deployment that has no `max_parallel_requests`. 0 or absent: no limit.',
  ),
  max_parallel_requests: kept(numeric, 'Most requests in flight per deployment.'),
  default_litellm_params: acted(
    map,
    '`litellm_params` of every deployment that has none of its own by that name, in its entry or its credential; all but `model`.',
  ),
  default_priority: kept(numeric, 'Priority of requests that name none.'),
  provider_budget_config: kept(map, 'Budgets by provider.'),
  client_ttl: kept(numeric, 'Seconds for which clients are kept.'),
  ttft_timeout: acted(
    notNegative,
    'Seconds to wait for the first event of a stream; comments and pings that keep it alive are none. Default: `stream_timeout`.',
  ),
  stream_idle_timeout: acted(
    notNegative,
    'Seconds a stream may be silent between two events. Default: `stream_timeout`, which counts alone while the provider sends pings.',
  ),
  cache_responses: kept(flag, 'Remember answers.'),
  cache_kwargs: kept(map, 'Options of that.'),
  caching_groups: kept(list, 'Groups that share remembered answers.'),
  redis_host: kept(text, 'A Redis for sharing between replicas.'),
  redis_port: kept(textLike, 'Its port.'),
  redis_password: keptSecret(textLike, 'Its password.'),
  redis_url: keptSecret(textLike, 'Its address in one.'),
  redis_db: kept(numeric, 'Its database number.'),
  redis_ssl: kept(flag, 'Speak TLS to it.'),
  ignore_invalid_deployments: kept(flag, 'Start in spite of deployments that cannot work (always so here).'),
  polling_interval: kept(numeric, 'Seconds between two looks at the queue.'),
  debug_level: kept(text, 'How much to log.'),
  assistants_config: kept(map, 'Options of assistants.'),
  search_tools: kept(list, 'Search tools.'),
  guardrail_list: kept(list, 'Guardrails.'),
  alerting_config: kept(anything, 'Alerts of the router.'),
})
