import assert from 'node:assert/strict'
import { test } from 'node:test'
import { answerMock } from './mock-answer.ts'
import { OPERATIONS } from '../request/operations.ts'

/** The text of each event, and how many there are. */
function streamed(response: string): { readonly text: string; readonly events: number } {
  const chunks: Buffer[] = []
  answerMock(
    OPERATIONS.completion,
    { response, model: 'm', isStream: true, id: 'i', created: 0 },
    {
      head: () => {},
      data: (chunk) => chunks.push(chunk) > 0,
      end: () => {},
      fail: (error) => assert.fail(error),
    },
  )
  const events = Buffer.concat(chunks).toString().split('\n\n').slice(0, -2)
  const texts = events.map((event): unknown => JSON.parse(event.slice('data: '.length)).choices[0].text)
  return { text: texts.join(''), events: events.length }
}

test('a short text comes in pieces of 20 characters, a long one in no more than a thousand', () => {
  assert.deepEqual(streamed('x'.repeat(41)), { text: 'x'.repeat(41), events: 4 })
  const long = 'ä𝄞'.repeat(100_000)
  const { text, events } = streamed(long)
  assert.equal(text, long)
  assert.ok(events <= 1001, `${events}`)
})
