import assert from 'node:assert/strict'
import { createServer, type Server, type ServerResponse } from 'node:http'
import { describe, test } from 'node:test'
import { at, chat, eventually, SETTINGS, withStage, type Answer, type Stage } from './asking.ts'
import { freePort } from './program.ts'
import type { FakeProvider } from '../../src/fake-provider/server.ts'

const REQUESTS = 200
const AT_ONCE = 8

/** A deployment of a group: `base` is a path at the fake, or an address. */
interface Member {
  readonly group: string
  readonly id: string
  readonly base: string
  readonly model?: string
  readonly params?: string
}

const listOf = (fake: FakeProvider, members: readonly Member[]): string =>
  members
    .map(({ group, id, base, model = 'openai/gpt-4o', params = '' }) => {
      const address = base.startsWith('http') ? base : `${fake.url}/${base}`
      return (
        `  - model_name: ${group}\n` +
        `    litellm_params: { model: ${model}, api_base: '${address}', api_key: sk-up${params} }\n` +
        `    model_info: { id: ${id} }\n`
      )
    })
    .join('')

const configOf =
  (members: readonly Member[], settings = '') =>
  (fake: FakeProvider): string =>
    `model_list:\n${listOf(fake, members)}${SETTINGS}${settings}`

/** One sick deployment and one that lives. */
const pair = (sick: string, params = ''): readonly Member[] => [
  { group: 'g', id: 'sick', base: sick, params },
  { group: 'g', id: 'live', base: 'ok/v1' },
]

/** Sends many requests, a few at a time. */
async function many(gateway: Stage['gateway'], body: object, count = REQUESTS): Promise<readonly Answer[]> {
  const answers: Answer[] = []
  let sent = 0
  const worker = async (): Promise<void> => {
    while (sent < count) {
      sent += 1
      answers.push(await chat(gateway, body))
    }
  }
  await Promise.all(Array.from({ length: AT_ONCE }, worker))
  return answers
}

/** Requests that arrived under a path segment. */
function arrived(fake: FakeProvider, segment: string): number {
  return fake.journal().filter(({ url }) => url.startsWith(`/${segment}/`)).length
}

describe('a group with one sick and one live deployment', () => {
  for (const sick of [
    'e500',
    'e401',
    'e404',
    'e429',
    'e503',
    'quota',
    'reset',
    'empty',
    'html',
    'err200',
    'cut',
  ])
    test(`${sick}: no client notices, and the sick one is soon left alone`, async () => {
      await withStage(configOf(pair(`${sick}/v1`)), async ({ gateway, fake }) => {
        const answers = await many(gateway, { model: 'g' })
        assert.deepEqual(
          answers.filter(({ status }) => status !== 200).map(({ text }) => text),
          [],
        )
        assert.deepEqual(
          [...new Set(answers.map(({ headers }) => headers.get('x-litellm-model-id')))],
          ['live'],
        )
        assert.ok(arrived(fake, sick) <= REQUESTS * 0.05, `${arrived(fake, sick)} went to the sick one`)
        assert.ok(arrived(fake, sick) >= 1)
        assert.equal(arrived(fake, 'ok'), REQUESTS)
        const retried = answers.find(({ headers }) => headers.get('x-litellm-attempted-retries') === '1')
        assert.equal(retried?.headers.get('x-litellm-max-retries'), '2')
        assert.equal(retried?.headers.get('x-litellm-attempted-fallbacks'), '0')
      })
    })

  test('refused: no client notices', async () => {
    const port = await freePort()
    await withStage(configOf(pair(`http://127.0.0.1:${port}/v1`)), async ({ gateway, fake }) => {
      const answers = await many(gateway, { model: 'g' })
      assert.ok(answers.every(({ status }) => status === 200))
      assert.equal(arrived(fake, 'ok'), REQUESTS)
    })
  })

  test('hanging: only those that wait already at the first timeout are late', async () => {
    await withStage(configOf(pair('hang/v1', ', timeout: 2')), async ({ gateway, fake }) => {
      const answers = await many(gateway, { model: 'g' })
      assert.ok(answers.every(({ status }) => status === 200))
      assert.ok(arrived(fake, 'hang') <= AT_ONCE + 5, `${arrived(fake, 'hang')} went to the hanging one`)
    })
  })

  test('a stream moves on before its first byte', async () => {
    for (const sick of ['e500', 'hang', 'reset', 'empty', 'err200'])
      await withStage(configOf(pair(`${sick}/v1`, ', timeout: 0.4')), async ({ gateway }) => {
        const answers = await many(gateway, { model: 'g', stream: true }, 24)
        for (const { status, text } of answers) {
          assert.equal(status, 200, text)
          assert.match(text, /data: \[DONE\]\n\n$/)
          assert.equal(text.match(/"role"/g)?.length, 1, 'one answer, not two')
        }
      })
  })

  test('a stream moves on from what is no first event, and not from a byte order mark', async () => {
    const firsts: Readonly<Record<string, string>> = {
      named: 'event: error\ndata: {"message":"the model fell over"}\n\n',
      marked: '\uFEFFdata: {"error":{"message":"the model fell over"}}\n\n',
      ended: 'data: [DONE]\n\n',
      returns: 'event: error\rdata: {"message":"the model fell over"}\r\r',
      fine: '\uFEFFdata: {"choices":[{"index":0,"delta":{"content":"well"},"finish_reason":"stop"}]}\n\n',
    }
    const server = createServer((asked, answer) => {
      asked.resume()
      answer.writeHead(200, { 'content-type': 'text/event-stream' })
      answer.end(firsts[asked.url?.split('/')[1] ?? ''])
    })
    await listening(server, 0, async (url) => {
      const members = Object.keys(firsts).flatMap((group) => [
        { group, id: `sick-${group}`, base: `${url}/${group}/v1`, params: ', order: 1' },
        { group, id: `live-${group}`, base: 'ok/v1', params: ', order: 2' },
      ])
      await withStage(configOf(members), async ({ gateway }) => {
        const answered = async (model: string): Promise<string | null> => {
          const { status, text, headers } = await chat(gateway, { model, stream: true })
          assert.equal(status, 200, text)
          assert.doesNotMatch(text, /fell over/)
          return headers.get('x-litellm-model-id')
        }
        for (const group of ['named', 'marked', 'ended', 'returns'])
          assert.equal(await answered(group), `live-${group}`, group)
        assert.equal(await answered('fine'), 'sick-fine')
      })
    })
  })

  test('a stream never moves on after its first byte', async () => {
    await withStage(configOf(pair('cut/v1')), async ({ gateway, fake }) => {
      const answers = await many(gateway, { model: 'g', stream: true }, 40)
      const broken = answers.filter(({ text }) => !text.includes('[DONE]'))
      assert.ok(answers.every(({ status }) => status === 200))
      assert.ok(broken.length >= 1)
      assert.equal(broken.length, arrived(fake, 'cut'), 'each of them is told')
      assert.equal(arrived(fake, 'cut') + arrived(fake, 'ok'), 40, 'and asked for once')
      for (const { text } of broken) assert.match(text, /data: \{"error":.*"type":"cut"/)
    })
  })
})

describe('a group of which every deployment refuses connections', () => {
  test('is answered for at once with 503 and Retry-After, and serves again when one is back', async () => {
    const port = await freePort()
    const dead = { group: 'g', base: `http://127.0.0.1:${port}/v1` }
    const members = [
      { ...dead, id: 'one' },
      { ...dead, id: 'two', model: 'openai/gpt-4o-mini' },
    ]
    await withStage(configOf(members, 'router_settings: { cooldown_time: 1.5 }\n'), async ({ gateway }) => {
      const first = await chat(gateway, { model: 'g' })
      assert.equal(first.status, 502)
      assert.equal(at(first.json, 'error', 'type'), 'unreachable')
      assert.match(String(at(first.json, 'error', 'message')), /\(tried 3 times at 2 deployments\)$/)
      // So many failures as nothing else explains; with background checks, a look or two.
      await eventually(
        () => chat(gateway, { model: 'g' }),
        ({ status }) => status === 503,
      )
      for (const stream of [false, true]) {
        const later = await chat(gateway, { model: 'g', stream })
        assert.deepEqual([later.status, at(later.json, 'error', 'type')], [503, 'none_available'])
        assert.match(later.headers.get('retry-after') ?? '', /^[12]$/)
        assert.match(
          String(at(later.json, 'error', 'message')),
          /\(unreachable\) since \d+ s, no connection comes about, (?:being )?tried again/,
        )
      }
      await onPort(port, async () => {
        const back = await eventually(
          () => chat(gateway, { model: 'g' }),
          ({ status }) => status === 200,
        )
        assert.equal(at(back.json, 'choices', 0, 'message', 'content'), 'back')
      })
    })
  })

  test('hands over to its fallback at once', async () => {
    const port = await freePort()
    const members = [
      { group: 'g', id: 'dead', base: `http://127.0.0.1:${port}/v1` },
      { group: 'spare', id: 'live', base: 'ok/v1' },
    ]
    const settings = 'router_settings: { fallbacks: [{ g: [spare] }] }\n'
    await withStage(configOf(members, settings), async ({ gateway }) => {
      const answers = await many(gateway, { model: 'g' }, 40)
      assert.ok(answers.every(({ status }) => status === 200))
    })
  })
})

describe('a request that fails', () => {
  test('asks the same deployment again where it is the only one, and says how often', async () => {
    const members = [{ group: 'g', id: 'shy', base: 'recover2/v1' }]
    await withStage(configOf(members), async ({ gateway, fake }) => {
      const got = await chat(gateway, { model: 'g' })
      assert.equal(got.status, 200, got.text)
      assert.equal(got.headers.get('x-litellm-attempted-retries'), '2')
      assert.equal(got.headers.get('x-litellm-max-retries'), '2')
      assert.equal(arrived(fake, 'recover2'), 3)
    })
  })

  test('is tried as often as the nearest num_retries says', async (t) => {
    const cases: readonly (readonly [string, string, object, number])[] = [
      ['nobody says anything', '', {}, 3],
      ['litellm_settings', 'litellm_settings: { num_retries: 1 }\n', {}, 2],
      [
        'router_settings over litellm_settings',
        'litellm_settings: { num_retries: 1 }\nrouter_settings: { num_retries: 0 }\n',
        {},
        1,
      ],
      ['the request over all', 'router_settings: { num_retries: 0 }\n', { num_retries: 1 }, 2],
      [
        'the policy for this kind',
        'router_settings: { num_retries: 0, retry_policy: { InternalServerErrorRetries: 1 } }\n',
        {},
        2,
      ],
      [
        'the policy for all others',
        'router_settings: { num_retries: 0, retry_policy: { DefaultRetries: 1 } }\n',
        {},
        2,
      ],
      [
        "the group's policy over it",
        'router_settings: { retry_policy: { InternalServerErrorRetries: 2 }, model_group_retry_policy: { g: { InternalServerErrorRetries: 0 } } }\n',
        {},
        1,
      ],
      ['the deployment over the router', 'router_settings: { num_retries: 0 }\n', { model: 'own' }, 2],
      ['the tries of its client', 'router_settings: { num_retries: 0 }\n', { model: 'client' }, 2],
    ]
    const members = [
      { group: 'g', id: 'sick', base: 'e500/v1' },
      { group: 'own', id: 'own', base: 'e500/v1', params: ', num_retries: 1' },
      { group: 'client', id: 'client', base: 'e500/v1', params: ', max_retries: 1' },
    ]
    for (const [name, settings, body, tries] of cases)
      await t.test(name, async () => {
        await withStage(configOf(members, settings), async ({ gateway, fake }) => {
          const got = await chat(gateway, { model: 'g', ...body })
          assert.equal(got.status, 500)
          assert.equal(arrived(fake, 'e500'), tries)
          assert.equal(/tried \d times/.exec(got.text)?.[0], tries === 1 ? undefined : `tried ${tries} times`)
          assert.equal(got.headers.get('x-litellm-attempted-retries'), null)
        })
      })
  })

  test('for the caller’s own mistake is not tried again, and nobody is put aside for it', async () => {
    const server = createServer((asked, answer) => {
      let text = ''
      asked.setEncoding('utf8').on('data', (piece: string) => (text += piece))
      asked.on('end', () => {
        const isBad = text.includes('"temperature":99')
        answer.writeHead(isBad ? 400 : 200, { 'content-type': 'application/json' })
        answer.end(isBad ? '{"error":{"message":"temperature is too high"}}' : '{"choices":[{}]}')
      })
    })
    let asked = 0
    server.on('request', () => (asked += 1))
    await listening(server, 0, async (url) => {
      const members = ['one', 'two'].map((id) => ({ group: 'g', id, base: `${url}/${id}/v1` }))
      await withStage(configOf(members), async ({ gateway }) => {
        const refused = await many(gateway, { model: 'g', temperature: 99 }, 20)
        assert.deepEqual([...new Set(refused.map(({ status }) => status))], [400])
        assert.equal(asked, 20)
        const served = await many(gateway, { model: 'g' }, 40)
        const ids = new Set(served.map(({ headers }) => headers.get('x-litellm-model-id')))
        assert.deepEqual(ids, new Set(['one', 'two']))
      })
    })
  })

  test('goes to its fallbacks, theirs before the others, and to no group twice', async (t) => {
    const members = [
      { group: 'a', id: 'a', base: 'e500/v1' },
      { group: 'b', id: 'b', base: 'e503/v1' },
      { group: 'c', id: 'c', base: 'e401/v1' },
      { group: 'd', id: 'd', base: 'ok/v1' },
    ]
    const settings = (fallbacks: string): string =>
      `router_settings: { num_retries: 0, disable_cooldowns: true, ${fallbacks} }\n`
    const cases: readonly (readonly [string, string, object, number, string])[] = [
      ['its own', 'fallbacks: [{ a: [d] }]', {}, 200, 'e500 ok'],
      ['left to right', 'fallbacks: [{ a: [b, c, d] }]', {}, 200, 'e500 e503 e401 ok'],
      ['theirs first', 'fallbacks: [{ a: [b, d] }, { b: [c] }]', {}, 200, 'e500 e503 e401 ok'],
      ['in a ring', 'fallbacks: [{ a: [b] }, { b: [a] }]', {}, 500, 'e500 e503'],
      ['the default', 'default_fallbacks: [d]', {}, 200, 'e500 ok'],
      ['the request’s own', 'fallbacks: [{ a: [b] }]', { fallbacks: ['nobody', 'd'] }, 200, 'e500 ok'],
      [
        'its own, by group',
        'fallbacks: [{ a: [c] }]',
        { fallbacks: [{ a: ['b'] }, { b: ['d'] }] },
        200,
        'e500 e503 ok',
      ],
      [
        'with a body',
        '',
        { fallbacks: [{ model: 'd', temperature: 0, api_key: 'sk-x', tags: ['y'] }] },
        200,
        'e500 ok',
      ],
      ['none', 'default_fallbacks: [d]', { disable_fallbacks: true }, 500, 'e500'],
      ['not deep', 'max_fallbacks: 1, fallbacks: [{ a: [b] }, { b: [d] }]', {}, 500, 'e500 e503'],
    ]
    for (const [name, lists, body, status, road] of cases)
      await t.test(name, async () => {
        await withStage(configOf(members, settings(lists)), async ({ gateway, fake }) => {
          const got = await chat(gateway, { model: 'a', ...body })
          assert.equal(got.status, status, got.text)
          const orders = fake.journal().map(({ url }) => url.split('/')[1])
          assert.equal(orders.join(' '), road)
          if (status === 200) {
            assert.equal(got.headers.get('x-litellm-model-group'), 'd')
            assert.equal(got.headers.get('x-litellm-attempted-fallbacks'), String(orders.length - 1))
          } else assert.equal(got.headers.get('x-litellm-model-id'), 'a', 'the first failure is told')
          const last = fake.journal().at(-1)?.body
          assert.equal(at(last, 'temperature'), name === 'with a body' ? 0 : undefined)
          for (const field of ['fallbacks', 'api_key', 'tags']) assert.equal(at(last, field), undefined)
        })
      })
  })

  test('because it is too long, or for its content, goes to the groups for that', async () => {
    const words: Readonly<Record<string, string>> = {
      long: '{"error":{"message":"This model\'s maximum context length is 8 tokens.","code":"context_length_exceeded"}}',
      rude: '{"error":{"message":"flagged","code":"content_policy_violation"}}',
      odd: '{"error":{"message":"temperature is too high","code":"invalid_value"}}',
    }
    const silenced = '{"choices":[{"index":0,"finish_reason":"content_filter","message":{"content":""}}]}'
    const event = (delta: object, finish_reason: string | null = null): string =>
      `data: ${JSON.stringify({ choices: [{ index: 0, delta, finish_reason }] })}\n\n`
    const prompt = 'data: {"choices":[],"prompt_filter_results":[{"prompt_index":0}]}\n\n'
    const role = event({ role: 'assistant', content: '' })
    const filtered = event({}, 'content_filter')
    const streams: Readonly<Record<string, readonly string[]>> = {
      'silenced-stream': [prompt, role, filtered, 'data: [DONE]\n\n'],
      'silenced-late': [prompt, role, event({ content: 'half' }), filtered, 'data: [DONE]\n\n'],
      'silenced-after-comment': [': wait\n\n', role, filtered, 'data: [DONE]\n\n'],
      'lax-stream': [role, event({ content: 'fine' }), event({}, 'stop'), 'data: [DONE]\n\n'],
    }
    const server = createServer((asked, answer) => {
      const name = asked.url?.split('/')[1] ?? ''
      asked.resume()
      const stream = streams[name]
      if (stream !== undefined) {
        answer.writeHead(200, { 'content-type': 'text/event-stream' })
        void writeSlowly(answer, stream)
        return
      }
      const isGood = words[name] === undefined
      answer.writeHead(isGood ? 200 : 400, { 'content-type': 'application/json' })
      answer.end(words[name] ?? (name.startsWith('silenced') ? silenced : '{"choices":[{}]}'))
    })
    await listening(server, 0, async (url) => {
      const names = [
        'long',
        'rude',
        'odd',
        'large',
        'lax',
        'any',
        'silenced',
        'silenced-alone',
        'silenced-last',
        ...Object.keys(streams),
      ]
      const members = names.map((name) => ({ group: name, id: name, base: `${url}/${name}/v1` }))
      const settings =
        'litellm_settings: { context_window_fallbacks: [{ long: [large] }], content_policy_fallbacks: [{ rude: [lax] }, { silenced: [nobody, silenced-last] }, { silenced-last: [lax, silenced] }, { silenced-stream: [lax-stream] }, { silenced-late: [lax-stream] }, { silenced-after-comment: [lax-stream] }], default_fallbacks: [any] }\n'
      await withStage(configOf(members, settings), async ({ gateway }) => {
        for (const [model, expected] of [
          ['long', 'large'],
          ['rude', 'lax'],
          ['odd', 'any'],
          ['silenced', 'lax'],
          ['silenced-last', 'lax'],
          ['silenced-alone', 'silenced-alone'],
        ] as const) {
          const got = await chat(gateway, { model })
          assert.deepEqual([got.status, got.headers.get('x-litellm-model-id')], [200, expected], got.text)
        }
        // A stream is one that was refused as long as nothing of it has gone out.
        for (const [model, expected, seen] of [
          ['silenced-stream', 'lax-stream', 'fine'],
          ['silenced-late', 'silenced-late', 'half'],
          ['silenced-after-comment', 'silenced-after-comment', 'content_filter'],
        ] as const) {
          const got = await chat(gateway, { model, stream: true })
          assert.deepEqual([got.status, got.headers.get('x-litellm-model-id')], [200, expected], got.text)
          assert.ok(got.text.includes(seen), got.text)
          assert.equal(got.text.includes('content_filter'), model !== 'silenced-stream')
        }
        // Where nobody else would be asked, what the filter left is the answer.
        const own = await chat(gateway, { model: 'silenced', disable_fallbacks: true })
        assert.deepEqual([own.status, own.text], [200, silenced])
      })
    })
  })
})

/** One piece after the other, each on its own. */
async function writeSlowly(answer: ServerResponse, pieces: readonly string[]): Promise<void> {
  for (const piece of pieces) {
    answer.write(piece)
    await new Promise((next) => void setTimeout(next, 5))
  }
  answer.end()
}

/** A provider that answers every chat. */
async function onPort(port: number, use: () => Promise<void>): Promise<void> {
  const server = createServer((asked, answer) => {
    asked.resume()
    answer.writeHead(200, { 'content-type': 'application/json' })
    answer.end('{"choices":[{"message":{"content":"back"}}]}')
  })
  await listening(server, port, use)
}

/** A server on this port, or on any free one, gone after `use`. */
async function listening(server: Server, port: number, use: (url: string) => Promise<void>): Promise<void> {
  await new Promise<void>((ready) => void server.listen(port, '127.0.0.1', ready))
  const address = server.address()
  try {
    await use(`http://127.0.0.1:${address !== null && typeof address === 'object' ? address.port : 0}`)
  } finally {
    server.closeAllConnections()
    server.close()
  }
}
