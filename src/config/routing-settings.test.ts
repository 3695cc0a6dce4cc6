import assert from 'node:assert/strict'
import { test } from 'node:test'
import { loadText, problemsOf } from './load-text.fixture.ts'

const ONE = 'model_list:\n- model_name: a\n  litellm_params: {model: openai/x}\n'

test('retries, fallbacks and cooldowns are read from the router, then from the library', async () => {
  const { router } = await loadText(`${ONE}router_settings:
  num_retries: "4"
  retry_after: 1.5
  retry_policy: {TimeoutErrorRetries: 0, RateLimitErrorRetries: 3, BadRequestErrorRetries: 9}
  model_group_retry_policy: {a: {AuthenticationErrorRetries: 1}}
  fallbacks: [{a: [b, {model: c, temperature: 0}]}]
  retry_budget: 7.5 %
  max_fallbacks: 2
  allowed_fails_policy: {InternalServerErrorAllowedFails: 7}
  disable_cooldowns: true
litellm_settings:
  num_retries: 9
  default_fallbacks: [d]
  context_window_fallbacks: [{a: [e]}]
  content_policy_fallbacks: [{"*": [f]}]
  allowed_fails: 3
  cooldown_time: 0.5
`)
  const plain = (model: string): object => ({ model, body: {} })
  assert.deepEqual(router, {
    strategy: 'simple-shuffle',
    latencyWindowMs: 3_600_000,
    latencySlack: 0,
    aliases: new Map(),
    tags: { isEnabled: false, matchesAny: true },
    checksContextWindow: false,
    numRetries: 4,
    retryShare: 0.075,
    leastWaitMs: 1500,
    retryPolicy: { timeout: 0, rate_limited: 3, quota: 3 },
    groupRetryPolicies: new Map([['a', { auth: 1 }]]),
    fallbacks: new Map([
      ['a', [plain('b'), { model: 'c', body: { temperature: 0 } }]],
      ['*', [plain('d')]],
    ]),
    contextWindowFallbacks: new Map([['a', [plain('e')]]]),
    contentPolicyFallbacks: new Map([['*', [plain('f')]]]),
    maxFallbacks: 2,
    hedges: new Map(),
    cooldowns: {
      isEnabled: false,
      cooldownMs: 500,
      allowedFails: 3,
      allowedFailsByKind: {
        server_error: 7,
        overloaded: 7,
        unreachable: 7,
        cut: 7,
        empty: 7,
        wrong_shape: 7,
        wrong_model: 7,
      },
    },
  })
})

test('a policy names errors as LiteLLM does, the narrower name wins, and what is none is said so', async () => {
  const { router } = await loadText(`${ONE}router_settings:
  retry_policy: {ServiceUnavailableErrorRetries: 1, InternalServerErrorRetries: "5", NotFoundErrorRetries: 0, DefaultRetries: 3}
  model_group_retry_policy: {a: {BadGatewayErrorRetries: 4}}
  allowed_fails_policy: {ServiceUnavailableErrorAllowedFails: 1, BadRequestErrorAllowedFails: 9}
`)
  const { overloaded, server_error: serverError, cut, not_found: notFound, auth, tls } = router.retryPolicy
  assert.deepEqual([overloaded, serverError, cut, notFound, auth, tls], [1, 5, 5, 0, 3, 3])
  assert.equal(router.retryPolicy.bad_request, undefined)
  const badGateway = { unreachable: 4, cut: 4, empty: 4, wrong_shape: 4, wrong_model: 4 }
  assert.deepEqual(router.groupRetryPolicies, new Map([['a', badGateway]]))
  assert.deepEqual(router.cooldowns.allowedFailsByKind, { overloaded: 1 })
  const problems = await problemsOf(`${ONE}router_settings:
  retry_policy: {TimeoutRetries: 1, TimeoutErrorRetries: often, BadRequestErrorRetries: 2}
  model_group_retry_policy: {a: {TimeoutErorRetries: 1}}
litellm_settings:
  allowed_fails_policy: {DefaultAllowedFails: 1}
`)
  const policies = 'router_settings.'
  assert.deepEqual(
    problems.map((line) => line.replace(/; there are \w+, .*/, '; there are …')),
    [
      `warning config.yaml:5:18 ${policies}retry_policy.TimeoutRetries: unknown key, ignored; there are …`,
      `warning config.yaml:5:58 ${policies}retry_policy.TimeoutErrorRetries: must be a number that is not negative, not text; it is ignored`,
      `warning config.yaml:5:65 ${policies}retry_policy.BadRequestErrorRetries: changes nothing: such a request is at fault wherever it goes, and is never tried again`,
      `warning config.yaml:6:34 ${policies}model_group_retry_policy.a.TimeoutErorRetries: unknown key, ignored; did you mean "TimeoutErrorRetries"?`,
      'warning config.yaml:8:26 litellm_settings.allowed_fails_policy.DefaultAllowedFails: unknown key, ignored; there are …',
    ],
  )
})

test('a setting that changes nothing is said so: no retries are meant, nobody asks, nobody is put aside, nobody reads', async () => {
  assert.deepEqual(
    await problemsOf(`${ONE}router_settings:
  retry_policy: {BadRequestErrorRetries: 0}
  model_group_retry_policy: {aa: {TimeoutErrorRetries: 1}, a: {ContentPolicyViolationErrorRetries: 1}}
  allowed_fails_policy: {BadRequestErrorAllowedFails: 1000}
  routing_strategy: usage-based-routing-v2
  routing_strategy_args: {ttl: 10, max_latency_list_size: 5}
`),
    [
      'warning config.yaml:6:30 router_settings.model_group_retry_policy.aa: there is no model group "aa"; did you mean "a"?',
      'warning config.yaml:6:64 router_settings.model_group_retry_policy.a.ContentPolicyViolationErrorRetries: changes nothing: such a request is at fault wherever it goes, and is never tried again',
      'warning config.yaml:7:26 router_settings.allowed_fails_policy.BadRequestErrorAllowedFails: changes nothing: such a request is at fault wherever it goes, and nobody is put aside for it',
      'warning config.yaml:9:27 router_settings.routing_strategy_args.ttl: is read with routing_strategy latency-based-routing alone',
      'warning config.yaml:9:36 router_settings.routing_strategy_args.max_latency_list_size: unknown key, ignored; there are ttl, lowest_latency_buffer',
    ],
  )
})

test('strategy, limits, aliases, tags and checks are read', async () => {
  const { router } = await loadText(`${ONE}router_settings:
  routing_strategy: latency-based-routing
  routing_strategy_args: {ttl: "60", lowest_latency_buffer: 0.5}
  default_max_parallel_requests: 7
  model_group_alias: {b: a, c: {model: a, hidden: true}, d: {model: a}}
  enable_tag_filtering: true
  tag_filtering_match_any: false
  enable_pre_call_check: true
`)
  const { strategy, latencyWindowMs, latencySlack, defaultMaxParallelRequests, aliases, tags } = router
  assert.deepEqual([strategy, latencyWindowMs, latencySlack], ['latency-based-routing', 60_000, 0.5])
  assert.equal(defaultMaxParallelRequests, 7)
  assert.deepEqual(
    aliases,
    new Map([
      ['b', { model: 'a', isHidden: false }],
      ['c', { model: 'a', isHidden: true }],
      ['d', { model: 'a', isHidden: false }],
    ]),
  )
  assert.deepEqual(tags, { isEnabled: true, matchesAny: false })
  assert.equal(router.checksContextWindow, true)
})

test('a strategy that is none is said so, with the one that was meant, and the default used', async () => {
  const written = `${ONE}router_settings: {routing_strategy: least-bussy}\n`
  const [problem, ...others] = await problemsOf(written)
  assert.match(problem ?? '', /^warning .*routing_strategy: is none of .* did you mean "least-busy"\?$/)
  assert.deepEqual(others, [])
  assert.equal((await loadText(written)).router.strategy, 'simple-shuffle')
})

test('a written `*` beats the default fallbacks, and retries have a bound', async () => {
  const { router } = await loadText(
    `${ONE}litellm_settings: {fallbacks: [{"*": [b]}], default_fallbacks: [c], num_retries: 1000}\n`,
  )
  assert.deepEqual(router.fallbacks, new Map([['*', [{ model: 'b', body: {} }]]]))
  assert.equal(router.numRetries, 20)
})

test('a deployment says what part it takes in the traffic', async () => {
  const numbers = 'num_retries: 1, cooldown_time: 0, order: 2, weight: 3, rpm: 60, tpm: 1000'
  const params = `${numbers}, max_parallel_requests: 4, tags: [free, 2024], tag_regex: ['^User-Agent: x/']`
  const { deployments } = await loadText(`model_list:
- model_name: a
  litellm_params: {model: openai/x, ${params}}
- model_name: a
  litellm_params: {model: openai/y}
  rpm: 5
  model_info: {tpm: 6}
- model_name: a
  litellm_params: {model: openai/z, max_parallel_requests: 0}
`)
  assert.deepEqual(
    deployments.map(({ traffic }) => traffic),
    [
      {
        numRetries: 1,
        cooldownMs: 0,
        order: 2,
        weight: 3,
        rpm: 60,
        tpm: 1000,
        maxParallelRequests: 4,
        tags: ['free', '2024'],
        tagPatterns: [/^User-Agent: x\//],
      },
      { rpm: 5, tpm: 6 },
      undefined,
    ],
  )
})

test('a pattern that is none is refused where it stands', async () => {
  const problems = await problemsOf(ONE.replace('openai/x', "openai/x, tag_regex: ['(']"))
  assert.match(problems.join(), /^fatal .*litellm_params.tag_regex: must be a list of patterns/)
})

test('numbers that make no sense are refused where they stand', async () => {
  const problems = await problemsOf(
    `${ONE}router_settings: {num_retries: -1, cooldown_time: soon, fallbacks: {a: [b]}}\n`,
  )
  assert.deepEqual(
    problems.map((problem) => /^fatal \S+ (\S+): (must \w+ ?\w*)/.exec(problem)?.slice(1).join(' ')),
    [
      'router_settings.num_retries must not be',
      'router_settings.cooldown_time must be a',
      'router_settings.fallbacks must be a',
    ],
  )
})

test('what is written of the model and of its fields is read from where it may stand', async () => {
  const { deployments } = await loadText(`model_list:
- model_name: a
  litellm_params: {model: azure/x, input_cost_per_token: 1e-6, drop_params: true, additional_drop_params: [seed, 'tools[*].x'], allowed_openai_params: [n]}
  model_info: {base_model: gpt-4o, max_tokens: 9, max_input_tokens: 8, output_cost_per_token: 2.0e-6, input_cost_per_token: 5}
- model_name: a
  litellm_params: {model: openai/y}
  model_info: {max_tokens: 9}
`)
  assert.deepEqual(
    deployments.map(({ facts }) => facts),
    [{ baseModel: 'gpt-4o', maxInputTokens: 8, inputCost: 1e-6, outputCost: 2e-6 }, { maxInputTokens: 9 }],
  )
  assert.deepEqual(
    deployments.map(({ fieldRules }) => fieldRules),
    [{ dropParams: true, drop: ['seed', 'tools[*].x'], keep: ['n'] }, undefined],
  )
})

test('an alias that stands for nothing is warned about where it stands, with what was probably meant', async () => {
  const text = `model_list:
  - {model_name: claude, litellm_params: {model: openai/gpt-4o}, model_info: {id: id-1}}
  - {model_name: azure/*, litellm_params: {model: azure/*}}
router_settings:
  model_group_alias:
    good: claude
    by-id: id-1
    by-model: openai/gpt-4o
    wild: azure/anything
    slip: cluade
    far: {model: nowhere, hidden: true}
`
  assert.deepEqual(await problemsOf(text), [
    'warning config.yaml:10:11 router_settings.model_group_alias.slip: there is no model group "cluade"; did you mean "claude"?',
    'warning config.yaml:11:18 router_settings.model_group_alias.far: there is no model group "nowhere"',
  ])
})

test('a fallback that nobody answers to is warned about, and so is a group that nobody asks for', async () => {
  const text = `model_list:
  - {model_name: claude, litellm_params: {model: openai/gpt-4o}, model_info: {id: id-1}}
  - {model_name: azure/*, litellm_params: {model: azure/*}}
router_settings:
  model_group_alias: {al: claude}
  fallbacks:
    - claude: [id-1, al, azure/x, openai/gpt-4o, {model: claude, temperature: 0}]
    - "*": [cluade]
    - cluade: [claude]
litellm_settings:
  default_fallbacks: [claude, nowhere]
  content_policy_fallbacks: [{al: [{model: nobody}]}]
`
  const none = 'there is no model group'
  assert.deepEqual(await problemsOf(text), [
    `warning config.yaml:8:13 router_settings.fallbacks.*: ${none} "cluade"; did you mean "claude"?`,
    `warning config.yaml:9:7 router_settings.fallbacks.cluade: ${none} "cluade"; did you mean "claude"?`,
    `warning config.yaml:11:31 litellm_settings.default_fallbacks: ${none} "nowhere"`,
    `warning config.yaml:12:36 litellm_settings.content_policy_fallbacks.al: ${none} "nobody"`,
  ])
})

const TWO = `${ONE}- model_name: a\n  litellm_params: {model: openai/y}\n`

test('a group hedges as it is written, and else after the usual time one request in twenty', async () => {
  for (const [written, rule] of [
    ['{after: p95, budget: 5%}', { after: 'p95', share: 0.05 }],
    ['{}', { after: 'p95', share: 0.05 }],
    ['{after: 1.5, budget: 12.5 %}', { after: 1500, share: 0.125 }],
    ['{after: "2", budget: "100%"}', { after: 2000, share: 1 }],
  ] as const) {
    const { router } = await loadText(`${TWO}router_settings: {model_group_hedge: {a: ${written}}}\n`)
    assert.deepEqual(router.hedges, new Map([['a', rule]]), written)
  }
})

test('a hedge that cannot be meant so is refused where it stands', async () => {
  for (const [written, problem] of [
    ['{after: p50}', 'a.after: must be `p95` or a number of seconds above 0, not text'],
    ['{after: 0}', 'a.after: must be a number above 0, not 0'],
    ['{budget: 0.05}', 'a.budget: must be a share of the requests, such as 5%, not 0.05'],
    ['{budget: 0%}', 'a.budget: must be above 0% and no more than 100%, not text'],
    ['{budget: 101%}', 'a.budget: must be above 0% and no more than 100%, not text'],
    ['{budgt: 5%}', 'a.budgt: unknown key'],
    ['p95', 'a: must be a map of `after` and `budget`: {after: p95, budget: 5%}, not text'],
  ] as const) {
    const [found, ...more] = await problemsOf(
      `${TWO}router_settings:\n  model_group_hedge:\n    a: ${written}\n`,
    )
    assert.match(found ?? '', /^fatal config\.yaml:8:\d+ router_settings\.model_group_hedge\./)
    assert.ok(found?.includes(problem), found)
    assert.equal(more.length, 0)
  }
})

test('a group that cannot hedge is warned about', async () => {
  const text = `${TWO}- model_name: lone\n  litellm_params: {model: openai/z}\nrouter_settings:\n  model_group_hedge:\n`
  assert.deepEqual(await problemsOf(`${text}    a: {}\n    aa: {}\n    lone: {}\n`), [
    'warning config.yaml:11:5 router_settings.model_group_hedge.aa: no model_name is "aa"; did you mean "a"?',
    'warning config.yaml:12:5 router_settings.model_group_hedge.lone: there is no second deployment to ask',
  ])
})
