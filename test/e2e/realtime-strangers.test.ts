import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { LLMock } from '@copilotkit/aimock'
import { at, AUTH, configOf, withStage, type Entry } from './asking.ts'
import { open, refused } from './sessions.ts'

/** A server that nobody here wrote, with realtime sessions; only this key opens it. */
const KEY = 'key-of-the-stranger'
const mock = new LLMock({ port: 0, auth: { apiKeys: [KEY] } })
mock.on({ endpoint: 'realtime' }, { content: 'pong from a stranger' })
await mock.start()
after(() => mock.stop())

const stranger = (group: string, model: string, base: string, header: string, params = ''): Entry => ({
  group,
  base: `${mock.url}${base}`,
  model,
  // Beats the key that every entry of a test's config has.
  params: `, extra_headers: {${header}}${params}`,
  info: ', mode: realtime',
})

test("a stranger's sessions converse, in OpenAI's form and in Azure's", () => {
  const entries = [
    stranger('openai', 'openai/gpt-realtime', '/v1', `authorization: 'Bearer ${KEY}'`),
    stranger('azure', 'azure/gpt-realtime', '', `api-key: ${KEY}`, ', api_version: v1'),
  ]
  return withStage(configOf(entries), async ({ gateway }) => {
    for (const { group } of entries) {
      const { socket, next } = await open(gateway, `/v1/realtime?model=${group}`, { headers: AUTH })
      const heard: unknown[] = []
      let text = ''
      for (;;) {
        const event: unknown = JSON.parse(await next())
        heard.push(at(event, 'type'))
        if (heard.length === 1) {
          const content = [{ type: 'input_text', text: 'ping' }]
          const item = { type: 'message', role: 'user', content }
          socket.send(JSON.stringify({ type: 'conversation.item.create', item }))
          socket.send(JSON.stringify({ type: 'response.create', response: { output_modalities: ['text'] } }))
        }
        if (at(event, 'type') === 'response.output_text.delta') text += String(at(event, 'delta'))
        if (at(event, 'type') === 'response.done' || at(event, 'type') === 'error') break
      }
      assert.equal(text, 'pong from a stranger', JSON.stringify(heard))
      assert.equal(heard[0], 'session.created')
      socket.close()
    }
  })
})

test("a stranger's refusal of our key is the client's to read", () => {
  const entry = stranger('openai', 'openai/gpt-realtime', '/v1', "authorization: 'Bearer another-key'")
  return withStage(configOf([entry]), async ({ gateway }) => {
    const { status, text } = await refused(gateway, '/v1/realtime?model=openai', { headers: AUTH })
    assert.equal(status, 401)
    assert.equal(at(JSON.parse(text), 'error', 'type'), 'auth')
  })
})
