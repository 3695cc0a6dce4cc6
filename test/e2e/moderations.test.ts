import assert from 'node:assert/strict'
import { test } from 'node:test'
import { AzureOpenAI, OpenAI } from 'openai'
import { ask, at, AUTH, configOf, KEY, SETTINGS, withStage, type Entry } from './asking.ts'

const JUDGE: Entry = {
  group: 'judge',
  base: 'ok/v1',
  model: 'openai/omni-moderation-latest',
  info: ', mode: moderation',
}
const CHAT: Entry = { group: 'gpt-4o', base: 'ok/v1' }
const AZURE: Entry = { group: 'azure', base: 'ok', model: 'azure/judge' }
const COHERE: Entry = { group: 'command', base: 'ok', model: 'cohere_chat/command-r' }

test("moderations reach OpenAI's clients, under every path and with the provider's name of the model", () =>
  withStage(configOf([JUDGE, CHAT, AZURE, COHERE]), async ({ gateway, fake }) => {
    const client = new OpenAI({ apiKey: KEY, baseURL: `${gateway.url}/v1`, maxRetries: 0 })
    const { results, model } = await client.moderations.create({
      model: 'judge',
      input: ['I will hurt you', 'good morning'],
    })
    assert.deepEqual(
      [results.map(({ flagged }) => flagged), model],
      [[true, false], 'omni-moderation-latest'],
    )
    // One for chat may be asked too: whether it can is for its provider to say.
    const chat = await client.moderations.create({ model: 'gpt-4o', input: 'hello' })
    assert.equal(chat.results.length, 1)
    fake.clearJournal()
    const azure = new AzureOpenAI({
      apiKey: KEY,
      endpoint: gateway.url,
      apiVersion: '2024-10-21',
      maxRetries: 0,
    })
    assert.equal((await azure.moderations.create({ model: 'azure', input: 'hello' })).results.length, 1)
    assert.equal(fake.journal()[0]?.url, '/ok/openai/moderations?api-version=2024-10-21')
    for (const path of [
      '/moderations',
      '/openai/deployments/judge/moderations',
      '/engines/judge/moderations',
    ]) {
      const body = { model: 'judge', input: 'hello' }
      const answer = await ask(`${gateway.url}${path}`, { headers: AUTH, body })
      assert.equal(answer.status, 200, path)
      assert.equal(answer.headers.get('x-litellm-model-id'), 'id-judge')
      assert.deepEqual(fake.journal().at(-1)?.body, { model: 'omni-moderation-latest', input: 'hello' })
    }
    for (const [body, words] of [
      [{ model: 'judge' }, /Missing required parameter: 'input'/],
      [{ model: 'command', input: 'hello' }, /has no moderation/],
    ] as const) {
      const answer = await ask(`${gateway.url}/v1/moderations`, { headers: AUTH, body })
      assert.equal(answer.status, 400)
      assert.match(String(at(answer.json, 'error', 'message')), words)
    }
  }))

const BODY = { input: 'hello' }
const SECOND = { ...JUDGE, group: 'second' }

for (const [what, entries, settings, answers] of [
  ['the only model of mode moderation', [JUDGE, CHAT], SETTINGS, 'id-judge'],
  [
    'the one that moderation_model names',
    [JUDGE, SECOND],
    `${SETTINGS}  moderation_model: second\n`,
    'id-second',
  ],
  ['nobody where two could be meant', [JUDGE, SECOND], SETTINGS, 400],
  ['nobody where none is of that mode', [CHAT], SETTINGS, 400],
] as const)
  test(`a moderation without a model goes to ${what}`, () =>
    withStage(configOf(entries, settings), async ({ gateway }) => {
      const answer = await ask(`${gateway.url}/v1/moderations`, { headers: AUTH, body: BODY })
      assert.equal(answer.status === 200 ? answer.headers.get('x-litellm-model-id') : answer.status, answers)
    }))
