import { z } from 'zod'
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
    'Failures a minute that a deployment may have before it rests. Default: by kind of failure.',
  ),
  allowed_fails_policy: acted(
    map,
    'The same by kind: `AuthenticationErrorAllowedFails`, `TimeoutErrorAllowedFails`, `RateLimitErrorAllowedFails`, `InternalServerErrorAllowedFails`.',
  ),
  cooldown_time: acted(
    notNegative,
    "Seconds for which a deployment rests after failures; the upstream's Retry-After beats it, 0 turns rests off. Default: 5.",
  ),
  retry_after: acted(
    notNegative,
    'Seconds to wait at least before the same deployment is tried again. Default: 0.',
  ),
  retry_policy: acted(
    map,
    'Tries by kind, in place of `num_retries`: `AuthenticationErrorRetries`, `TimeoutErrorRetries`, `RateLimitErrorRetries`, `InternalServerErrorRetries`. Bad requests and content refusals are never tried again.',
  ),
  set_verbose: kept(flag, 'Log more.'),
  model_group_alias: kept(map, 'Other names of model groups.'),
  routing_strategy: kept(text, 'How a deployment of a group is chosen.'),
  stream_timeout: acted(
    notNegative,
    'Seconds a stream may be silent, before its first event and between any two. Default: the request timeout, 600 at most.',
  ),
  enable_pre_call_checks: kept(flag, 'Check limits before a call.'),
}

/** `router_settings`. */
export const routerSettings = z.looseObject({
  ...routingShape,
  timeout: acted(positive, 'Seconds a request may take. Default: `litellm_settings.request_timeout`.'),
  routing_strategy_args: kept(map, 'Options of `routing_strategy`.'),
  model_group_retry_policy: acted(map, '`retry_policy` by model group; it wins.'),
  max_fallbacks: acted(notNegative, 'How deep fallbacks of fallbacks go. Default: 5.'),
  disable_cooldowns: acted(flag, 'Failed deployments do not rest. Default: false.'),
  enable_pre_call_check: kept(flag, 'Check limits before a call.'),
  optional_pre_call_checks: kept(list, 'Which checks.'),
  enable_tag_filtering: kept(flag, 'Choose deployments by tag.'),
  tag_filtering_match_any: kept(flag, 'One matching tag is enough.'),
  default_max_parallel_requests: kept(numeric, 'Most requests in flight per deployment.'),
  max_parallel_requests: kept(numeric, 'Most requests in flight per deployment.'),
  default_litellm_params: kept(map, 'Params of deployments that do not set them.'),
  default_priority: kept(numeric, 'Priority of requests that name none.'),
  provider_budget_config: kept(map, 'Budgets by provider.'),
  client_ttl: kept(numeric, 'Seconds for which clients are kept.'),
  ttft_timeout: acted(
    notNegative,
    'Seconds to wait for the first event of a stream; comments that keep it alive are none. Default: `stream_timeout`.',
  ),
  stream_idle_timeout: acted(
    notNegative,
    'Seconds a stream may be silent between two events. Default: `stream_timeout`.',
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
