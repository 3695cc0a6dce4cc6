import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  ApiError,
  FunctionCallingConfigMode,
  GoogleGenAI,
  Type,
  type GenerateContentConfig,
  type GenerateContentParameters,
  type GenerateContentResponse,
  type Part,
} from '@google/genai'
import type { FakeProvider } from '../../src/fake-provider/server.ts'
import { ask, at, AUTH, KEY, listAt, withStage } from './asking.ts'
import { raised } from './raised.ts'

const PNG = 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAAAAAA6fptVAAAACklEQVR42mNgAAAAAgABSK+kcQAAAABJRU5ErkJggg=='
const SONNET = 'anthropic.claude-sonnet-4-20250514-v1:0'

function config({ url }: FakeProvider): string {
  const gemini = (order: string): object => ({
    api_base: `${url}/${order}/as-gemini/v1beta`,
    api_key: 'g-upstream',
    num_retries: 0,
  })
  const openai = (order: string, more: object = {}): object => ({
    api_base: `${url}/${order}/v1`,
    api_key: 'sk-upstream-openai',
    num_retries: 0,
    ...more,
  })
  const bedrock = {
    aws_bedrock_runtime_endpoint: `${url}/ok/as-bedrock`,
    aws_region_name: 'us-east-1',
    aws_access_key_id: 'AKIAUPSTREAM',
    aws_secret_access_key: 'secret-of-AKIAUPSTREAM',
  }
  const anthropic = { api_base: `${url}/ok/as-anthropic`, api_key: 'upstream-anthropic-key' }
  const models: readonly (readonly [name: string, model: string, params: object])[] = [
    ['flash', 'gemini/gemini-2.5-flash', gemini('ok')],
    ['sick', 'gemini/gemini-2.5-pro', gemini('e503')],
    ['cut', 'gemini/gemini-2.5-pro', gemini('cut')],
    ['gpt', 'openai/gpt-4o', openai('ok')],
    ['reasoner', 'openai/gpt-5-nano', openai('ok')],
    ['lenient', 'openai/gpt-4o', openai('ok', { drop_params: true })],
    ['filtered', 'openai/gpt-4o', openai('rule-filtered-answer')],
    ['screened', 'openai/gpt-4o', openai('rule-banned-words')],
    ['limited', 'openai/gpt-4o', openai('e429r7')],
    ['gpt-cut', 'openai/gpt-4o', openai('cut')],
    ['gpt-sick', 'openai/gpt-4o', openai('errevent')],
    ['mocked', 'openai/gpt-4o', openai('hang', { mock_response: 'made up' })],
    ['claude', 'anthropic/claude-sonnet-4-5', anthropic],
    ['bedrock', `bedrock/${SONNET}`, bedrock],
    ['nova', 'bedrock/amazon.nova-pro-v1:0', bedrock],
    ['azure', 'azure/gpt-4o', { api_base: `${url}/ok`, api_key: 'sk-upstream-openai' }],
    ['mistral', 'mistral/mistral-small-latest', { api_base: `${url}/ok/v1`, api_key: 'sk-upstream-openai' }],
    ['command', 'cohere_chat/command-r-plus', { api_base: `${url}/ok`, api_key: 'sk-upstream-openai' }],
    ['mixed', 'gemini/gemini-2.0-flash', { ...gemini('e503'), num_retries: 1, order: 1 }],
    ['mixed', 'openai/gpt-4o', openai('ok', { num_retries: 1, order: 2 })],
    ['reverse', 'openai/gpt-4o', openai('e503', { num_retries: 1, order: 1 })],
    ['reverse', 'gemini/gemini-2.0-flash', { ...gemini('ok'), num_retries: 1, order: 2 }],
    ['either', 'openai/gpt-4o', openai('ok')],
    ['either', 'gemini/gemini-2.0-flash', gemini('ok')],
  ]
  return JSON.stringify({
    model_list: models.map(([name, model, params], at) => ({
      model_name: name,
      litellm_params: { model, ...params },
      model_info: { id: `id-${at}` },
    })),
    general_settings: { master_key: KEY, drain_delay: 0 },
  })
}

const TOOLS = ['weather', 'time'].map((name) => ({
  name,
  description: `The ${name} of a city`,
  parameters: {
    type: Type.OBJECT,
    properties: { city: { type: Type.STRING, nullable: true } },
    required: ['city'],
  },
}))
const MUST_CALL = {
  tools: [{ functionDeclarations: TOOLS }],
  toolConfig: { functionCallingConfig: { mode: FunctionCallingConfigMode.ANY } },
}

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
        ['sick', 503, /UNAVAILABLE/],
      ]
      for (const [model, status, words] of cases) {
        const error = await raised(ApiError, () => client.models.generateContent({ model, contents: 'ping' }))
        assert.equal(error.status, status, model)
        assert.match(error.message, words)
      }
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

test("Google's own client before deployments that speak other words", async (t) => {
  await withStage(config, async ({ gateway, fake }) => {
    const { models } = new GoogleGenAI({ apiKey: KEY, httpOptions: { baseUrl: gateway.url } })
    const last = (): unknown => fake.journal().at(-1)?.body
    const streamed = async (
      asked: GenerateContentParameters,
    ): Promise<readonly GenerateContentResponse[]> => {
      const pieces: GenerateContentResponse[] = []
      for await (const piece of await models.generateContentStream(asked)) pieces.push(piece)
      return pieces
    }

    await t.test('gets an answer, whole and streamed', async () => {
      for (const model of ['gpt', 'claude', 'bedrock', 'mocked']) {
        const asked = {
          model,
          contents: 'ping',
          config: { systemInstruction: 'be short', maxOutputTokens: 50, stopSequences: ['END'] },
        }
        const text = model === 'mocked' ? 'made up' : 'pong'
        const whole = await models.generateContent(asked)
        assert.equal(whole.text, text, model)
        assert.equal(whole.candidates?.[0]?.finishReason, 'STOP', model)
        const pieces = await streamed(asked)
        assert.equal(pieces.map((piece) => piece.text ?? '').join(''), text, model)
        const end = pieces.at(-1)
        assert.equal(end?.candidates?.[0]?.finishReason, 'STOP', model)
        assert.ok((end?.usageMetadata?.promptTokenCount ?? 0) > 0 || model === 'mocked', model)
      }
      const { usageMetadata, modelVersion } = await models.generateContent({
        model: 'gpt',
        contents: 'ping',
        config: { systemInstruction: 'be short', maxOutputTokens: 50, stopSequences: ['END'] },
      })
      assert.deepEqual(usageMetadata, { promptTokenCount: 5, candidatesTokenCount: 1, totalTokenCount: 6 })
      assert.equal(modelVersion, 'gpt-4o')
      assert.deepEqual(last(), {
        model: 'gpt-4o',
        messages: [
          { role: 'system', content: 'be short' },
          { role: 'user', content: 'ping' },
        ],
        max_tokens: 50,
        stop: ['END'],
      })
    })

    await t.test('gets parallel calls of functions, whole and streamed', async () => {
      for (const model of ['gpt', 'claude', 'bedrock']) {
        const asked = { model, contents: 'ping', config: MUST_CALL }
        const whole = await models.generateContent(asked)
        const pieces = await streamed(asked)
        const calls = pieces.flatMap((piece) => piece.functionCalls ?? [])
        assert.deepEqual(calls, whole.functionCalls, model)
        assert.deepEqual(new Set(calls.map(({ name }) => name)), new Set(['weather', 'time']), model)
        assert.equal(new Set(calls.map(({ id }) => id)).size, calls.length, model)
        assert.ok(
          calls.every(({ args }) => Object.keys(args ?? {}).length === 1),
          model,
        )
      }
    })
    await t.test('tells a conversation with calls, results, pictures, sound and documents', async () => {
      const inline = (mimeType: string, data: string): Part => ({ inlineData: { mimeType, data } })
      await models.generateContent({
        model: 'gpt',
        contents: [
          {
            role: 'user',
            parts: [
              inline('image/png', 'AAAA'),
              { fileData: { mimeType: 'image/png', fileUri: 'https://example.com/a.png' } },
              inline('application/pdf', 'JVBE'),
              inline('audio/wav', 'UklG'),
              { text: 'what is this?' },
            ],
          },
          {
            role: 'model',
            parts: [
              { text: 'hm', thought: true },
              { text: 'let me see' },
              {
                functionCall: { id: 'c1', name: 'weather', args: { city: 'Paris' } },
                thoughtSignature: 'c2ln',
              },
              { functionCall: { name: 'time', args: {} } },
            ],
          },
          {
            role: 'user',
            parts: [
              { functionResponse: { name: 'time', response: { output: 'noon' } } },
              { functionResponse: { id: 'c1', name: 'weather', response: { sky: 'blue' } } },
            ],
          },
        ],
        config: { tools: [{ functionDeclarations: TOOLS }] },
      })
      assert.deepEqual(at(last(), 'messages'), [
        {
          role: 'user',
          content: [
            { type: 'image_url', image_url: { url: 'data:image/png;base64,AAAA' } },
            { type: 'image_url', image_url: { url: 'https://example.com/a.png' } },
            {
              type: 'file',
              file: { filename: 'document.pdf', file_data: 'data:application/pdf;base64,JVBE' },
            },
            { type: 'input_audio', input_audio: { data: 'UklG', format: 'wav' } },
            { type: 'text', text: 'what is this?' },
          ],
        },
        {
          role: 'assistant',
          content: 'let me see',
          tool_calls: [
            { id: 'c1', type: 'function', function: { name: 'weather', arguments: '{"city":"Paris"}' } },
            { id: 'gemini_call_1', type: 'function', function: { name: 'time', arguments: '{}' } },
          ],
        },
        { role: 'tool', tool_call_id: 'gemini_call_1', content: 'noon' },
        { role: 'tool', tool_call_id: 'c1', content: '{"sky":"blue"}' },
      ])
      assert.deepEqual(at(last(), 'tools', 0, 'function', 'parameters'), {
        type: 'object',
        properties: { city: { type: ['string', 'null'] } },
        additionalProperties: false,
        required: ['city'],
      })
      for (const model of ['claude', 'bedrock']) {
        const { text } = await models.generateContent({
          model,
          contents: [inline('image/png', PNG), 'what is this?'],
        })
        assert.equal(text, 'pong', model)
      }
    })

    await t.test('gets JSON of a schema', async () => {
      const schema = {
        type: Type.OBJECT,
        properties: { answer: { type: Type.STRING } },
        required: ['answer'],
      }
      const config = { responseMimeType: 'application/json', responseSchema: schema }
      for (const model of ['claude', 'bedrock']) {
        const { text } = await models.generateContent({ model, contents: 'ping', config })
        assert.deepEqual(JSON.parse(text ?? ''), { answer: 'pong' }, model)
      }
      await models.generateContent({ model: 'gpt', contents: 'ping', config })
      assert.deepEqual(at(last(), 'response_format'), {
        type: 'json_schema',
        json_schema: {
          name: 'output',
          schema: {
            type: 'object',
            properties: { answer: { type: 'string' } },
            additionalProperties: false,
            required: ['answer'],
          },
          strict: true,
        },
      })
    })

    await t.test('has models think, sees what they thought, and hands it back with their calls', async () => {
      for (const model of ['claude', 'bedrock']) {
        const thinkingConfig = { thinkingBudget: 2048, includeThoughts: true }
        const asked = { model, contents: 'ping', config: { maxOutputTokens: 8192, thinkingConfig } }
        const thoughtIn = (pieces: readonly GenerateContentResponse[]): string =>
          pieces
            .flatMap((piece) => piece.candidates?.[0]?.content?.parts ?? [])
            .flatMap(({ thought, text = '' }) => (thought === true ? [text] : []))
            .join('')
        const whole = await models.generateContent(asked)
        assert.deepEqual([whole.text, thoughtIn([whole]).length > 0], ['pong', true], model)
        assert.equal(thoughtIn(await streamed(asked)), thoughtIn([whole]), model)
        const silent = await models.generateContent({
          ...asked,
          config: { maxOutputTokens: 8192, thinkingConfig: { thinkingBudget: 2048 } },
        })
        assert.deepEqual(silent.candidates?.[0]?.content?.parts, [{ text: 'pong' }], model)
      }
      const config = {
        maxOutputTokens: 8192,
        thinkingConfig: { thinkingBudget: 2048 },
        tools: [{ functionDeclarations: TOOLS }],
      }
      const question = { role: 'user', parts: [{ text: 'ping' }] }
      const pieces = await streamed({ model: 'bedrock', contents: [question], config })
      const parts = pieces.flatMap((piece) => piece.candidates?.[0]?.content?.parts ?? [])
      const calls = parts.filter((part) => part.functionCall !== undefined)
      assert.equal(calls.length, 2)
      const answers = calls.map(({ functionCall: { id = '', name = '' } = {} }) => ({
        functionResponse: { id, name, response: { output: 'noon' } },
      }))
      const contents = [question, { role: 'model', parts }, { role: 'user', parts: answers }]
      assert.equal((await models.generateContent({ model: 'bedrock', contents, config })).text, 'pong')
      assert.deepEqual(at(last(), 'messages', 1, 'content', 0), {
        reasoningContent: { reasoningText: { text: 'hm', signature: 'c2lnbmVk' } },
      })
      // Its own signature is nothing to anybody else.
      assert.equal(
        (await models.generateContent({ model: 'gpt', contents, config: MUST_CALL })).text,
        undefined,
      )
      assert.doesNotMatch(JSON.stringify(last()), /thinking|c2lnbmVk/)
      // What asks for no thoughts, or for as many as it sees fit, is done by whoever has none.
      for (const own of [{ thinkingBudget: 0 }, { thinkingBudget: -1, includeThoughts: true }])
        for (const model of ['gpt', 'nova', 'command']) {
          const config = { thinkingConfig: own }
          assert.equal(
            (await models.generateContent({ model, contents: 'ping', config })).text,
            'pong',
            model,
          )
        }
      const thinkingConfig = { thinkingBudget: 12_000 }
      await models.generateContent({ model: 'reasoner', contents: 'ping', config: { thinkingConfig } })
      assert.equal(at(last(), 'reasoning_effort'), 'high')
    })

    await t.test('is told by name what cannot be said, or that it was left out', async () => {
      const cases: readonly (readonly [string, GenerateContentConfig, string])[] = [
        ['gpt', { tools: [{ googleSearch: {} }] }, 'tools (googleSearch)'],
        ['gpt', { thinkingConfig: { thinkingBudget: 9000 } }, 'generationConfig.thinkingConfig'],
        ['gpt', { responseModalities: ['IMAGE'] }, 'generationConfig.responseModalities'],
        ['gpt', { cachedContent: 'cachedContents/x' }, 'cachedContent'],
        ['claude', { seed: 7 }, 'generationConfig.seed'],
        ['claude', { candidateCount: 2 }, 'generationConfig.candidateCount'],
        ['bedrock', { presencePenalty: 1 }, 'generationConfig.presencePenalty'],
        ['azure', { topK: 40 }, 'generationConfig.topK'],
        ['mistral', { topK: 40 }, 'generationConfig.topK'],
      ]
      for (const [model, own, name] of cases) {
        const error = await raised(ApiError, () =>
          models.generateContent({ model, contents: 'ping', config: own }),
        )
        assert.equal(error.status, 400, name)
        assert.ok(error.message.includes(`'${name}'`), error.message)
      }
      await models.generateContent({ model: 'gpt', contents: 'ping', config: { topK: 40 } })
      assert.equal(at(last(), 'top_k'), 40, 'a server of somebody else may know it')
      const kept = await ask(`${gateway.url}/models/lenient:generateContent`, {
        headers: AUTH,
        body: { contents: [{ parts: [{ text: 'ping' }] }], cachedContent: 'cachedContents/x' },
      })
      assert.equal(kept.status, 400, 'what was said is never left out')
      const { headers, json } = await ask(`${gateway.url}/models/lenient:generateContent`, {
        headers: { 'x-goog-api-key': KEY },
        body: {
          contents: [{ parts: [{ text: 'ping' }] }],
          tools: [{ google_search: {} }],
          safety_settings: [{ category: 'HARM_CATEGORY_HARASSMENT', threshold: 'BLOCK_ONLY_HIGH' }],
          generation_config: { speech_config: {} },
        },
      })
      assert.equal(at(json, 'candidates', 0, 'content', 'parts', 0, 'text'), 'pong')
      assert.equal(
        headers.get('x-pulsegate-dropped-params'),
        'safetySettings, tools (googleSearch), generationConfig.speechConfig',
      )
    })

    await t.test('is told in its words what goes wrong', async () => {
      const limited = await raised(ApiError, () =>
        models.generateContent({ model: 'limited', contents: 'ping' }),
      )
      assert.deepEqual([limited.status, /RESOURCE_EXHAUSTED/.test(limited.message)], [429, true])
      const filtered = await models.generateContent({ model: 'filtered', contents: 'ping' })
      assert.equal(filtered.candidates?.[0]?.finishReason, 'SAFETY')
      // As Google does, what a filter does not let through is answered without candidates.
      const contents = 'an offence'
      const { promptFeedback, candidates } = await models.generateContent({ model: 'screened', contents })
      assert.deepEqual([promptFeedback?.blockReason, candidates], ['SAFETY', undefined])
      assert.match(promptFeedback?.blockReasonMessage ?? '', /safety system/)
      const pieces = await streamed({ model: 'screened', contents })
      assert.deepEqual(
        pieces.map((piece) => piece.promptFeedback?.blockReason),
        ['SAFETY'],
      )
      const blocked = await ask(`${gateway.url}/models/screened:streamGenerateContent`, {
        headers: AUTH,
        body: { contents: [{ parts: [{ text: contents }] }] },
      })
      assert.equal(at(blocked.json, 0, 'promptFeedback', 'blockReason'), 'SAFETY')
      for (const model of ['gpt-cut', 'gpt-sick'])
        await assert.rejects(streamed({ model, contents: 'ping' }), ApiError, model)
    })

    await t.test('is served by whoever of a mixed group is well', async () => {
      for (const model of ['mixed', 'reverse']) {
        assert.equal((await models.generateContent({ model, contents: 'ping' })).text, 'pong', model)
        const pieces = await streamed({ model, contents: 'ping' })
        assert.equal(pieces.map((piece) => piece.text ?? '').join(''), 'pong', model)
      }
      for (let round = 0; round < 6; round += 1) {
        const config = { tools: [{ googleSearch: {} }] }
        await models.generateContent({ model: 'either', contents: 'ping', config })
      }
    })

    await t.test('counts tokens, at Google or here', async () => {
      assert.equal((await models.countTokens({ model: 'flash', contents: 'ping' })).totalTokens, 31)
      const { totalTokens = 0 } = await models.countTokens({ model: 'gpt', contents: 'ping' })
      assert.ok(totalTokens > 3 && totalTokens < 20, String(totalTokens))
      const request = { model: 'models/flash', contents: [{ role: 'user', parts: [{ text: 'ping' }] }] }
      const whole = await ask(`${gateway.url}/v1beta/models/flash:countTokens`, {
        headers: AUTH,
        body: { generateContentRequest: request },
      })
      assert.deepEqual([whole.status, at(whole.json, 'totalTokens')], [200, 31])
      assert.equal(at(last(), 'generateContentRequest', 'model'), 'models/gemini-2.5-flash')
    })

    await t.test('and who does not ask for events gets the same objects as one array', async () => {
      const body = { contents: [{ role: 'user', parts: [{ text: 'ping' }] }] }
      for (const [model, isBroken] of [
        ['gpt', false],
        ['flash', false],
        ['gpt-cut', true],
        ['gpt-sick', true],
      ] as const) {
        const { status, headers, json } = await ask(
          `${gateway.url}/v1beta/models/${model}:streamGenerateContent`,
          { headers: AUTH, body },
        )
        assert.deepEqual([status, headers.get('content-type')], [200, 'application/json'], model)
        const objects = listAt(json)
        const texts = objects.map((each) => at(each, 'candidates', 0, 'content', 'parts', 0, 'text'))
        if (!isBroken) assert.deepEqual(texts.slice(0, 2), ['po', 'ng'], model)
        const code = at(objects.at(-1), 'error', 'code')
        assert.equal(typeof code, isBroken ? 'number' : 'undefined', model)
      }
      const refused = await ask(`${gateway.url}/models/limited:streamGenerateContent`, {
        headers: AUTH,
        body,
      })
      assert.deepEqual([refused.status, at(refused.json, 'error', 'status')], [429, 'RESOURCE_EXHAUSTED'])
    })

    await t.test('and is counted as any other request', async () => {
      const { text } = await ask(`${gateway.url}/metrics`, { headers: AUTH })
      assert.match(text, /provider="openai",operation="generate_content",outcome="ok"/)
      assert.match(text, /provider="openai",operation="generate_content",outcome="rate_limited"/)
      assert.match(text, /provider="openai",operation="generate_content",outcome="content_policy"/)
      assert.match(text, /operation="count_tokens",outcome="ok"/)
    })
  })
})
