import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createHandClock } from '../core/clock.ts'
import { ask, askAzure, CHAT, fakeForTests } from './fixtures.ts'
import { createKeptFiles } from './kept-files.ts'

const LINES = '{"custom_id":"a"}\n{"custom_id":"b"}\n'
const ASKED = { endpoint: '/v1/chat/completions', completion_window: '24h' }

function form(fields: Readonly<Record<string, string>>, name = 'in.jsonl'): FormData {
  const made = new FormData()
  for (const [key, value] of Object.entries(fields)) made.append(key, value)
  made.append('file', new Blob([LINES]), name)
  return made
}

/** The JSON of a good answer. */
const json = async (...asked: Parameters<typeof ask>) => JSON.parse((await ask(...asked)).text)

async function upload(url: string, body: FormData, key = 'sk-test') {
  const answer = await fetch(`${url}/v1/files`, {
    method: 'POST',
    headers: { authorization: `Bearer ${key}` },
    body,
  })
  return { status: answer.status, json: JSON.parse(await answer.text()) }
}

test('a file is kept for the account that uploaded it, and for no other', async () => {
  const fake = await fakeForTests()
  const file = await upload(fake.url, form({ purpose: 'batch' }))
  const { id } = file.json
  assert.deepEqual(
    [file.status, file.json.object, file.json.bytes, file.json.filename, file.json.purpose],
    [200, 'file', LINES.length, 'in.jsonl', 'batch'],
  )
  assert.equal((await ask(`${fake.url}/v1/files/${id}/content`)).text, LINES)
  const stranger = { headers: { authorization: 'Bearer sk-another' } }
  assert.equal((await ask(`${fake.url}/v1/files/${id}`, stranger)).status, 404)
  assert.deepEqual(JSON.parse((await ask(`${fake.url}/v1/files`, stranger)).text).data, [])
  const removed = await ask(`${fake.url}/v1/files/${id}`, { method: 'DELETE' })
  assert.deepEqual(JSON.parse(removed.text), { id, object: 'file', deleted: true })
  assert.equal((await ask(`${fake.url}/v1/files/${id}/content`)).status, 404)
})

test('an upload that OpenAI would refuse is refused', async () => {
  const fake = await fakeForTests()
  for (const [body, message] of [
    [form({}), /'purpose'/],
    [form({ purpose: 'nonsense' }), /'nonsense' is not one of/],
    [form({ purpose: 'batch', model: 'gpt-4o' }), /Unknown parameter: 'model'/],
    [form({ purpose: 'batch' }, 'in.txt'), /Must be .jsonl/],
  ] as const) {
    const answer = await upload(fake.url, body)
    assert.equal(answer.status, 400)
    assert.match(answer.json.error.message, message)
  }
})

test('a batch goes on with each look, and leaves an answer for each line', async () => {
  const fake = await fakeForTests()
  const { id } = (await upload(fake.url, form({ purpose: 'batch' }))).json
  const batch = await json(`${fake.url}/v1/batches`, {
    body: { input_file_id: id, ...ASKED, metadata: { a: 'b' } },
  })
  assert.deepEqual([batch.status, batch.output_file_id, batch.metadata], ['validating', null, { a: 'b' }])
  const path = `${fake.url}/v1/batches/${batch.id}`
  assert.equal((await json(path)).status, 'in_progress')
  const done = await json(path)
  assert.deepEqual([done.status, done.request_counts], ['completed', { total: 2, completed: 2, failed: 0 }])
  const output = await ask(`${fake.url}/v1/files/${done.output_file_id}/content`)
  assert.deepEqual(
    output.text
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line).custom_id),
    ['a', 'b'],
  )
  const late = await ask(`${path}/cancel`, { method: 'POST' })
  assert.equal(late.status, 409)
  const other = await json(`${fake.url}/v1/batches`, { body: { input_file_id: id, ...ASKED } })
  const cancelled = await json(`${fake.url}/v1/batches/${other.id}/cancel`, { method: 'POST' })
  assert.equal(cancelled.status, 'cancelling')
  assert.equal((await json(`${fake.url}/v1/batches/${other.id}`)).status, 'cancelled')
  const first = await json(`${fake.url}/v1/batches?limit=1`)
  assert.deepEqual([first.data[0].id, first.has_more], [other.id, true])
  const next = await json(`${fake.url}/v1/batches?limit=1&after=${first.last_id}`)
  assert.deepEqual([next.data[0].id, next.has_more], [batch.id, false])
})

test('a batch of what is not there, or is no such thing, is refused', async () => {
  const fake = await fakeForTests()
  const { id } = (await upload(fake.url, form({ purpose: 'user_data' }))).json
  for (const body of [
    { input_file_id: 'file-x', ...ASKED },
    { input_file_id: id, ...ASKED },
    { ...ASKED },
    { input_file_id: id, ...ASKED, model: 'gpt-4o' },
  ])
    assert.equal((await ask(`${fake.url}/v1/batches`, { body })).status, 400)
  assert.equal((await ask(`${fake.url}/v1/batches/batch_x`)).status, 404)
})

test('a file that comes in parts is whole when its parts are as large as was said, and in their order', async () => {
  const fake = await fakeForTests()
  const url = `${fake.url}/v1/uploads`
  const about = { filename: 'a.txt', mime_type: 'text/plain', purpose: 'user_data', bytes: 4 }
  const begun = await json(url, { body: about })
  assert.deepEqual([begun.object, begun.status], ['upload', 'pending'])
  const parts: string[] = []
  for (const text of ['ab', 'cd']) {
    const data = new FormData()
    data.append('data', new Blob([text]), 'part')
    parts.push(String((await json(`${url}/${begun.id}/parts`, { method: 'POST', body: data })).id))
  }
  const complete = (ids: readonly unknown[]) =>
    ask(`${url}/${begun.id}/complete`, { method: 'POST', body: { part_ids: ids } })
  for (const ids of [[], parts.slice(0, 1), [...parts, 'part_x']])
    assert.equal((await complete(ids)).status, 400)
  const done = JSON.parse((await complete(parts.toReversed())).text)
  assert.equal(done.status, 'completed')
  const content = await ask(`${fake.url}/v1/files/${done.file.id}/content`)
  assert.equal(content.text, 'cdab')
  for (const step of ['cancel', 'complete'])
    assert.equal(
      (await ask(`${url}/${begun.id}/${step}`, { method: 'POST', body: { part_ids: parts } })).status,
      400,
    )
  assert.equal((await ask(`${url}/upload_x/cancel`, { method: 'POST' })).status, 404)
})

test("Azure's paths for them need their version and its key", async () => {
  const fake = await fakeForTests()
  const version = '?api-version=2024-10-21'
  for (const path of ['/openai/files', '/openai/batches']) {
    assert.equal((await askAzure(fake.url + path + version)).status, 200)
    assert.equal((await askAzure(fake.url + path)).status, 404)
    assert.equal((await ask(fake.url + path + version)).status, 401)
  }
  const answer = await askAzure(`${fake.url}/openai/moderations${version}`, {
    body: { input: 'a', model: 'm' },
  })
  assert.equal(answer.status, 200)
})

test('a session key opens a session and nothing else', async () => {
  const fake = await fakeForTests()
  const secret = await json(`${fake.url}/v1/realtime/client_secrets`, {
    body: { session: { type: 'realtime', model: 'gpt-realtime' } },
  })
  assert.equal(secret.session.model, 'gpt-realtime')
  assert.equal(secret.session.client_secret.value, secret.value)
  const headers = { authorization: `Bearer ${secret.value}` }
  assert.equal((await ask(`${fake.url}/v1/chat/completions`, { body: CHAT, headers })).status, 401)
  // With its key it is missing the upgrade alone.
  assert.equal((await ask(`${fake.url}/v1/realtime?model=gpt-realtime`, { headers })).status, 400)
  const made = { authorization: 'Bearer ek_made_up' }
  assert.equal((await ask(`${fake.url}/v1/realtime?model=gpt-realtime`, { headers: made })).status, 401)
})

test('what is kept is bounded: the oldest files go', () => {
  const clock = createHandClock()
  let count = 0
  const files = createKeptFiles({
    nextId: (prefix) => `${prefix}${(count += 1)}`,
    seconds: () => Math.floor(clock.now() / 1000),
  })
  const bytes = Buffer.alloc(20 * 1024 * 1024)
  for (let number = 0; number < 4; number += 1) files.add('a', { name: 'f', purpose: 'batch', bytes })
  assert.deepEqual(
    files.list('a').map(({ id }) => id),
    ['file-4', 'file-3', 'file-2'],
  )
})
