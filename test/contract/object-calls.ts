import { OpenAI, toFile } from 'openai'
import { KEY, type Call } from './place.ts'

const LINE = '{"custom_id":"one","method":"POST","url":"/v1/chat/completions","body":{"model":"gpt-4o"}}\n'
const BATCH = { endpoint: '/v1/chat/completions', completion_window: '24h' } as const
/** Which of the gateway's accounts is meant; a provider has but one and takes no notice. */
const HEADERS = { headers: { 'x-litellm-model': 'gpt-4o' } } as const

const call = (name: string, run: (client: OpenAI) => Promise<unknown>): Call => ({
  name,
  run: ({ url }) => run(new OpenAI({ apiKey: KEY, baseURL: `${url}/v1`, maxRetries: 0 })),
})

const refused = (name: string, raises: string, run: (client: OpenAI) => Promise<unknown>): Call => ({
  ...call(name, run),
  raises,
})

const upload = async (client: OpenAI): Promise<OpenAI.FileObject> =>
  client.files.create({ file: await toFile(Buffer.from(LINE), 'in.jsonl'), purpose: 'batch' }, HEADERS)

/** Every call of OpenAI's own client about things that the provider keeps, each from their beginning to their end. */
export const OBJECT_CALLS: readonly Call[] = [
  call('moderation', (client) =>
    client.moderations.create({ model: 'omni-moderation-latest', input: 'ping' }),
  ),
  call('moderation of two texts', (client) =>
    client.moderations.create({ model: 'omni-moderation-latest', input: ['ping', 'pong'] }),
  ),
  call('a file, uploaded, looked up, read and deleted', async (client) => {
    const file = await upload(client)
    const found = await client.files.retrieve(file.id)
    const content = await (await client.files.content(file.id)).text()
    const deleted = await client.files.delete(file.id)
    return { file, found, isSame: found.id === file.id, content, deleted }
  }),
  call('a batch, begun, looked up and cancelled', async (client) => {
    const { id } = await upload(client)
    const batch = await client.batches.create({ input_file_id: id, ...BATCH }, HEADERS)
    const found = await client.batches.retrieve(batch.id)
    const cancelled = await client.batches.cancel(batch.id)
    const isSame = [batch, found, cancelled].every(({ input_file_id }) => input_file_id === id)
    await client.files.delete(id)
    return { batch, found, isSame, status: cancelled.status }
  }),
  call('a file that comes in parts', async (client) => {
    const about = { filename: 'in.jsonl', mime_type: 'application/jsonl', purpose: 'batch' } as const
    const upload = await client.uploads.create({ ...about, bytes: LINE.length }, HEADERS)
    const parts: OpenAI.Uploads.UploadPart[] = []
    for (const text of [LINE.slice(0, 9), LINE.slice(9)])
      parts.push(
        await client.uploads.parts.create(upload.id, { data: await toFile(Buffer.from(text), 'part') }),
      )
    const done = await client.uploads.complete(upload.id, { part_ids: parts.map(({ id }) => id) })
    const content = await (await client.files.content(done.file?.id ?? '')).text()
    return { upload, parts, done, isSame: done.id === upload.id, content }
  }),
  call('an upload in parts, given up', async (client) => {
    const about = { filename: 'a.txt', mime_type: 'text/plain', purpose: 'user_data', bytes: 1 } as const
    const { id } = await client.uploads.create(about, HEADERS)
    return client.uploads.cancel(id)
  }),
  call('the list of batches', async (client) => {
    const { data } = await client.batches.list({ limit: 1 }, HEADERS)
    return data.map(({ object, endpoint }) => ({ object, endpoint }))
  }),
  refused('a file that is not there', 'NotFoundError 404', (client) =>
    client.files.retrieve('file-of-nowhere', HEADERS),
  ),
  refused('an upload with a part that is not there', 'BadRequestError 400', async (client) => {
    const about = { filename: 'a.txt', mime_type: 'text/plain', purpose: 'user_data', bytes: 1 } as const
    const { id } = await client.uploads.create(about, HEADERS)
    await client.uploads.complete(id, { part_ids: ['part_of_nowhere'] })
  }),
  refused('a batch that is not there', 'NotFoundError 404', (client) =>
    client.batches.retrieve('batch_of_nowhere', HEADERS),
  ),
]
