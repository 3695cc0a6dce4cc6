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
    numRetries: 4,
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

test('a written `*` beats the default fallbacks, and retries have a bound', async () => {
  const { router } = await loadText(
    `${ONE}litellm_settings: {fallbacks: [{"*": [b]}], default_fallbacks: [c], num_retries: 1000}\n`,
  )
  assert.deepEqual(router.fallbacks, new Map([['*', [{ model: 'b', body: {} }]]]))
  assert.equal(router.numRetries, 20)
})

test('a deployment says what part it takes in the traffic', async () => {
  const params = 'num_retries: 1, cooldown_time: 0, order: 2, weight: 3, rpm: 60, tpm: 1000'
  const { deployments } = await loadText(`model_list:
- model_name: a
  litellm_params: {model: openai/x, ${params}}
- model_name: a
  litellm_params: {model: openai/y}
`)
  assert.deepEqual(
    deployments.map(({ traffic }) => traffic),
    [{ numRetries: 1, cooldownMs: 0, order: 2, weight: 3, rpm: 60, tpm: 1000 }, undefined],
  )
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
