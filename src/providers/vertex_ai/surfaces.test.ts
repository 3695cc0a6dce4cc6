import assert from 'node:assert/strict'
import { test } from 'node:test'
import { scanObject } from '../../core/json-spans.ts'
import { lineOf } from '../line.fixture.ts'
import { allAdapters } from '../registry.ts'
import { relayedRequest } from '../relayed-request.ts'
import { fittedBody, surfaceFace } from '../surfaces.ts'

await allAdapters()

const PLACE =
  'https://us-east5-aiplatform.googleapis.com/v1/projects/p/locations/us-east5/publishers/anthropic/models'
const SETTINGS = { settings: { vertex_project: 'p', vertex_location: 'us-east5' } }

test('Claude on Vertex AI is asked in Anthropic’s words, by the method that the stream has', () => {
  for (const model of ['claude-opus-4-8', 'anthropic/claude-opus-4-8', 'google/claude-opus-4-8']) {
    const { target, adapter } = lineOf('vertex_ai', model, SETTINGS)
    const urls = [false, true].map((isStream) =>
      surfaceFace({ adapter, target }, 'messages', isStream)?.url(target),
    )
    assert.deepEqual(urls, [
      `${PLACE}/claude-opus-4-8:rawPredict`,
      `${PLACE}/claude-opus-4-8:streamRawPredict`,
    ])
  }
  for (const model of ['gemini-2.5-flash', 'mistral-medium-3', 'meta/llama-3.3-70b-instruct-maas', '123'])
    assert.equal(surfaceFace(lineOf('vertex_ai', model, SETTINGS), 'messages'), undefined, model)
})

test('its body says no model, but whether it is streamed, and thinks in the form that the model knows', () => {
  const { target, adapter } = lineOf('vertex_ai', 'claude-opus-4-8', SETTINGS)
  const face = surfaceFace({ adapter, target }, 'messages', true)
  assert.ok(face !== undefined)
  const messages = [{ role: 'user', content: 'ping' }]
  const thinking = { type: 'enabled', budget_tokens: 16_000 }
  const asked = {
    model: 'm',
    max_tokens: 20_000,
    messages,
    stream: true,
    service_tier: 'auto',
    of_tomorrow: 1,
    thinking,
  }
  const raw = Buffer.from(JSON.stringify(asked))
  const { body, spans, dropped } = fittedBody(face, target, raw, scanObject(raw), {})
  const wire = relayedRequest(target, face, body, spans, undefined)
  assert.deepEqual(JSON.parse(String(wire.body)), {
    max_tokens: 20_000,
    messages,
    stream: true,
    of_tomorrow: 1,
    thinking: { type: 'adaptive', display: 'summarized' },
    output_config: { effort: 'high' },
    anthropic_version: 'vertex-2023-10-16',
  })
  assert.deepEqual(dropped, [])
})
