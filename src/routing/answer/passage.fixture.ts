import assert from 'node:assert/strict'
import type { AnswerFacts } from '../../core/answer-facts.ts'
import { createHandClock } from '../../core/clock.ts'
import type { HandClock } from '../../core/clock.ts'
import { GatewayError } from '../../core/failure.ts'
import type { AskedChoices } from '../request/choices.ts'
import type { AnswerShape } from '../request/operation.ts'
import { Passage } from './passage.ts'
import type { PassageOptions } from './passage-options.ts'

/** For tests: what reached the client. */
export interface Seen {
  status?: number
  headers?: Readonly<Record<string, string>>
  text: string
  end?: 'end' | GatewayError
  facts?: AnswerFacts
  stops: number
  /** Pieces with an event in them. */
  events: number
  /** Pieces with nothing but pings in them. */
  pings: number
  pauses: number
  overs: number
}

/** What a test puts in place of what works. */
export type Spoiled = Partial<PassageOptions>

export function open(options: {
  stream: boolean
  model?: string
  full?: boolean
  shape?: AnswerShape
  asked?: AskedChoices
  spoiled?: Spoiled
}): {
  passage: Passage
  seen: Seen
  clock: HandClock
} {
  const clock = createHandClock()
  const seen: Seen = { text: '', stops: 0, events: 0, pings: 0, pauses: 0, overs: 0 }
  const passage = new Passage({
    stream: options.stream,
    shape: options.shape ?? { kind: 'object', proof: 'choices' },
    ...(options.asked !== undefined && { asked: options.asked }),
    ...(options.model !== undefined && { model: options.model }),
    redact: (text) => text,
    client: { fail: () => assert.fail('the answer itself is whole') },
    clock,
    startedMs: 0,
    answer: answerInto(seen, options.full === true),
    successHeaders: () => ({}),
    copies: () => [],
    refusal: ({ status, body }) => new GatewayError('server_error', `${status} ${body.length}`),
    flawed: ({ kind, seen: what }) => new GatewayError(kind, what),
    explain: (error) => error,
    stop: () => {
      seen.stops++
    },
    failureHeaders: () => ({}),
    heard: (sign) => {
      if (sign === 'event') seen.events++
      else seen.pings++
    },
    paused: () => {
      seen.pauses++
    },
    over: () => {
      seen.overs++
    },
    ...options.spoiled,
  })
  return { passage, seen, clock }
}

function answerInto(seen: Seen, isFull: boolean): PassageOptions['answer'] {
  return {
    head: (status, headers) => Object.assign(seen, { status, headers }),
    data: (chunk) => {
      seen.text += chunk.toString()
      return !isFull
    },
    end: (facts) => {
      assert.equal(seen.end, undefined)
      seen.end = 'end'
      seen.facts = facts
    },
    fail: (error) => {
      assert.equal(seen.end, undefined)
      seen.end = error
    },
  }
}

/** For tests: how it ended. */
export function kindOf(seen: Seen): string | undefined {
  return seen.end instanceof GatewayError ? seen.end.kind : seen.end
}

/** Sends a text in pieces that end at these offsets. */
export function send(passage: Passage, text: string, splits: readonly number[] = []): void {
  const bytes = Buffer.from(text)
  let from = 0
  for (const cut of [...splits.map((at) => at % (bytes.length + 1)).sort((a, b) => a - b), bytes.length]) {
    if (cut > from) passage.data(bytes.subarray(from, cut))
    from = cut
  }
}
