import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { countTokens } from 'gpt-tokenizer/encoding/o200k_base'
import { createHandClock } from '../../core/clock.ts'
import { createTextCounter } from './text-counter.ts'
import { samplesOf } from './text-samples.ts'

const STAYS = new AbortController().signal

function tokensOf(text: string): number {
  const { pieces, share } = samplesOf(text)
  return Math.round(pieces.reduce((sum, piece) => sum + countTokens(piece), 0) * share)
}

describe('samples', () => {
  test('of a text of some size are all of it, cut where tokens end', () => {
    const text = 'Whoever asks for a model, and is told nothing, asks again. '.repeat(60)
    assert.equal(samplesOf(text).pieces.join(''), text)
    assert.equal(tokensOf(text), countTokens(text))
    assert.deepEqual(samplesOf(''), { pieces: [], share: 1 })
  })

  test('leave characters whole, and hold no long run', () => {
    for (const text of [
      '👩‍🚀'.repeat(700),
      '健康检查很重要'.repeat(500),
      'a'.repeat(4_000),
      ' '.repeat(4_000),
    ]) {
      assert.ok(samplesOf(text).pieces.every((piece) => piece.length <= 257 && piece.isWellFormed()))
      const [whole, pieces] = [countTokens(text), tokensOf(text)]
      assert.ok(pieces >= whole * 0.95 && pieces <= whole * 1.1 + 20, `${pieces}, not ${whole}`)
    }
  })

  test('of a long text are as many as of any other, from all over it', () => {
    const text = 'a word or two, '.repeat(300_000) + '健康检查很重要'.repeat(600_000)
    const { pieces, share } = samplesOf(text)
    const chars = pieces.reduce((sum, piece) => sum + piece.length, 0)
    assert.ok(chars > 60_000 && chars <= 66_000, String(chars))
    assert.equal(share, text.length / chars)
    assert.ok(pieces[0]?.startsWith('a word') === true && /健/.test(pieces.at(-1) ?? ''))
  })
})

test('a text is as many tokens as its encoding says', async () => {
  const clock = createHandClock()
  const count = createTextCounter(clock)
  for (const text of ['', 'ping', 'The gateway asked the model.', 'Größe: 12 µm', '健康检查', '{"a":[1,2]}'])
    assert.equal(await count(text, STAYS), countTokens(text))
  assert.ok((await count('<|endoftext|>', STAYS)) > 1, 'what looks like a control token is a text')
  clock.wind(60_000)
})

test('who is gone is not waited for, and many are answered each with his own', async () => {
  const clock = createHandClock()
  const count = createTextCounter(clock)
  const leaving = new AbortController()
  const pending = count('ping', leaving.signal)
  leaving.abort()
  await assert.rejects(pending, { kind: 'cancelled' })
  const texts = Array.from({ length: 50 }, (_, at) => 'ping '.repeat(at))
  const counts = await Promise.all(texts.map((text) => count(text, STAYS)))
  assert.deepEqual(counts, texts.map(tokensOf))
  clock.wind(60_000)
})

test('a thread that nobody needs is ended, and there again when it is needed', async () => {
  const clock = createHandClock()
  const count = createTextCounter(clock)
  await count('ping', STAYS)
  assert.equal(clock.pending(), 1)
  clock.wind(60_000)
  assert.equal(clock.pending(), 0)
  assert.equal(await count('ping', STAYS), 1)
  clock.wind(60_000)
})

test('who is gone leaves a text in the queue, and makes no room for another', async () => {
  const clock = createHandClock()
  const count = createTextCounter(clock)
  const leaving = new AbortController()
  const left = Promise.allSettled(Array.from({ length: 256 }, () => count('ping', leaving.signal)))
  leaving.abort()
  for (const each of await left) assert.equal(each.status, 'rejected')
  await assert.rejects(count('ping', STAYS), { kind: 'throttled' })
  clock.wind(30_000)
  await assert.rejects(count('ping', leaving.signal), { kind: 'cancelled' })
  assert.equal(await count('ping', STAYS), 1)
  clock.wind(60_000)
})

test('no more wait than can be served, and none forever', async () => {
  const clock = createHandClock()
  const count = createTextCounter(clock)
  const waiting = Array.from({ length: 256 }, () => count('ping', STAYS))
  const refused = Promise.allSettled(waiting)
  await assert.rejects(count('ping', STAYS), { kind: 'throttled' })
  clock.wind(30_000)
  for (const each of await refused) assert.equal(each.status, 'rejected')
  assert.equal(await count('ping', STAYS), 1)
  clock.wind(60_000)
})
