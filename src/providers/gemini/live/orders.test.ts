import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'
import { isJsonObject, type JsonObject } from '../../../core/json.ts'
import {
  audio,
  errorOf,
  messageOf,
  open,
  parsed,
  part,
  RESPOND,
  says,
  sound,
  SOUND,
  TEN_MS,
  TURN_COMPLETE,
  types,
} from './session.fixture.ts'

const output = (callId: string): JsonObject => ({
  type: 'conversation.item.create',
  item: { type: 'function_call_output', call_id: callId, output: '{}' },
})

const CLIENT: readonly JsonObject[] = [
  audio(TEN_MS),
  says('ping'),
  output('c1'),
  output('c2'),
  RESPOND,
  { type: 'response.cancel' },
  { type: 'input_audio_buffer.commit' },
  { type: 'input_audio_buffer.clear' },
  { type: 'session.update', session: { instructions: 'be kind' } },
  { type: 'session.update', session: { turn_detection: null } },
  { type: 'session.update', session: { temperature: 'hot' } },
  { type: 'conversation.item.retrieve', item_id: 'item_s0004' },
  { type: 'nonsense' },
]

const USAGE = { usageMetadata: { promptTokenCount: 1, responseTokenCount: 2 } }
const SERVER: readonly JsonObject[] = [
  sound(SOUND),
  part({ text: 'pong' }),
  part({ text: 'hm', thought: true }),
  { serverContent: { outputTranscription: { text: 'pong' } } },
  { serverContent: { inputTranscription: { text: 'ping' } } },
  { serverContent: { generationComplete: true } },
  { serverContent: { interrupted: true } },
  { serverContent: { interrupted: true, turnComplete: true } },
  TURN_COMPLETE,
  { ...TURN_COMPLETE, ...USAGE },
  USAGE,
  { toolCall: { functionCalls: [{ id: 'c1', name: 'f', args: {} }, { name: 'g' }] } },
  { toolCallCancellation: { ids: ['c1'] } },
  { voiceActivity: { voiceActivityType: 'ACTIVITY_START' } },
  { voiceActivity: { voiceActivityType: 'ACTIVITY_END' } },
  { goAway: {} },
  { sessionResumptionUpdate: { newHandle: 'h' } },
  {},
]

type Step = { readonly by: 'client' | 'server'; readonly said: JsonObject }
const steps = fc.array(
  fc.oneof(
    fc.constantFrom(...CLIENT).map((said): Step => ({ by: 'client', said })),
    fc.constantFrom(...SERVER).map((said): Step => ({ by: 'server', said })),
  ),
  { maxLength: 60 },
)

/** What OpenAI's order of events demands, whatever happens. */
function assertOrder(events: readonly JsonObject[]): void {
  const ids = new Set<unknown>()
  let response: unknown
  let item: unknown
  let hasPart = false
  for (const event of events) {
    const { type, event_id: id } = event
    assert.ok(!ids.has(id), 'an id was given twice')
    ids.add(id)
    if (type === 'response.created') {
      assert.equal(response, undefined, 'a response began in another one')
      response = inner(event, 'response')['id']
    } else if (type === 'response.done') {
      assert.equal(inner(event, 'response')['id'], response)
      assert.equal(item, undefined, 'a response ended with an open item')
      response = undefined
    } else if (typeof type === 'string' && type.startsWith('response.')) {
      assert.notEqual(response, undefined, `${type} outside of a response`)
      assert.equal(event['response_id'], response)
      if (type === 'response.output_item.added') {
        assert.equal(item, undefined, 'an item began in another one')
        item = inner(event, 'item')['id']
      } else if (type === 'response.output_item.done') {
        assert.equal(inner(event, 'item')['id'], item)
        assert.ok(!hasPart, 'an item ended with an open part')
        item = undefined
      } else {
        assert.equal(event['item_id'], item, type)
        const isOfPart = !type.startsWith('response.function_call')
        if (type === 'response.content_part.added') hasPart = true
        else assert.ok(!isOfPart || hasPart, `${type} outside of a part`)
        if (type === 'response.content_part.done') hasPart = false
      }
    }
  }
}

function inner(event: JsonObject, name: string): JsonObject {
  const value = event[name]
  assert.ok(isJsonObject(value))
  return value
}

/** What Live demands, whatever happens (https://ai.google.dev/api/live). */
function assertFrames(frames: readonly JsonObject[], isManual: boolean): void {
  let isSpeaking = false
  for (const [at, frame] of frames.entries()) {
    assert.equal(Object.keys(frame).length, 1)
    assert.equal(at === 0, frame['setup'] !== undefined, 'the setup is first, and only first')
    const input = isJsonObject(frame['realtimeInput']) ? frame['realtimeInput'] : {}
    if (input['activityStart'] !== undefined) {
      assert.ok(isManual && !isSpeaking)
      isSpeaking = true
    }
    if (input['audio'] !== undefined) assert.equal(isSpeaking, isManual, 'sound outside of an activity')
    if (input['activityEnd'] !== undefined) {
      assert.ok(isSpeaking)
      isSpeaking = false
    }
    if (input['audioStreamEnd'] !== undefined) assert.ok(!isManual)
    const turns = isJsonObject(frame['clientContent']) ? frame['clientContent']['turns'] : undefined
    if (turns !== undefined) assert.ok(Array.isArray(turns) && turns.length > 0)
  }
}

for (const isManual of [false, true])
  test(`any order of events keeps the order of both sides (${isManual ? 'the client' : 'the upstream'} says when a turn ends)`, () => {
    fc.assert(
      fc.property(steps, fc.nat({ max: 5 }), (all, readyAfter) => {
        const live = open()
        const events = live.session.greeting().map((text): JsonObject => JSON.parse(text))
        const frames: JsonObject[] = []
        const hear = ({ client, upstream }: ReturnType<typeof live.client>): void => {
          events.push(...client)
          frames.push(...upstream)
        }
        hear(live.client({ type: 'session.update', session: isManual ? { turn_detection: null } : {} }))
        for (const [at, { by, said }] of all.entries()) {
          if (at === readyAfter) hear(live.server({ setupComplete: {} }))
          if (at < readyAfter) assert.equal(frames.length, 1)
          const before = events.length
          hear(by === 'client' ? live.client(said) : live.server(said))
          if (said['type'] === 'nonsense' && at >= readyAfter)
            assert.deepEqual(
              events.slice(before).map(({ type }) => type),
              ['error'],
            )
        }
        events.push(...live.session.ended(1006, '').map((text): JsonObject => JSON.parse(text)))
        assertOrder(events)
        assertFrames(frames, isManual)
      }),
      { numRuns: 300 },
    )
  })

test('what is nested deeper than can be written again is refused, and the session goes on', () => {
  const deep = '['.repeat(50_000) + ']'.repeat(50_000)
  const { session, client, server } = open()
  const refused = (text: string): void => {
    const { toClient, toUpstream } = session.fromClient(text)
    assert.deepEqual(toUpstream, [])
    assert.match(messageOf(errorOf(toClient.map(parsed))), /^The event is more than 256 levels deep/)
  }
  const tool = `{"type":"function","name":"f","parameters":{"enum":${deep}}}`
  refused(`{"type":${deep}}`)
  refused(`{"type":"session.update","session":{"tools":[${tool}]}}`)
  client({ type: 'session.update', session: {} })
  server({ setupComplete: {} })
  refused(`{"type":"response.create","response":{"metadata":{"a":${deep}}}}`)
  const call = `{"toolCall":{"functionCalls":[{"id":"1","name":"f","args":{"a":${deep}}}]}}`
  const { toClient } = session.fromUpstream(call)
  assert.equal(errorOf(toClient.map(parsed))['code'], 'upstream_garbled')
  assert.deepEqual(types(client(RESPOND).client), ['response.created'])
})

test('nothing that either side says makes it throw', () => {
  const json = fc.oneof(
    fc.json({ maxDepth: 4 }),
    fc.string(),
    fc
      .tuple(
        fc.constantFrom(...CLIENT, ...SERVER),
        fc.jsonValue({ maxDepth: 3 }),
        fc.constantFrom(
          'session',
          'item',
          'response',
          'audio',
          'serverContent',
          'toolCall',
          'usageMetadata',
          'error',
        ),
      )
      .map(([event, value, name]) => JSON.stringify({ ...event, [name]: value })),
  )
  fc.assert(
    fc.property(fc.array(fc.tuple(json, fc.boolean()), { maxLength: 20 }), fc.boolean(), (all, isBeta) => {
      const { session, server } = open(isBeta)
      server({ setupComplete: {} })
      for (const [text, isClient] of all) {
        const said = isClient ? session.fromClient(text) : session.fromUpstream(text)
        for (const each of [...said.toClient, ...said.toUpstream]) JSON.parse(each)
        if (session.isWaiting()) session.fromUpstream('{"setupComplete":{}}')
      }
      session.ended(1011, 'x')
    }),
    { numRuns: 500 },
  )
})
