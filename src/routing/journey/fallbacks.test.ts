import assert from 'node:assert/strict'
import { test } from 'node:test'
import { areFallbackLists, readFallbackLists, readFallbacks } from '../../core/fallback.ts'
import { GatewayError } from '../../core/failure.ts'
import type { FailureKind, FailureSource } from '../../core/failure.ts'
import { fallbacksFor } from './fallbacks.ts'
import type { AskedFallbacks, FallbackRules } from './fallbacks.ts'

const PLAIN: FallbackRules = {
  fallbacks: readFallbackLists([{ a: ['plain'] }, { '*': ['default'] }]),
  contextWindowFallbacks: new Map(),
  contentPolicyFallbacks: new Map(),
  maxFallbacks: 5,
}
const SPECIAL: FallbackRules = {
  ...PLAIN,
  contextWindowFallbacks: readFallbackLists([{ a: ['long'] }]),
  contentPolicyFallbacks: readFallbackLists([{ a: ['lax'] }]),
}
const TOO_LONG = "answered 400: This model's maximum context length is 8192 tokens"

test('which groups follow after which failure', () => {
  type Case = readonly [
    group: string,
    kind: FailureKind,
    message: string,
    source: FailureSource,
    rules: FallbackRules,
    asked: AskedFallbacks,
    expected: string,
  ]
  const own = readFallbacks(['own'])
  const byGroup = readFallbackLists([{ a: ['mine'] }])
  const cases: readonly Case[] = [
    ['a', 'server_error', 'x', 'upstream', PLAIN, {}, 'plain'],
    ['b', 'server_error', 'x', 'upstream', PLAIN, {}, 'default'],
    ['a', 'none_available', 'x', 'gateway', PLAIN, {}, 'plain'],
    ['a', 'bad_request', 'x', 'upstream', PLAIN, {}, 'plain'],
    ['a', 'bad_request', 'x', 'client', PLAIN, {}, ''],
    ['a', 'cancelled', 'x', 'gateway', PLAIN, {}, ''],
    ['a', 'bad_request', TOO_LONG, 'upstream', PLAIN, {}, 'plain'],
    ['a', 'bad_request', TOO_LONG, 'upstream', SPECIAL, {}, 'long'],
    ['b', 'bad_request', TOO_LONG, 'upstream', SPECIAL, {}, ''],
    ['a', 'bad_request', 'x', 'upstream', SPECIAL, {}, 'plain'],
    ['a', 'server_error', TOO_LONG, 'upstream', SPECIAL, {}, 'plain'],
    ['a', 'content_policy', 'x', 'upstream', SPECIAL, {}, 'lax'],
    ['b', 'content_policy', 'x', 'upstream', SPECIAL, {}, ''],
    ['a', 'content_policy', 'x', 'upstream', PLAIN, {}, 'plain'],
    ['a', 'server_error', 'x', 'upstream', PLAIN, { fallbacks: own }, 'own'],
    ['a', 'server_error', 'x', 'upstream', PLAIN, { fallbacks: [] }, ''],
    ['a', 'server_error', 'x', 'upstream', PLAIN, { fallbackLists: byGroup }, 'mine'],
    ['b', 'server_error', 'x', 'upstream', PLAIN, { fallbackLists: byGroup }, ''],
    ['a', 'content_policy', 'x', 'upstream', SPECIAL, { fallbackLists: byGroup }, 'lax'],
    ['a', 'server_error', 'x', 'upstream', PLAIN, { fallbacks: own, disableFallbacks: true }, ''],
    [
      'a',
      'content_policy',
      'x',
      'upstream',
      SPECIAL,
      { contentPolicyFallbacks: readFallbackLists([{ a: ['mine'] }]) },
      'mine',
    ],
  ]
  for (const [group, kind, message, source, rules, asked, expected] of cases) {
    const found = fallbacksFor([group], new GatewayError(kind, message, { source }), rules, asked)
    assert.equal(found.map(({ model }) => model).join(), expected, `${group} ${kind} ${message} ${source}`)
  }
})

test('each provider’s way to say that a request is too long is understood', () => {
  const sentences = [
    'answered 400 (context_length_exceeded): too long',
    "This model's maximum context length is 8192 tokens. However, you requested 9000",
    'prompt is too long: 210000 tokens > 200000 maximum',
    'Input is too long for requested model.',
    'Request too large for gpt-4o on tokens per min (TPM): Limit 30000, Requested 42000.',
    'too many tokens: size limit exceeded by 12 tokens',
    'The input exceeds the context window of this model',
  ]
  for (const message of sentences) {
    const failure = new GatewayError('bad_request', message)
    assert.equal(fallbacksFor(['a'], failure, SPECIAL, {})[0]?.model, 'long', message)
  }
})

test('a request’s own lists are by group where they look like a config’s', () => {
  const cases: readonly (readonly [lists: readonly unknown[], expected: boolean])[] = [
    [[{ a: ['b'] }, { '*': [] }], true],
    [[{ model: ['b'] }], true],
    [[{ model: 'b', messages: [] }], false],
    [[{ a: ['b'] }, 'c'], false],
    [['b'], false],
    [[], false],
  ]
  for (const [lists, expected] of cases)
    assert.equal(areFallbackLists(lists), expected, JSON.stringify(lists))
})

test('lists of other shapes are left out, and long ones cut', () => {
  assert.deepEqual(readFallbacks(['b', '', 3, null, { model: 5 }, { model: 'c', top_p: 1 }]), [
    { model: 'b', body: {} },
    { model: 'c', body: { top_p: 1 } },
  ])
  assert.equal(readFallbacks(Array.from({ length: 99 }, (_, index) => `g${index}`)).length, 50)
  assert.deepEqual(readFallbackLists('b'), new Map())
})
