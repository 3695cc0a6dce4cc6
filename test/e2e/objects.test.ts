import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { AzureOpenAI, BadRequestError, NotFoundError, OpenAI, toFile } from 'openai'
import { startFakeProvider, type FakeProvider } from '../../src/fake-provider/server.ts'
import { ask, at, AUTH, KEY, listAt, type Answer } from './asking.ts'
import { withModels, type Listed } from './health-answer.ts'
import { startGateway, withFolder, type Gateway } from './program.ts'

const LINES = '{"custom_id":"one","method":"POST","url":"/v1/chat/completions","body":{"model":"gpt-4o"}}\n'
const SETTINGS = { general_settings: { master_key: KEY, drain_delay: 0 } }
const ALPHA_KEY = 'sk-of-alpha'
const BETA_KEY = 'key-of-beta'

/** Two providers, one at each fake. */
interface Pair {
  readonly alpha: FakeProvider
  readonly beta: FakeProvider
  readonly models: readonly Listed[]
}

async function withPair(use: (pair: Pair) => Promise<void>): Promise<void> {
  const alpha = await startFakeProvider({ keys: [ALPHA_KEY] })
  const beta = await startFakeProvider({ keys: [BETA_KEY] })
  const listed = (name: string, params: object): Listed => ({
    model_name: name,
    litellm_params: { ...params },
    model_info: { id: `id-${name}` },
  })
  const models = [
    listed('alpha', { model: 'openai/gpt-4o', api_base: `${alpha.url}/v1`, api_key: ALPHA_KEY }),
    listed('beta', { model: 'azure/my-batch', api_base: beta.url, api_key: BETA_KEY }),
    listed('cohere', { model: 'cohere_chat/command-r', api_base: alpha.url, api_key: ALPHA_KEY }),
  ]
  try {
    await use({ alpha, beta, models })
  } finally {
    await alpha.stop()
    await beta.stop()
  }
}

/** A gateway before two providers. */
const withBoth = (use: (gateway: Gateway, pair: Pair) => Promise<void>): Promise<void> =>
  withPair((pair) => withModels(pair.models, (gateway) => use(gateway, pair), SETTINGS))

const clientOf = ({ url }: Gateway): OpenAI =>
  new OpenAI({ apiKey: KEY, baseURL: `${url}/v1`, maxRetries: 0 })

const azureOf = ({ url }: Gateway, deployment?: string): AzureOpenAI =>
  new AzureOpenAI({
    apiKey: KEY,
    endpoint: url,
    apiVersion: '2024-10-21',
    maxRetries: 0,
    ...(deployment !== undefined && { deployment }),
  })

const as = (model: string) => ({ headers: { 'x-litellm-model': model } })

/** Uploads through the gateway, for a model that the header names. */
const upload = async (client: OpenAI, model: string): Promise<OpenAI.FileObject> =>
  client.files.create({ file: await toFile(Buffer.from(LINES), 'in.jsonl'), purpose: 'batch' }, as(model))

/** Puts a file at alpha past the gateway. */
async function putAtAlpha({ alpha }: Pair): Promise<string> {
  const direct = new OpenAI({ apiKey: ALPHA_KEY, baseURL: `${alpha.url}/v1`, maxRetries: 0 })
  const file = await direct.files.create({
    file: await toFile(Buffer.from(LINES), 'in.jsonl'),
    purpose: 'batch',
  })
  return file.id
}

const get = (
  gateway: Gateway,
  path: string,
  more: { readonly method?: string; readonly body?: object } = {},
): Promise<Answer> => ask(`${gateway.url}${path}`, { headers: AUTH, ...more })

describe('files and batches', () => {
  test("live where they were put, for OpenAI's own client", () =>
    withBoth(async (gateway, pair) => {
      const client = clientOf(gateway)
      const file = await upload(client, 'alpha')
      assert.match(file.id, /^file-pg1_[\w-]+$/)
      assert.equal(file.filename, 'in.jsonl')
      assert.equal(pair.beta.journal().length, 0)
      assert.deepEqual(
        (await client.files.list({}, as('alpha'))).data.map(({ id }) => id),
        [file.id],
      )
      assert.equal((await client.files.retrieve(file.id)).id, file.id)
      const plain = await putAtAlpha(pair)
      assert.notEqual((await client.files.retrieve(plain, as('alpha'))).id, file.id)
      assert.equal(await (await client.files.content(file.id)).text(), LINES)
      const batch = await client.batches.create({
        input_file_id: file.id,
        endpoint: '/v1/chat/completions',
        completion_window: '24h',
        metadata: { team: 'night' },
      })
      assert.match(batch.id, /^batch_pg1_[\w-]+$/)
      assert.equal(batch.input_file_id, file.id)
      assert.deepEqual(batch.metadata, { team: 'night' })
      assert.equal((await client.batches.retrieve(batch.id)).status, 'in_progress')
      const done = await client.batches.retrieve(batch.id)
      assert.equal(done.status, 'completed')
      assert.match(done.output_file_id ?? '', /^file-pg1_/)
      assert.equal(done.error_file_id, null)
      const output = await (await client.files.content(done.output_file_id ?? '')).text()
      assert.equal(at(JSON.parse(output), 'custom_id'), 'one')
      assert.deepEqual(await client.files.delete(file.id), { id: file.id, object: 'file', deleted: true })
      await assert.rejects(client.files.retrieve(file.id), NotFoundError)
    }))

  test('of two providers cross nothing over, and a restart forgets nothing', () =>
    withPair(async (pair) => {
      const config = JSON.stringify({ model_list: pair.models, ...SETTINGS })
      await withFolder({ 'config.yaml': config }, async (cwd) => {
        const args = ['config.yaml', '--host', '127.0.0.1', '--port', '0']
        const first = await startGateway(args, { cwd })
        const ids = new Map<string, string>()
        try {
          const client = clientOf(first)
          for (const model of ['alpha', 'beta']) {
            const { id } = await upload(client, model)
            const asked = { endpoint: '/v1/chat/completions', completion_window: '24h' } as const
            const batch = await client.batches.create({ input_file_id: id, ...asked })
            ids.set(model, batch.id)
          }
        } finally {
          await first.stop(0)
        }
        // Both providers gave the same id; the gateway's differ.
        assert.notEqual(ids.get('alpha'), ids.get('beta'))
        pair.alpha.clearJournal()
        pair.beta.clearJournal()
        const second = await startGateway(args, { cwd })
        try {
          const beta = await clientOf(second)
            .batches.retrieve(ids.get('beta') ?? '')
            .withResponse()
          assert.equal(beta.data.id, ids.get('beta'))
          assert.equal(beta.response.headers.get('x-litellm-model-id'), 'id-beta')
          assert.equal(beta.response.headers.get('x-litellm-model-group'), 'beta')
          assert.equal(pair.alpha.journal().length, 0)
          const [asked] = pair.beta.journal()
          assert.match(asked?.url ?? '', /^\/openai\/batches\/batch_0+2\?api-version=2024-10-21$/)
          assert.equal(asked?.headers['api-key'], BETA_KEY)
          assert.equal((await clientOf(second).batches.cancel(ids.get('alpha') ?? '')).status, 'cancelling')
          assert.match(pair.alpha.journal()[0]?.url ?? '', /^\/v1\/batches\/batch_0+2\/cancel$/)
        } finally {
          await second.stop(0)
        }
      })
    }))

  test("are reached by OpenAI's client for Azure, with and without a deployment", () =>
    withBoth(async (gateway, pair) => {
      const client = azureOf(gateway)
      const file = await upload(client, 'beta')
      assert.equal(pair.beta.journal()[0]?.url, '/openai/files?api-version=2024-10-21')
      assert.equal(pair.beta.journal()[0]?.headers['api-key'], BETA_KEY)
      assert.equal(await (await client.files.content(file.id)).text(), LINES)
      const asked = {
        input_file_id: file.id,
        endpoint: '/v1/chat/completions',
        completion_window: '24h',
      } as const
      const batch = await client.batches.create(asked)
      assert.equal((await client.batches.retrieve(batch.id)).id, batch.id)
      const other = await azureOf(gateway, 'beta').batches.create(asked)
      assert.equal((await client.batches.cancel(other.id)).status, 'cancelling')
      const listed = (await client.batches.list({}, as('beta'))).data.map(({ id }) => id)
      assert.deepEqual(listed, [other.id, batch.id])
    }))

  test('name the provider’s models in the lines of a batch, whatever names of ours a client wrote', () =>
    withBoth(async (gateway, pair) => {
      const lines = (...models: readonly string[]): string =>
        models.map((model) => `${LINES.replace('"gpt-4o"', JSON.stringify(model))}\n`).join('')
      const stored = async (purpose: OpenAI.FilePurpose, text: string): Promise<string> => {
        const file = await toFile(Buffer.from(text), 'in.jsonl')
        const { id, bytes } = await clientOf(gateway).files.create({ file, purpose }, as('beta'))
        const content = await (await clientOf(gateway).files.content(id)).text()
        assert.equal(bytes, content.length)
        return content
      }
      const ours = lines('beta', 'id-beta', 'alpha', 'another')
      assert.equal(await stored('batch', ours), lines('my-batch', 'my-batch', 'alpha', 'another'))
      assert.equal(await stored('fine-tune', ours), ours)
      assert.equal(pair.alpha.journal().length, 0)
    }))

  test('of the only account may name any of its models in their lines', () =>
    withPair(async ({ alpha }) => {
      const listed = (name: string, model: string): Listed => ({
        model_name: name,
        litellm_params: { model, api_base: `${alpha.url}/v1`, api_key: ALPHA_KEY },
        model_info: { id: `id-${name}` },
      })
      const models = [
        listed('fast', 'openai/gpt-4o-mini'),
        listed('smart', 'openai/gpt-4o'),
        listed('any/*', 'openai/*'),
      ]
      const settings = { ...SETTINGS, router_settings: { model_group_alias: { clever: 'smart' } } }
      await withModels(
        models,
        async (gateway) => {
          const named = ['fast', 'smart', 'clever', 'id-fast', 'any/gpt-4.1', 'gpt-4o', 'none']
          const text = named.map((model) => JSON.stringify({ custom_id: model, body: { model } })).join('\n')
          const client = clientOf(gateway)
          const file = await toFile(Buffer.from(text), 'in.jsonl')
          const { id } = await client.files.create({ file, purpose: 'batch' })
          const stored = await (await client.files.content(id)).text()
          assert.deepEqual(
            stored.split('\n').map((line) => at(JSON.parse(line), 'body', 'model')),
            ['gpt-4o-mini', 'gpt-4o', 'gpt-4o', 'gpt-4o-mini', 'gpt-4.1', 'gpt-4o', 'none'],
          )
        },
        settings,
      )
    }))

  test('come in parts too, to where the upload was begun', () =>
    withBoth(async (gateway, pair) => {
      const begin = (client: OpenAI, model: string, bytes: number) =>
        client.uploads.create(
          { bytes, filename: 'in.jsonl', mime_type: 'application/jsonl', purpose: 'batch' },
          as(model),
        )
      const clients = { alpha: clientOf(gateway), beta: azureOf(gateway) }
      for (const [model, client] of Object.entries(clients)) {
        const upload = await begin(client, model, LINES.length)
        assert.match(upload.id, /^upload_pg1_/)
        const partIds: string[] = []
        for (const text of [LINES.slice(20), LINES.slice(0, 20)]) {
          const data = await toFile(Buffer.from(text), 'part')
          const made = await client.uploads.parts.create(upload.id, { data })
          assert.equal(made.upload_id, upload.id)
          assert.match(made.id, /^part_pg1_/)
          partIds.unshift(made.id)
        }
        const done = await client.uploads.complete(upload.id, { part_ids: partIds })
        assert.deepEqual([done.id, done.status], [upload.id, 'completed'])
        assert.match(done.file?.id ?? '', /^file-pg1_/)
        assert.equal(await (await client.files.content(done.file?.id ?? '')).text(), LINES)
        const other = await begin(client, model, 1)
        assert.equal((await client.uploads.cancel(other.id)).status, 'cancelled')
      }
      const whole = await begin(clients.alpha, 'alpha', 1)
      const named = Buffer.from(LINES.replace('gpt-4o', 'alpha'))
      const much = Buffer.from(LINES.repeat(50_000))
      pair.alpha.clearJournal()
      for (const bytes of [named, Buffer.concat([much, named])]) {
        const create = clients.alpha.uploads.parts.create(whole.id, { data: await toFile(bytes, 'part') })
        await assert.rejects(create, (error) => {
          assert.ok(error instanceof BadRequestError)
          assert.match(error.message, /names the model 'alpha', which its provider knows as 'gpt-4o'/)
          return true
        })
      }
      const large = await toFile(much, 'part')
      await clients.alpha.uploads.parts.create(whole.id, { data: large })
      assert.match(
        pair.alpha.journal().at(-1)?.headers['content-length'] ?? '',
        new RegExp(`^${String(much.length).slice(0, 4)}\\d{3}$`),
      )
      const [at, elsewhere] = [await begin(clients.alpha, 'alpha', 1), await begin(clients.beta, 'beta', 1)]
      const data = await toFile(Buffer.from('x'), 'part')
      const part = await clients.beta.uploads.parts.create(elsewhere.id, { data })
      pair.alpha.clearJournal()
      await assert.rejects(clients.alpha.uploads.complete(at.id, { part_ids: [part.id] }), NotFoundError)
      await assert.rejects(clients.alpha.uploads.complete(part.id, { part_ids: [] }), NotFoundError)
      assert.equal(pair.alpha.journal().length, 0)
    }))

  test('are listed page by page, where `after` says where', () =>
    withBoth(async (gateway, pair) => {
      for (let count = 0; count < 3; count += 1) await putAtAlpha(pair)
      const names: string[] = []
      for await (const { id } of clientOf(gateway).files.list({ limit: 1, purpose: 'batch' }, as('alpha')))
        names.push(id)
      assert.equal(new Set(names).size, 3)
      const [first = ''] = names
      // An id of ours is enough to go on with.
      const rest = await get(gateway, `/files?limit=5&after=${first}`)
      assert.deepEqual(
        listAt(rest.json, 'data').map((row) => at(row, 'id')),
        names.slice(1),
      )
      assert.equal(at(rest.json, 'last_id'), names[2])
    }))

  test('of several accounts need a name, which a header, the query, a path and the body can say', () =>
    withBoth(async (gateway, pair) => {
      const id = await putAtAlpha(pair)
      for (const path of ['/v1/files', `/files/${id}`, '/batches', '/openai/files']) {
        const answer = await get(gateway, path)
        assert.equal(answer.status, 400, path)
        assert.match(
          String(at(answer.json, 'error', 'message')),
          /Name a model: `\?model=` .*x-litellm-model/,
        )
        assert.equal(at(answer.json, 'error', 'param'), 'model')
      }
      for (const path of [
        '/files?model=alpha',
        '/v1/files?model=id-alpha',
        '/openai/deployments/alpha/files',
        '/files?custom_llm_provider=openai',
        '/files?target_model_names=alpha',
      ])
        assert.equal((await get(gateway, path)).status, 200, path)
      const body = { input_file_id: id, endpoint: '/v1/embeddings', completion_window: '24h', model: 'alpha' }
      const made = await get(gateway, '/v1/batches', { body })
      assert.equal(made.status, 200, made.text)
      assert.equal(at(pair.alpha.journal().at(-1)?.body, 'model'), undefined)
    }))

  test('of the only account need no name', () =>
    withPair(async (pair) => {
      const models = pair.models.filter(({ model_name }) => model_name !== 'beta')
      await withModels(
        models,
        async (gateway) => {
          const id = await putAtAlpha(pair)
          const file = await clientOf(gateway).files.retrieve(id)
          assert.match(file.id, /^file-pg1_/)
        },
        SETTINGS,
      )
    }))

  test('with a wrong id are refused, and nobody is asked', () =>
    withBoth(async (gateway, pair) => {
      await putAtAlpha(pair)
      const [file] = (await clientOf(gateway).files.list({}, as('alpha'))).data
      const { id } = file ?? { id: '' }
      pair.alpha.clearJournal()
      const altered = id.slice(0, -1) + (id.endsWith('A') ? 'B' : 'A')
      const flipped = id.replace(/pg1_(.)/, (_, first: string) => `pg1_${first === 'x' ? 'y' : 'x'}`)
      const wrong = [
        altered,
        flipped,
        id.slice(0, -4),
        'file-pg1_',
        'file-pg1_AAAA',
        '%2E%2E',
        '..%2Fmodels',
        'a%00b',
      ]
      for (const text of [...wrong, id.replace('file-', 'batch_')]) {
        const answer = await get(gateway, `/v1/files/${text}`)
        assert.equal(answer.status, 404, `${text}: ${answer.text}`)
        assert.equal(typeof at(answer.json, 'error', 'message'), 'string', text)
      }
      assert.equal((await get(gateway, `/v1/batches/${id}`)).status, 404)
      assert.equal(pair.alpha.journal().length + pair.beta.journal().length, 0)
    }))

  test('of another model than the file’s are refused before anything is sent', () =>
    withBoth(async (gateway, pair) => {
      await putAtAlpha(pair)
      const [file] = (await clientOf(gateway).files.list({}, as('alpha'))).data
      const body = { input_file_id: file?.id, endpoint: '/v1/embeddings', completion_window: '24h' }
      for (const [path, more] of [
        ['/v1/batches', { model: 'beta' }],
        ['/v1/batches?model=beta', {}],
        ['/openai/deployments/beta/batches', {}],
      ] as const) {
        const answer = await get(gateway, path, { body: { ...body, ...more } })
        assert.equal(answer.status, 400, path)
        assert.match(String(at(answer.json, 'error', 'message')), /served elsewhere/)
      }
      assert.equal((await get(gateway, '/v1/batches', { body: { ...body, model: 'alpha' } })).status, 200)
      assert.equal((await get(gateway, '/v1/files?model=cohere')).status, 400)
      assert.equal((await get(gateway, '/v1/files?model=nobody')).status, 400)
      assert.equal((await get(gateway, '/v1/batches', { body: {} })).status, 400)
      assert.equal((await ask(`${gateway.url}/v1/files`)).status, 401)
    }))

  test('are uploaded for the model that the form, the query, a header or the path names', () =>
    withBoth(async (gateway, pair) => {
      const form = (fields: Readonly<Record<string, string>>, name = 'in.jsonl'): FormData => {
        const made = new FormData()
        made.append('file', new Blob([LINES]), name)
        for (const [key, value] of Object.entries(fields)) made.append(key, value)
        return made
      }
      const post = async (path: string, body: FormData, headers = {}): Promise<Answer> => {
        const response = await fetch(`${gateway.url}${path}`, {
          method: 'POST',
          headers: { ...AUTH, ...headers },
          body,
        })
        const text = await response.text()
        return { status: response.status, headers: response.headers, text, json: JSON.parse(text) }
      }
      const purpose = 'batch'
      for (const [path, fields, headers] of [
        ['/v1/files', { purpose, model: 'beta' }, {}],
        ['/files', { purpose, target_model_names: 'beta' }, {}],
        ['/v1/files?model=beta', { purpose, model: 'alpha' }, {}],
        ['/openai/files?api-version=2024-10-21', { purpose }, { 'x-litellm-model': 'beta' }],
        ['/openai/deployments/beta/files', { purpose, custom_llm_provider: 'openai' }, {}],
      ] as const) {
        const answer = await post(path, form(fields), headers)
        assert.equal(answer.status, 200, `${path}: ${answer.text}`)
        assert.match(String(at(answer.json, 'id')), /^file-pg1_/)
        assert.equal(answer.headers.get('x-litellm-model-id'), 'id-beta')
        const parts = listAt(pair.beta.journal().at(-1)?.body, 'multipart').map((part) => at(part, 0))
        assert.deepEqual(parts, ['file', 'purpose'], path)
      }
      assert.equal(pair.alpha.journal().length, 0)
      for (const [fields, status, words] of [
        [{ purpose }, 400, /Name a model/],
        [{ model: 'beta' }, 400, /Missing required parameter: 'purpose'/],
        [{ purpose: 'batch', model: 'nobody' }, 400, /model=nobody/],
        [{ purpose: 'batch', model: 'cohere' }, 400, /keeps no files/],
        [{ purpose: 'batch', target_model_names: 'alpha,beta' }, 400, /name one model/],
        [{ purpose: 'nonsense', model: 'alpha' }, 400, /'nonsense' is not one of/],
        [{ purpose: 'batch', model: 'alpha', api_base: 'http://elsewhere' }, 400, /'api_base' cannot be set/],
      ] as const) {
        const answer = await post('/v1/files', form(fields))
        assert.equal(answer.status, status, answer.text)
        assert.match(String(at(answer.json, 'error', 'message')), words)
      }
      const noForm = await ask(`${gateway.url}/v1/files`, { headers: AUTH, body: { purpose } })
      assert.equal(noForm.status, 415)
    }))
})
