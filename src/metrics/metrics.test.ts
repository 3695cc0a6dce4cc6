import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createHandClock } from '../core/clock.ts'
import { createConfigBook } from '../core/config-status.ts'
import { watchLag } from './lag-watch.ts'
import { createMetrics } from './metrics.ts'
import type { CountedRequest, Metrics } from './metrics.ts'
import { METRICS } from './table.ts'

const DEPLOYMENTS = [
  { index: 0, group: 'gpt "4"', provider: 'openai' },
  { index: 1, group: 'gpt "4"', provider: 'azure' },
  { index: 2, group: 'small', provider: 'openai' },
]
const [first, second, small] = DEPLOYMENTS

function begin(): Metrics {
  return createMetrics({
    deployments: DEPLOYMENTS,
    memory: () => ({ rss: 64, heapUsed: 32 }),
    droppedLogLines: () => 7,
    config: createConfigBook(createHandClock(), 'a1b2'),
  })
}

const GOOD: CountedRequest = {
  group: first,
  last: first,
  operation: 'chat',
  outcome: 'ok',
  durationMs: 200,
}

const pageOf = (metrics: Metrics): string => [...metrics.page()].join('')

/** The samples of a page, without its comments. */
function samples(metrics: Metrics): readonly string[] {
  return pageOf(metrics)
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'))
}

function samplesOf(metrics: Metrics, name: string): readonly string[] {
  return samples(metrics).filter((line) => line.startsWith(name))
}

test('requests are counted by the group asked for, the provider asked last, and how they ended', () => {
  const metrics = begin()
  for (const request of [
    GOOD,
    GOOD,
    { ...GOOD, last: second },
    { ...GOOD, last: small },
    { ...GOOD, outcome: 'timeout' as const },
    { ...GOOD, group: undefined, last: undefined, outcome: 'bad_request' as const, operation: 'embedding' },
  ])
    metrics.finished(request)
  assert.deepEqual(samplesOf(metrics, METRICS.requests.name), [
    String.raw`pulsegate_requests_total{model_group="gpt \"4\"",provider="openai",operation="chat",outcome="ok"} 3`,
    String.raw`pulsegate_requests_total{model_group="gpt \"4\"",provider="openai",operation="chat",outcome="timeout"} 1`,
    String.raw`pulsegate_requests_total{model_group="gpt \"4\"",provider="azure",operation="chat",outcome="ok"} 1`,
    'pulsegate_requests_total{model_group="",provider="",operation="embedding",outcome="bad_request"} 1',
  ])
})

test('a histogram counts each value into every bucket that holds it', () => {
  const metrics = begin()
  for (const durationMs of [10, 11, 250, 700_000])
    metrics.finished({ ...GOOD, durationMs, firstTokenMs: durationMs === 250 ? 40 : undefined })
  const lines = samplesOf(metrics, METRICS.duration.name)
  const at = (bound: string): string | undefined =>
    lines.find((line) => line.includes(`le="${bound}"`))?.split(' ')[1]
  assert.deepEqual(['0.01', '0.025', '0.1', '0.25', '600', '+Inf'].map(at), ['1', '2', '2', '3', '3', '4'])
  assert.ok(lines.includes('pulsegate_request_duration_seconds_count{provider="openai",operation="chat"} 4'))
  const sum = lines.find((line) => line.includes('_sum'))?.split(' ')[1]
  assert.equal(Number(sum).toFixed(3), '700.271')
  assert.ok(
    samplesOf(metrics, METRICS.firstToken.name).includes(
      'pulsegate_time_to_first_token_seconds_count{provider="openai",operation="chat"} 1',
    ),
  )
})

test('tokens are added up, in and out', () => {
  const metrics = begin()
  for (const usage of [{ promptTokens: 5, completionTokens: 2, totalTokens: 7 }, undefined])
    for (const group of [first, second, small]) metrics.finished({ ...GOOD, group, usage })
  assert.deepEqual(samplesOf(metrics, METRICS.tokens.name), [
    String.raw`pulsegate_tokens_total{model_group="gpt \"4\"",direction="in"} 10`,
    String.raw`pulsegate_tokens_total{model_group="gpt \"4\"",direction="out"} 4`,
    'pulsegate_tokens_total{model_group="small",direction="in"} 5',
    'pulsegate_tokens_total{model_group="small",direction="out"} 2',
  ])
})

test('what is under way, turned away, tried again and thrown away is told', () => {
  const metrics = begin()
  metrics.begun()
  metrics.begun()
  metrics.finished(GOOD)
  metrics.refused('auth')
  metrics.retried()
  metrics.retried()
  metrics.fellBack()
  metrics.hedged()
  for (const [name, expected] of [
    ['pulsegate_requests_in_flight', 'pulsegate_requests_in_flight 1'],
    ['pulsegate_refused_total', 'pulsegate_refused_total{reason="auth"} 1'],
    ['pulsegate_retries_total', 'pulsegate_retries_total 2'],
    ['pulsegate_fallbacks_total', 'pulsegate_fallbacks_total 1'],
    ['pulsegate_hedges_total', 'pulsegate_hedges_total 1'],
    ['pulsegate_log_lines_dropped_total', 'pulsegate_log_lines_dropped_total 7'],
    ['process_resident_memory_bytes', 'process_resident_memory_bytes 64'],
    ['nodejs_heap_size_used_bytes', 'nodejs_heap_size_used_bytes 32'],
  ] as const)
    assert.deepEqual(samplesOf(metrics, name), [expected])
})

test('a million names that nobody knows add no series', () => {
  const metrics = begin()
  const junk = { ...GOOD, group: undefined, last: undefined, outcome: 'bad_request' as const }
  metrics.finished(junk)
  const before = samples(metrics).length
  for (let count = 0; count < 1_000_000; count++) metrics.finished(junk)
  assert.equal(samples(metrics).length, before)
})

test('even names of operations have a bound', () => {
  const metrics = begin()
  for (let count = 0; count < 1000; count++) metrics.finished({ ...GOOD, operation: `operation ${count}` })
  const names = new Set(
    samplesOf(metrics, METRICS.requests.name).map((line) => /operation="([^"]*)"/.exec(line)?.[1]),
  )
  assert.equal(names.size, 63)
  assert.ok(names.has('other') && names.has('operation 0'))
})

test('every metric of the table stands on the page, in its order, with its help and type', () => {
  const heads = pageOf(begin())
    .split('\n')
    .filter((line) => line.startsWith('#'))
  const expected = Object.values(METRICS).flatMap(({ name, help, type }) => [
    `# HELP ${name} ${help}`,
    `# TYPE ${name} ${type}`,
  ])
  assert.deepEqual(heads, expected)
})

test('a late timer is told as lag, and a watch that has ended leaves nothing behind', () => {
  const clock = createHandClock()
  const late: number[] = []
  const end = watchLag(clock, (ms) => late.push(ms))
  clock.wind(250)
  assert.deepEqual(late, [0, 0])
  end()
  assert.equal(clock.pending(), 0)
})

test('under another config counters go on, those of groups that are gone are gone, and late ends find their name', () => {
  const metrics = begin()
  metrics.begun()
  metrics.finished(GOOD)
  metrics.finished({
    ...GOOD,
    group: small,
    last: small,
    usage: { promptTokens: 1, completionTokens: 2, totalTokens: 3 },
  })
  const renewed = [
    { index: 0, group: 'new', provider: 'cohere' },
    { index: 1, group: 'gpt "4"', provider: 'openai' },
  ]
  metrics.renew(renewed)
  metrics.finished({ ...GOOD, group: renewed[1], last: renewed[1] })
  metrics.finished(GOOD)
  metrics.finished({ ...GOOD, group: small, last: small })
  assert.deepEqual(samplesOf(metrics, METRICS.requests.name), [
    String.raw`pulsegate_requests_total{model_group="gpt \"4\"",provider="openai",operation="chat",outcome="ok"} 3`,
  ])
  assert.doesNotMatch(pageOf(metrics), /small/)
})

test('what a session costs is counted while it goes on, for the group that it has under a later config too', () => {
  const metrics = begin()
  metrics.begun()
  const usage = { promptTokens: 5, completionTokens: 2, totalTokens: 7 }
  metrics.spent(first, usage)
  metrics.spent(second, usage)
  metrics.spent(undefined, usage)
  metrics.renew([{ index: 0, group: 'gpt "4"', provider: 'openai' }])
  metrics.spent(first, usage)
  metrics.spent(small, usage)
  assert.deepEqual(
    samplesOf(metrics, 'pulsegate_tokens_total').filter((line) => line.includes('gpt')),
    [
      'pulsegate_tokens_total{model_group="gpt \\"4\\"",direction="in"} 15',
      'pulsegate_tokens_total{model_group="gpt \\"4\\"",direction="out"} 6',
    ],
  )
})
