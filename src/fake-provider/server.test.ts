import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createHandClock } from '../core/clock.ts'
import { ask, askAzure, CHAT, fakeForTests, json, soundForm, wav } from './fixtures.ts'
import { startFakeProvider } from './server.ts'

const PATH = '/v1/chat/completions'

test('models behave as ordered, OpenAI ones by name and Azure ones by deployment', async () => {
  const fake = await fakeForTests({ models: { 'gpt-4o': 'e503', dep: 'e404' } })
  assert.equal((await ask(fake.url + PATH, { body: CHAT })).status, 503)
  assert.equal((await ask(fake.url + PATH, { body: { ...CHAT, model: 'gpt-4o-mini' } })).status, 200)
  const azure = `${fake.url}/openai/deployments/dep/chat/completions?api-version=2024-10-21`
  assert.equal((await askAzure(azure, { body: CHAT })).status, 404)
})

test('an order in the path comes before one by model', async () => {
  const fake = await fakeForTests({ models: { 'gpt-4o': 'e503' } })
  assert.equal((await ask(`${fake.url}/ok${PATH}`, { body: CHAT })).status, 200)
})

test('a name takes an order at run time, by function and over HTTP', async () => {
  const fake = await fakeForTests()
  fake.order('dynA', 'e500')
  assert.equal((await ask(`${fake.url}/dynA${PATH}`, { body: CHAT })).status, 500)
  assert.equal((await ask(`${fake.url}/__set/dynA/ok`)).text, 'ok')
  assert.equal((await ask(`${fake.url}/dynA${PATH}`, { body: CHAT })).status, 200)
  await ask(`${fake.url}/__set/gpt-4o/e529`)
  assert.equal((await ask(fake.url + PATH, { body: CHAT })).status, 529)
})

test('a name that has no order yet is part of the base', async () => {
  const fake = await fakeForTests()
  assert.equal((await ask(`${fake.url}/dynB${PATH}`, { body: CHAT })).status, 200)
})

test('a word that is no order is refused wherever it is given', async () => {
  const fake = await fakeForTests()
  assert.throws(() => fake.order('dynA', 'nonsense'), RangeError)
  const got = await ask(`${fake.url}/__set/dynA/nonsense`)
  assert.deepEqual([got.status, got.text], [400, '"nonsense" is no order of the fake provider'])
  await assert.rejects(startFakeProvider({ models: { a: 'nonsense' } }), RangeError)
})

test('the journal holds what arrived, in order', async () => {
  const fake = await fakeForTests({ clock: createHandClock(1_700_000_000_000) })
  await ask(`${fake.url}/ok${PATH}?a=1`, { body: CHAT, headers: { 'x-own': 'kept' } })
  await ask(`${fake.url}/ok/v1/audio/transcriptions`, {
    body: soundForm(wav(0.5), 'a.wav', { model: 'whisper-1' }),
  })
  await ask(`${fake.url}/v1/batches`)
  const [chat, sound, batches] = fake.journal()
  assert.deepEqual(
    [chat?.at, chat?.method, chat?.url, chat?.body],
    [1_700_000_000_000, 'POST', `/ok${PATH}?a=1`, CHAT],
  )
  assert.deepEqual([chat?.headers['authorization'], chat?.headers['x-own']], ['Bearer sk-test', 'kept'])
  assert.match(
    JSON.stringify(sound?.body),
    /^\{"multipart":\[\["model",null\],\["file","a\.wav"\]\],"fields":\[\["model","whisper-1"\]\],"bytes":\d+\}$/,
  )
  assert.deepEqual([batches?.method, batches?.body], ['GET', null])
})

test('the journal over HTTP is emptied by reading it', async () => {
  const fake = await fakeForTests({ clock: createHandClock(5) })
  await ask(`${fake.url}/ok${PATH}`, { body: CHAT, headers: { 'user-agent': 'test', 'x-own': 'left out' } })
  const headers = {
    'content-type': 'application/json',
    authorization: 'Bearer sk-test',
    accept: '*/*',
    'user-agent': 'test',
  }
  const entry = { at: 5, method: 'POST', url: `/ok${PATH}`, headers, body: CHAT }
  assert.deepEqual(json(await ask(`${fake.url}/__journal`)), [entry])
  assert.deepEqual(json(await ask(`${fake.url}/__journal`)), [])
})

test('the journal keeps the newest entries only', async () => {
  const fake = await fakeForTests({ journalLimit: 3 })
  for (let i = 0; i < 200; i += 1) await ask(`${fake.url}/v1/models/m${i}`)
  assert.deepEqual(
    fake.journal().map((entry) => entry.url),
    ['/v1/models/m197', '/v1/models/m198', '/v1/models/m199'],
  )
  fake.clearJournal()
  assert.deepEqual(fake.journal(), [])
})

test('a body that is too large for the journal is kept as its size', async () => {
  const fake = await fakeForTests()
  await ask(`${fake.url}/ok${PATH}`, { body: { ...CHAT, user: 'x'.repeat(300_000) } })
  assert.match(JSON.stringify(fake.journal()[0]?.body), /^\{"bytes":300\d\d\d\}$/)
})

test('requests are counted by order, by model and in all', async () => {
  const fake = await fakeForTests()
  await Promise.all([1, 2, 3].map(() => ask(`${fake.url}/slow20${PATH}`, { body: CHAT })))
  await ask(fake.url + PATH, { body: { ...CHAT, model: 'other' } })
  assert.deepEqual(fake.traffic('slow20'), { total: 3, inFlight: 0, maxInFlight: 3 })
  assert.deepEqual(fake.traffic('gpt-4o'), { total: 3, inFlight: 0, maxInFlight: 3 })
  assert.deepEqual(fake.traffic('other'), { total: 1, inFlight: 0, maxInFlight: 1 })
  assert.deepEqual(fake.traffic(), { total: 4, inFlight: 0, maxInFlight: 3 })
  assert.deepEqual(fake.traffic('unseen'), { total: 0, inFlight: 0, maxInFlight: 0 })
})

test('a port in use is an error, not a crash', async () => {
  const fake = await fakeForTests()
  await assert.rejects(startFakeProvider({ port: fake.port }), { code: 'EADDRINUSE' })
})
