import assert from 'node:assert/strict'
import { test } from 'node:test'
import { GatewayError } from '../../core/failure.ts'
import { kindOf, open, send } from './passage.fixture.ts'
import type { Spoiled } from './passage.fixture.ts'
import type { Passage } from './passage.ts'

const GOOD = '{"model":"up","choices":[{"index":0}]}'

const bug = (): never => {
  throw new TypeError('a bug')
}

test('whatever breaks while an answer is judged or passed ends it as our own failure', () => {
  const cases: readonly (readonly [string, Spoiled, boolean, (passage: Passage) => void])[] = [
    ['a refusal', { refusal: bug }, false, (passage) => (passage.head(500, {}), passage.end())],
    ['one cut off', { refusal: bug }, false, (passage) => (passage.head(500, {}), passage.fail(new Error()))],
    ['a long one', { refusal: bug }, false, (passage) => (passage.head(500, {}), send(passage, LONG))],
    ['the words', { explain: bug }, false, (passage) => passage.abandon(new GatewayError('timeout', 'late'))],
    ['its headers', { failureHeaders: bug }, true, (passage) => passage.fail(new Error('cut'))],
  ]
  for (const [name, spoiled, stream, act] of cases) {
    const { passage, seen } = open({ stream, spoiled })
    act(passage)
    assert.equal(kindOf(seen), 'internal', name)
    assert.equal(seen.overs, 1, name)
    passage.fail(new GatewayError('internal', 'again'))
  }
})

test('an answer whose end breaks has a failure for its end, and where that breaks too the client is told', () => {
  const ends: string[] = []
  const fail = (error: GatewayError): void => void ends.push(`answer ${error.message}`)
  for (const answer of [
    { head: () => {}, data: () => true, end: bug, fail },
    { head: () => {}, data: () => true, end: bug, fail: bug },
  ]) {
    const client = { fail: (error: GatewayError): void => void ends.push(`client ${error.message}`) }
    const { passage } = open({ stream: false, spoiled: { answer, client } })
    passage.head(200, {})
    send(passage, GOOD)
    passage.end()
  }
  assert.deepEqual(ends, ['answer a bug', 'client a bug'])
})

const LONG = 'x'.repeat(70_000)
