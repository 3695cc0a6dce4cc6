import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ApiError, GoogleGenAI } from '@google/genai'
import { ask, at, AUTH, KEY, withStage } from './asking.ts'

const config = (fake: { readonly url: string }): string => `model_list:
  - model_name: flash
    litellm_params: { model: gemini/gemini-2.5-flash, api_base: '${fake.url}/ok/as-gemini/v1beta', api_key: g-upstream }
  - model_name: sick
    litellm_params: { model: gemini/gemini-2.5-pro, api_base: '${fake.url}/e503/as-gemini/v1beta', api_key: g-upstream, num_retries: 0 }
  - model_name: cut
    litellm_params: { model: gemini/gemini-2.5-pro, api_base: '${fake.url}/cut/as-gemini/v1beta', api_key: g-upstream }
  - model_name: gpt
    litellm_params: { model: openai/gpt-4o, api_base: '${fake.url}/ok/v1', api_key: sk-upstream-openai }
general_settings:
  master_key: ${KEY}
  drain_delay: 0
`

test("Google's own client asks Gemini in its own words", async (t) => {
  await withStage(config, async ({ gateway, fake }) => {
    const client = new GoogleGenAI({ apiKey: KEY, httpOptions: { baseUrl: gateway.url } })
    const last = (): unknown => fake.journal().at(-1)

    await t.test('and gets an answer, whole and streamed', async () => {
      const whole = await client.models.generateContent({ model: 'flash', contents: 'ping' })
      assert.equal(whole.text, 'pong')
      assert.match(String(at(last(), 'url')), /\/models\/gemini-2\.5-flash:generateContent$/)
      assert.equal(at(last(), 'headers', 'x-goog-api-key'), 'g-upstream')
      let text = ''
      const stream = await client.models.generateContentStream({ model: 'flash', contents: 'ping' })
      for await (const piece of stream) text += piece.text ?? ''
      assert.equal(text, 'pong')
      assert.match(String(at(last(), 'url')), /:streamGenerateContent\?alt=sse$/)
    })

    await t.test('and is told in its words what goes wrong', async () => {
      const cases: readonly (readonly [string, number, RegExp])[] = [
        ['none', 400, /INVALID_ARGUMENT.*|Invalid model name/],
        ['gpt', 400, /has no generateContent \(it is no Gemini\)/],
        ['sick', 503, /UNAVAILABLE/],
      ]
      for (const [model, status, words] of cases) {
        const error = await raised(() => client.models.generateContent({ model, contents: 'ping' }))
        assert.equal(error.status, status, model)
        assert.match(error.message, words)
      }
      const plain = await ask(`${gateway.url}/v1beta/models/flash:streamGenerateContent`, {
        headers: AUTH,
        body: { contents: [] },
      })
      assert.deepEqual([plain.status, at(plain.json, 'error', 'status')], [400, 'INVALID_ARGUMENT'])
      const method = await ask(`${gateway.url}/v1beta/models/flash:embedThings`, { headers: AUTH, body: {} })
      assert.deepEqual([method.status, at(method.json, 'error', 'status')], [404, 'NOT_FOUND'])
    })

    await t.test('and hears of a stream that breaks', async () => {
      await assert.rejects(async () => {
        const stream = await client.models.generateContentStream({ model: 'cut', contents: 'ping' })
        for await (const piece of stream) assert.ok(piece)
      })
    })

    await t.test('and reaches any other route below its name', async () => {
      const raw = new GoogleGenAI({ apiKey: KEY, httpOptions: { baseUrl: `${gateway.url}/gemini` } })
      const answered = await raw.models.generateContent({ model: 'gemini-2.5-flash', contents: 'ping' })
      assert.equal(answered.text, 'pong')
      const { text } = await ask(`${gateway.url}/metrics`, { headers: AUTH })
      assert.match(text, /provider="gemini",operation="generate_content",outcome="ok"/)
      assert.match(text, /provider="gemini",operation="pass_through",outcome="ok"/)
    })
  })
})

async function raised(run: () => Promise<unknown>): Promise<ApiError> {
  try {
    await run()
  } catch (error) {
    assert.ok(error instanceof ApiError, String(error))
    return error
  }
  return assert.fail('nothing was raised')
}
