import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Deployment } from '../core/deployment.ts'
import { createHandClock } from '../core/clock.ts'
import type { Verdict } from '../core/verdict.ts'
import { makeBoard } from './board.fixture.ts'
import { makeDeployment, makeHealthy, makeUnhealthy } from './fixtures.ts'
import { report } from './report.ts'

const AT = Date.parse('2026-01-02T03:04:05.678Z')

/** A board of these deployments with these verdicts. */
function reported(pairs: readonly (readonly [Partial<Deployment>, Verdict | undefined])[], details = true) {
  const deployments = pairs.map(([changes], index) =>
    makeDeployment({ index, id: `id-${index}`, ...changes }),
  )
  const board = makeBoard(deployments, createHandClock(AT))
  for (const [index, [, verdict]] of pairs.entries()) if (verdict !== undefined) board.record(index, verdict)
  return report(deployments, board, { details })
}

test('a healthy entry has the fields of LiteLLM, then ours', () => {
  const connection = { apiBase: 'https://my-endpoint.example/v1', apiVersion: '2024-10-21', headers: {} }
  const shown = { rpm: 60, region_name: 'eu', cache: { 'no-cache': true }, max_tokens: 16 }
  const verdict = makeHealthy(AT, {
    latencyMs: 123.4,
    headers: { 'x-ms-region': 'East US', 'x-ratelimit-remaining-requests': '9' },
  })
  assert.deepEqual(reported([[{ connection, shown }, verdict]]), {
    healthy_endpoints: [
      {
        api_base: 'https://my-endpoint.example/v1',
        api_version: '2024-10-21',
        region_name: 'eu',
        rpm: 60,
        model: 'openai/gpt-4o',
        'x-ms-region': 'East US',
        'x-ratelimit-remaining-requests': '9',
        model_id: 'id-0',
        model_name: 'my-group',
        mode: 'chat',
        health_state: 'HEALTHY',
        checked_at: '2026-01-02T03:04:05.678Z',
        latency_ms: 123,
        since: '2026-01-02T03:04:05.678Z',
      },
    ],
    unhealthy_endpoints: [],
    healthy_count: 1,
    unhealthy_count: 0,
  })
})

test('an unhealthy entry says what failed, and shows our own request with its headers hidden', () => {
  const request = {
    url: 'http://host/v1/chat/completions',
    body: { model: 'gpt-4o' },
    headers: { authorization: '[secret]' },
  } as const
  const verdict = makeUnhealthy(AT, { reason: 'auth', error: 'refused', exceptionStatus: 401, request })
  const [entry] = reported([[{}, verdict]]).unhealthy_endpoints
  assert.deepEqual(entry, {
    api_base: 'http://127.0.0.1:9/v1',
    model: 'openai/gpt-4o',
    error: 'refused',
    raw_request_typed_dict: {
      raw_request_api_base: 'http://host/v1/chat/completions',
      raw_request_body: { model: 'gpt-4o' },
      raw_request_headers: { authorization: '[secret]' },
      error: null,
    },
    model_id: 'id-0',
    exception_status: 401,
    model_name: 'my-group',
    mode: 'chat',
    health_state: 'SUSPECT',
    reason: 'auth',
    checked_at: '2026-01-02T03:04:05.678Z',
    latency_ms: 12,
    since: '2026-01-02T03:04:05.678Z',
  })
})

test('the raw request is null where nothing was sent and absent where our deadline passed', () => {
  const [unsent, late] = reported([
    [{}, makeUnhealthy(AT, { reason: 'misconfigured', requests: 0 })],
    [{}, makeUnhealthy(AT, { reason: 'timeout', exceptionStatus: 408 })],
  ]).unhealthy_endpoints
  assert.equal(unsent?.['raw_request_typed_dict'], null)
  assert.equal(late !== undefined && 'raw_request_typed_dict' in late, false)
})

test('a deployment probed under another model names both', () => {
  const [entry] = reported([
    [{ model: 'openai/*' }, makeHealthy(AT, { probedModel: 'openai/gpt-4o-mini' })],
  ]).healthy_endpoints
  assert.deepEqual([entry?.model, entry?.configured_model], ['openai/gpt-4o-mini', 'openai/*'])
})

test('who has no verdict is unknown, says why, and is counted', () => {
  const { unknown_endpoints, unknown_count, healthy_count, unhealthy_count } = reported([
    [{}, undefined],
    [{ unprobedMode: 'moderation' }, undefined],
    [{}, makeHealthy(AT)],
  ])
  assert.deepEqual(
    unknown_endpoints?.map(({ reason, mode, health_state, checked_at }) => [
      reason,
      mode,
      health_state,
      checked_at,
    ]),
    [
      ['not_checked_yet', 'chat', 'UNKNOWN', undefined],
      ['checks_disabled', 'moderation', 'UNKNOWN', undefined],
    ],
  )
  assert.deepEqual([healthy_count, unhealthy_count, unknown_count], [1, 0, 2])
})

test('a rate-limited deployment is listed unhealthy and marked as saturated', () => {
  const [entry] = reported([
    [{}, makeUnhealthy(AT, { reason: 'rate_limited', exceptionStatus: 429 })],
  ]).unhealthy_endpoints
  assert.deepEqual(
    [entry?.health_state, entry?.reason, entry?.exception_status],
    ['SATURATED', 'rate_limited', 429],
  )
})

test('entries keep the order of the model list, and a double id is listed twice', () => {
  const { healthy_endpoints } = reported([
    [{ id: 'same', model: 'openai/b' }, makeHealthy(AT, { probedModel: 'openai/b' })],
    [{ id: 'same', model: 'openai/a' }, makeHealthy(AT, { probedModel: 'openai/a' })],
  ])
  assert.deepEqual(
    healthy_endpoints.map(({ model }) => model),
    ['openai/b', 'openai/a'],
  )
})

test('without details an entry has five fields and no more', () => {
  const { healthy_endpoints, unhealthy_endpoints, unknown_endpoints } = reported(
    [
      [{ shown: { rpm: 5 } }, makeHealthy(AT, { headers: { 'x-ms-region': 'East US' } })],
      [{}, makeUnhealthy(AT, { reason: 'auth', exceptionStatus: 401 })],
      [{}, undefined],
    ],
    false,
  )
  const checked_at = '2026-01-02T03:04:05.678Z'
  assert.deepEqual(healthy_endpoints, [
    { model: 'openai/gpt-4o', model_id: 'id-0', health_state: 'HEALTHY', checked_at },
  ])
  assert.deepEqual(unhealthy_endpoints, [
    {
      model: 'openai/gpt-4o',
      model_id: 'id-1',
      exception_status: 401,
      health_state: 'SUSPECT',
      checked_at,
    },
  ])
  assert.deepEqual(unknown_endpoints, [{ model: 'openai/gpt-4o', model_id: 'id-2', health_state: 'UNKNOWN' }])
})

test('nothing in scope is two empty lists', () => {
  assert.deepEqual(reported([]), {
    healthy_endpoints: [],
    unhealthy_endpoints: [],
    healthy_count: 0,
    unhealthy_count: 0,
  })
})
