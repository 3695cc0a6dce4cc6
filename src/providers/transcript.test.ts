import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'
import { transcript, type SpokenWord } from './transcript.ts'

const said = (words: readonly SpokenWord[]): readonly (readonly [number, number, string])[] => {
  const segments = transcript({ text: '', words }).whole?.['segments']
  assert.ok(Array.isArray(segments))
  return segments.map(({ start, end, text }) => [start, end, text])
}

/** Words of 0.4 s, one after the other. */
const spoken = (text: string, fromS = 0): readonly SpokenWord[] =>
  text.split(' ').map((word, at) => ({ word, start: fromS + at * 0.5, end: fromS + at * 0.5 + 0.4 }))

test('a segment ends with a sentence, before a pause, and where a subtitle is full', () => {
  assert.deepEqual(said(spoken('One two. Three')), [
    [0, 0.9, 'One two.'],
    [1, 1.4, 'Three'],
  ])
  assert.deepEqual(said([...spoken('one'), ...spoken('two', 1.3)]), [
    [0, 0.4, 'one'],
    [1.3, 1.7000000000000002, 'two'],
  ])
  assert.deepEqual(
    said(spoken(Array.from({ length: 30 }, () => 'la').join(' '))).map(([start]) => start),
    [0, 7, 14],
  )
})

test('words are joined by what stands between them', () => {
  const words = [
    { word: 'こん', start: 0, end: 0.2, after: '' },
    { word: 'にちは', start: 0.2, end: 0.5, after: '' },
  ]
  assert.deepEqual(said(words), [[0, 0.5, 'こんにちは']])
})

test('no word is lost, and segments do not overlap, whatever was said', () => {
  const word = fc.record({
    word: fc.stringMatching(/^[a-z]{1,12}[.?]?$/),
    pause: fc.double({ min: 0, max: 2, noNaN: true }),
  })
  fc.assert(
    fc.property(fc.array(word, { minLength: 1, maxLength: 60 }), (parts) => {
      let at = 0
      const words = parts.map(({ word: text, pause }) => {
        const start = at + pause
        at = start + 0.3
        return { word: text, start, end: at }
      })
      const segments = said(words)
      assert.equal(segments.map(([, , text]) => text).join(' '), words.map((each) => each.word).join(' '))
      for (const [index, [start, end]] of segments.entries())
        assert.ok(start <= end && start >= (segments[index - 1]?.[1] ?? 0))
    }),
  )
})

test('sound without words has a text and no segments', () => {
  assert.deepEqual(transcript({ text: '', durationS: 3, words: [] }), {
    text: '',
    whole: { task: 'transcribe', duration: 3, text: '', words: [] },
  })
})
