import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { isJsonObject, type JsonObject } from '../../../core/json.ts'
import {
  open,
  RESPOND,
  SOUND,
  TEN_MS,
  TURN_COMPLETE,
  audio,
  errorOf,
  messageOf,
  part,
  ready,
  says,
  sound,
  types,
} from './session.fixture.ts'

describe('a session that is set up', () => {
  test('confirms an update that changes nothing, and refuses one that does', () => {
    const { client } = ready({ instructions: 'be kind' })
    const same = client({ type: 'session.update', session: { instructions: 'be kind', tracing: 'auto' } })
    assert.deepEqual(types(same.client), ['session.updated'])
    const { client: told, upstream } = client({
      type: 'session.update',
      session: { instructions: 'be rude', voice: 'Puck' },
    })
    const error = errorOf(told)
    assert.equal(error['param'], 'session.instructions')
    assert.match(messageOf(error), /'session\.instructions' cannot be changed any more.*'session\.voice'/)
    assert.deepEqual(upstream, [])
  })

  test('may be instructed anew where the model takes that', () => {
    const { client, server } = open(false, false, true)
    client({ type: 'session.update', session: { instructions: 'be kind' } })
    server({ setupComplete: {} })
    const told = client({ type: 'session.update', session: { instructions: 'be short' } })
    assert.deepEqual(types(told.client), ['session.updated'])
    const content = [{ type: 'input_text', text: 'it is late' }]
    client({ type: 'conversation.item.create', item: { type: 'message', role: 'system', content } })
    assert.deepEqual(client(RESPOND).upstream, [
      {
        clientContent: {
          turns: [
            { role: 'system', parts: [{ text: 'be short' }] },
            { role: 'system', parts: [{ text: 'it is late' }] },
          ],
          turnComplete: true,
        },
      },
    ])
    const other = client({ type: 'session.update', session: { instructions: 'be short', voice: 'Puck' } })
    assert.equal(errorOf(other.client)['param'], 'session.voice')
  })

  test("answers a text, with its sound and the sound's words, in OpenAI's order", () => {
    const { client, server } = ready()
    client(says('ping'))
    const created = client({ ...RESPOND, response: { metadata: { topic: 'x' } } })
    assert.deepEqual(types(created.client), ['response.created'])
    const events = [
      server(sound(SOUND)),
      server({ serverContent: { outputTranscription: { text: 'po' } } }),
      server(sound(SOUND)),
      server({ serverContent: { outputTranscription: { text: 'ng' } } }),
      server({ serverContent: { generationComplete: true } }),
      server({
        ...TURN_COMPLETE,
        usageMetadata: {
          promptTokenCount: 30,
          cachedContentTokenCount: 10,
          responseTokenCount: 12,
          thoughtsTokenCount: 3,
          totalTokenCount: 45,
          promptTokensDetails: [
            { modality: 'TEXT', tokenCount: 20 },
            { modality: 'AUDIO', tokenCount: 10 },
          ],
          cacheTokensDetails: [{ modality: 'TEXT', tokenCount: 10 }],
          responseTokensDetails: [{ modality: 'AUDIO', tokenCount: 12 }],
        },
      }),
    ].flatMap((heard) => heard.client)
    assert.deepEqual(types(events), [
      'response.output_item.added',
      'conversation.item.added',
      'response.content_part.added',
      'response.output_audio.delta',
      'response.output_audio_transcript.delta',
      'response.output_audio.delta',
      'response.output_audio_transcript.delta',
      'response.output_audio.done',
      'response.output_audio_transcript.done',
      'response.content_part.done',
      'response.output_item.done',
      'conversation.item.done',
      'response.done',
    ])
    const done = events.at(-1)?.['response']
    assert.ok(isJsonObject(done))
    const [item] = Array.isArray(done['output']) ? done['output'] : []
    assert.equal(done['status'], 'completed')
    assert.deepEqual(done['metadata'], { topic: 'x' })
    assert.deepEqual(item?.['content'], [{ type: 'output_audio', transcript: 'pong' }])
    assert.deepEqual(done['usage'], {
      total_tokens: 45,
      input_tokens: 30,
      output_tokens: 15,
      input_token_details: {
        text_tokens: 20,
        audio_tokens: 10,
        image_tokens: 0,
        cached_tokens: 10,
        cached_tokens_details: { text_tokens: 10, audio_tokens: 0, image_tokens: 0 },
      },
      output_token_details: { text_tokens: 3, audio_tokens: 12 },
    })
    const ids = new Set(events.flatMap(({ item_id: id }) => (typeof id === 'string' ? [id] : [])))
    assert.deepEqual([...ids], [item?.['id']])
    assert.equal(new Set(events.map(({ event_id: id }) => id)).size, events.length)
  })

  test('greets who asks for a response before anything was said', () => {
    const { client, server } = ready()
    assert.deepEqual(client(RESPOND).upstream, [
      { clientContent: { turns: [{ role: 'user', parts: [{ text: ' ' }] }], turnComplete: true } },
    ])
    server(sound(SOUND))
    server(TURN_COMPLETE)
    assert.deepEqual(client(RESPOND).upstream, [{ clientContent: { turnComplete: true } }])
  })

  test('answers with text where it was asked for text, and without its thoughts', () => {
    const { client, server } = ready({ output_modalities: ['text'] })
    client(RESPOND)
    const events = [
      part({ text: 'Hm.', thought: true }),
      part({ text: 'po' }),
      part({ text: 'ng' }),
      TURN_COMPLETE,
    ].flatMap((message) => server(message).client)
    assert.deepEqual(types(events), [
      'response.output_item.added',
      'conversation.item.added',
      'response.content_part.added',
      'response.output_text.delta',
      'response.output_text.delta',
      'response.output_text.done',
      'response.content_part.done',
      'response.output_item.done',
      'conversation.item.done',
      'response.done',
    ])
    assert.equal(events[5]?.['text'], 'pong')
  })

  test("tells a client of the beta in the beta's words", () => {
    const { client, server } = ready({}, true)
    assert.deepEqual(types(client(says('ping')).client), ['conversation.item.created'])
    client(RESPOND)
    const events = [
      sound(SOUND),
      { serverContent: { outputTranscription: { text: 'pong' } } },
      TURN_COMPLETE,
    ].flatMap((message) => server(message).client)
    assert.deepEqual(types(events), [
      'response.output_item.added',
      'conversation.item.created',
      'response.content_part.added',
      'response.audio.delta',
      'response.audio_transcript.delta',
      'response.audio.done',
      'response.audio_transcript.done',
      'response.content_part.done',
      'response.output_item.done',
      'response.done',
    ])
    const done = events.at(-1)?.['response']
    assert.ok(isJsonObject(done))
    assert.deepEqual(done['modalities'], ['audio', 'text'])
    const [item] = Array.isArray(done['output']) ? done['output'] : []
    assert.deepEqual(item?.['content'], [{ type: 'audio', transcript: 'pong' }])
  })

  test('hands calls over as items of their own, and goes on when all of them have an output', () => {
    const { client, server } = ready()
    client(RESPOND)
    const functionCalls = [
      { id: 'c1', name: 'weather', args: { city: 'Paris' } },
      { id: 'c2', name: 'weather', args: { city: 'Oslo' } },
    ]
    const events = server({ toolCall: { functionCalls }, usageMetadata: { promptTokenCount: 5 } }).client
    const call = [
      'response.output_item.added',
      'conversation.item.added',
      'response.function_call_arguments.delta',
      'response.function_call_arguments.done',
      'response.output_item.done',
      'conversation.item.done',
    ]
    assert.deepEqual(types(events), [...call, ...call, 'response.done'])
    assert.equal(events[3]?.['arguments'], '{"city":"Paris"}')
    assert.deepEqual([events[3]?.['output_index'], events[9]?.['output_index']], [0, 1])
    const output = (callId: string, text: string) =>
      client({
        type: 'conversation.item.create',
        item: { type: 'function_call_output', call_id: callId, output: text },
      })
    assert.deepEqual(types(output('c1', '{"degrees":20}').client), [
      'conversation.item.added',
      'conversation.item.done',
    ])
    assert.equal(errorOf(client(RESPOND).client)['code'], 'function_call_output_missing')
    assert.equal(errorOf(client(says('and now?')).client)['param'], 'item.type')
    assert.equal(errorOf(output('c9', 'x').client)['param'], 'item.call_id')
    output('c2', 'cold')
    const goesOn = client(RESPOND)
    assert.deepEqual(goesOn.upstream, [
      {
        toolResponse: {
          functionResponses: [
            { id: 'c1', name: 'weather', response: { degrees: 20 } },
            { id: 'c2', name: 'weather', response: { output: 'cold' } },
          ],
        },
      },
    ])
    assert.deepEqual(types(goesOn.client), ['response.created'])
    server(sound(SOUND))
    assert.equal(server(TURN_COMPLETE).client.at(-1)?.['type'], 'response.done')
  })

  test('takes no output of a call that an interruption has cancelled', () => {
    const { client, server } = ready()
    client(RESPOND)
    server({ toolCall: { functionCalls: [{ id: 'c1', name: 'f', args: {} }] } })
    server({ toolCallCancellation: { ids: ['c1'] } })
    const item = { type: 'function_call_output', call_id: 'c1', output: '' }
    const error = errorOf(client({ type: 'conversation.item.create', item }).client)
    assert.match(messageOf(error), /cancelled by an interruption/)
  })

  test('carries sounds and pictures of an item', () => {
    const { client } = ready()
    const content = [
      { type: 'input_audio', audio: SOUND },
      { type: 'input_image', image_url: 'data:image/png;base64,AAAA' },
    ]
    const added = client({
      type: 'conversation.item.create',
      item: { id: 'mine', type: 'message', role: 'user', content },
    })
    const item = added.client[0]?.['item']
    assert.ok(isJsonObject(item))
    assert.equal(item['id'], 'mine')
    assert.deepEqual(item['content'], [{ type: 'input_audio', transcript: null }, { type: 'input_image' }])
    assert.deepEqual(client(RESPOND).upstream, [
      {
        clientContent: {
          turns: [
            {
              role: 'user',
              parts: [
                { inlineData: { mimeType: 'audio/pcm;rate=24000', data: SOUND } },
                { inlineData: { mimeType: 'image/png', data: 'AAAA' } },
              ],
            },
          ],
          turnComplete: true,
        },
      },
    ])
  })

  test('gives an item back that is asked for, and says where it has none', () => {
    const { client } = ready()
    client({
      ...says('ping'),
      item: { id: 'mine', type: 'message', role: 'user', content: [{ type: 'input_text', text: 'ping' }] },
    })
    assert.equal(
      errorOf(
        client({
          ...says('again'),
          item: {
            id: 'mine',
            type: 'message',
            role: 'user',
            content: [{ type: 'input_text', text: 'again' }],
          },
        }).client,
      )['param'],
      'item.id',
    )
    const [found] = client({ type: 'conversation.item.retrieve', item_id: 'mine' }).client
    assert.equal(found?.['type'], 'conversation.item.retrieved')
    assert.equal(
      errorOf(client({ type: 'conversation.item.retrieve', item_id: 'no' }).client)['code'],
      'item_not_found',
    )
  })

  const UNABLE: readonly (readonly [event: JsonObject, param: string])[] = [
    [{ type: 'conversation.item.delete', item_id: 'x' }, 'type'],
    [{ type: 'conversation.item.truncate', item_id: 'x', content_index: 0, audio_end_ms: 1 }, 'type'],
    [{ type: 'output_audio_buffer.clear' }, 'type'],
    [{ type: 'nonsense' }, 'type'],
    [{ type: '__proto__' }, 'type'],
    [{}, 'type'],
    [{ type: 'session.update' }, 'session'],
    [{ type: 'input_audio_buffer.append', audio: 'no base64!' }, 'audio'],
    [{ type: 'input_audio_buffer.append' }, 'audio'],
    [{ type: 'conversation.item.create' }, 'item'],
    [
      { type: 'conversation.item.create', item: { type: 'function_call', name: 'f', arguments: '{}' } },
      'item.type',
    ],
    [
      {
        type: 'conversation.item.create',
        item: { type: 'message', role: 'system', content: [{ type: 'input_text', text: 'x' }] },
      },
      'item.role',
    ],
    [
      { type: 'conversation.item.create', item: { type: 'message', role: 'user', content: [] } },
      'item.content',
    ],
    [
      {
        type: 'conversation.item.create',
        item: {
          type: 'message',
          role: 'user',
          content: [{ type: 'input_image', image_url: 'https://x.test/a.png' }],
        },
      },
      'item.content[0].image_url',
    ],
    [{ ...says('x'), previous_item_id: 'item_of_before' }, 'previous_item_id'],
    [{ type: 'response.create', response: { instructions: 'greet' } }, 'response.instructions'],
    [{ type: 'response.create', response: { conversation: 'none' } }, 'response.conversation'],
    [{ type: 'response.create', response: { input: [] } }, 'response.input'],
    [{ type: 'response.create', response: { output_modalities: ['text'] } }, 'response.output_modalities'],
  ]
  for (const [event, param] of UNABLE)
    test(`says that it cannot do ${JSON.stringify(event).slice(0, 110)}`, () => {
      const { client } = ready()
      const { client: told, upstream } = client(event)
      assert.equal(errorOf(told)['param'], param)
      assert.deepEqual(upstream, [])
    })

  test('has one response at a time, and cancels it once', () => {
    const { client, server } = ready()
    assert.equal(errorOf(client({ type: 'response.cancel' }).client)['code'], 'response_cancel_not_active')
    client(RESPOND)
    assert.equal(errorOf(client(RESPOND).client)['code'], 'conversation_already_has_active_response')
    server(sound(SOUND))
    const cancelled = client({ type: 'response.cancel' }).client.at(-1)?.['response']
    assert.ok(isJsonObject(cancelled))
    assert.deepEqual(cancelled['status_details'], { type: 'cancelled', reason: 'client_cancelled' })
    // What still comes of it is left out, and its end is not the next one's.
    assert.deepEqual(server(sound(SOUND)).client, [])
    client(RESPOND)
    assert.deepEqual(server({ serverContent: { interrupted: true } }).client, [])
    assert.deepEqual(server(TURN_COMPLETE).client, [])
    assert.ok(types(server(sound(SOUND)).client).includes('response.output_audio.delta'))
    assert.equal(server(TURN_COMPLETE).client.at(-1)?.['type'], 'response.done')
  })

  test('is counted once whatever became of it, and so is what comes later', () => {
    const { client, session } = ready()
    const spent = (message: JsonObject): unknown =>
      session.fromUpstream(JSON.stringify(message)).spent?.map(({ total_tokens: total }) => total)
    const used = (count: number): JsonObject => ({
      usageMetadata: { promptTokenCount: count, responseTokenCount: 1 },
    })
    client(RESPOND)
    spent(sound(SOUND))
    assert.equal(spent(used(10)), undefined)
    assert.deepEqual(spent(TURN_COMPLETE), [11])
    client(RESPOND)
    spent(sound(SOUND))
    assert.equal(spent({ serverContent: { interrupted: true } }), undefined)
    assert.deepEqual(spent({ ...used(20), ...TURN_COMPLETE }), [21])
    client(RESPOND)
    spent(sound(SOUND))
    client({ type: 'response.cancel' })
    assert.deepEqual(spent({ ...TURN_COMPLETE, ...used(30) }), [31])
    assert.equal(spent(used(40)), undefined)
    assert.deepEqual(spent(used(50)), [41])
    const { spent: late } = session.fromClient(JSON.stringify(RESPOND))
    assert.deepEqual(
      late?.map(({ total_tokens: total }) => total),
      [51],
    )
  })

  test('may be asked again while the upstream still waits for what it said to be heard', () => {
    const { client, server } = ready()
    client(RESPOND)
    server(sound(SOUND))
    server({ serverContent: { generationComplete: true } })
    assert.deepEqual(types(client(RESPOND).client).slice(-2), ['response.done', 'response.created'])
    assert.deepEqual(server({ serverContent: { interrupted: true } }).client, [])
    assert.deepEqual(server(TURN_COMPLETE).client, [])
    server(sound(SOUND))
    assert.equal(server(TURN_COMPLETE).client.at(-1)?.['type'], 'response.done')
  })

  test('keeps what is added while the model speaks until that cannot interrupt it', () => {
    const { client, server } = ready()
    client(RESPOND)
    server(sound(SOUND))
    assert.deepEqual(client(says('by the way')).upstream, [])
    assert.equal(client(audio(TEN_MS)).upstream.length, 1)
    server(TURN_COMPLETE)
    const [content, more] = client(audio(TEN_MS)).upstream
    assert.deepEqual(content, {
      clientContent: { turns: [{ role: 'user', parts: [{ text: 'by the way' }] }], turnComplete: false },
    })
    assert.ok(more?.['realtimeInput'])
  })
})
