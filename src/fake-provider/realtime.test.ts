import assert from 'node:assert/strict'
import { once } from 'node:events'
import { test } from 'node:test'
import { WebSocket } from 'ws'
import type { RawData } from 'ws'
import { createHandClock } from '../core/clock.ts'
import { fakeForTests } from './fixtures.ts'

const fake = await fakeForTests()
const WS = fake.url.replace('http', 'ws')
const BEARER = { authorization: 'Bearer sk-test' }

function textOf(data: RawData): string {
  assert.ok(Buffer.isBuffer(data))
  return data.toString('utf8')
}

/** What a client sees of a session until it is closed, or until `enough` messages came. */
async function session(
  url: string,
  headers: Record<string, string> = BEARER,
  enough = 1,
  protocols: string[] = [],
) {
  const socket = new WebSocket(url, protocols, { headers })
  const messages: string[] = []
  let code: number | undefined
  let reason = ''
  await new Promise<void>((resolve, reject) => {
    socket.on('message', (data) => {
      messages.push(textOf(data))
      if (messages.length === enough) resolve()
    })
    socket.on('close', (closed, why) => {
      code = closed
      reason = String(why)
      resolve()
    })
    socket.on('error', reject)
  })
  const { protocol } = socket
  socket.terminate()
  return { messages, code, reason, protocol }
}

/** The status and body of an upgrade that is answered over HTTP. */
async function refused(
  url: string,
  headers: Record<string, string> = BEARER,
): Promise<readonly [number | undefined, string]> {
  const socket = new WebSocket(url, { headers })
  socket.on('error', () => {})
  const [, response] = await once(socket, 'unexpected-response')
  let text = ''
  for await (const chunk of response) text += String(chunk)
  return [response.statusCode, text]
}

const AZURE_KEY = { 'api-key': 'az-test' }

const SESSIONS: readonly (readonly [
  name: string,
  path: string,
  headers: Record<string, string>,
  model: string,
])[] = [
  ['OpenAI', '/ok/v1/realtime?model=gpt-realtime', BEARER, 'gpt-realtime'],
  ['OpenAI, by intent', '/ok/v1/realtime?intent=transcription', BEARER, 'm'],
  ['Azure, dated', '/ok/openai/realtime?api-version=2024-10-01-preview&deployment=dep', AZURE_KEY, 'dep'],
  ['Azure, v1', '/ok/openai/v1/realtime?model=dep', AZURE_KEY, 'dep'],
]

for (const [name, path, headers, model] of SESSIONS) {
  test(`a session starts with session.created (${name})`, async () => {
    const { messages } = await session(WS + path, headers)
    const created = {
      type: 'session.created',
      event_id: 'e1',
      session: {
        type: 'realtime',
        id: 's1',
        object: 'realtime.session',
        model,
        output_modalities: ['audio'],
      },
    }
    assert.deepEqual(
      messages.map((text) => JSON.parse(text)),
      [created],
    )
  })
}

test('the realtime subprotocol is chosen, and its key is a key', async () => {
  const keyed = await fakeForTests({ keys: ['sk-right'] })
  const url = `${keyed.url.replace('http', 'ws')}/v1/realtime?model=gpt-realtime`
  const { protocol } = await session(url, {}, 1, ['realtime', 'openai-insecure-api-key.sk-right'])
  assert.equal(protocol, 'realtime')
})

const REFUSALS: readonly (readonly [
  name: string,
  path: string,
  headers: Record<string, string>,
  status: number,
  words: RegExp,
])[] = [
  ['no model', '/ok/v1/realtime', BEARER, 400, /must provide a model/],
  [
    'no deployment',
    '/ok/openai/realtime?api-version=2024-10-01-preview',
    AZURE_KEY,
    404,
    /Resource not found/,
  ],
  ['no api-version', '/ok/openai/realtime?deployment=dep', AZURE_KEY, 404, /Resource not found/],
  [
    'no key on Azure',
    '/ok/openai/realtime?api-version=2024-10-01-preview&deployment=dep',
    {},
    401,
    /invalid subscription key/,
  ],
  ['a route that has no sessions', '/ok/v1/batches', BEARER, 400, /takes no WebSocket upgrade/],
  ['an ordered 401', '/e401/v1/realtime?model=m', BEARER, 401, /upstream says 401/],
  ['an ordered page', '/html/v1/realtime?model=m', BEARER, 200, /<!doctype html>/],
  ['the first of recover1', '/recover1/v1/realtime?model=m', BEARER, 500, /upstream says 500/],
  ['an echo', '/echo/v1/realtime?model=m', { authorization: 'Bearer key-canary' }, 401, /key-canary/],
]

for (const [name, path, headers, status, words] of REFUSALS) {
  test(`an upgrade is refused over HTTP: ${name}`, async () => {
    const [got, text] = await refused(WS + path, headers)
    assert.equal(got, status)
    assert.match(text, words)
  })
}

test('a client of the retired beta shape is upgraded, told so, and closed', async () => {
  const headers = { ...BEARER, 'openai-beta': 'realtime=v1' }
  const { messages, code, reason } = await session(`${WS}/v1/realtime?model=gpt-realtime`, headers, 2)
  assert.match(messages[0] ?? '', /"type":"error".*"code":"beta_api_shape_disabled"/)
  assert.deepEqual([code, reason], [4000, 'invalid_request_error.beta_api_shape_disabled'])
})

test('a lenient fake takes the beta header', async () => {
  const lenient = await fakeForTests({ strict: false })
  const headers = { ...BEARER, 'openai-beta': 'realtime=v1' }
  const { messages } = await session(`${lenient.url.replace('http', 'ws')}/v1/realtime?model=m`, headers)
  assert.match(messages[0] ?? '', /session\.created/)
})

const FAULTS: readonly (readonly [order: string, first: RegExp | undefined, code: number | undefined])[] = [
  ['wserror', /"type":"error"/, 4000],
  ['wsclose1011', undefined, 1011],
  ['cut', undefined, 1006],
]

for (const [order, first, code] of FAULTS) {
  test(`${order} upgrades and then fails with ${code}`, async () => {
    const got = await session(`${WS}/${order}/v1/realtime?model=m`, BEARER, 2)
    assert.equal(got.code, code)
    if (first === undefined) assert.deepEqual(got.messages, [])
    else assert.match(got.messages[0] ?? '', first)
  })
}

const FIRSTS: readonly (readonly [order: string, first: RegExp])[] = [
  ['err200', /^\{"type":"error"/],
  ['garbage', /^<html>not json$/],
  ['empty', /^$/],
  ['shape', /^\{"ok":true\}$/],
  ['wsbinary', /\u{FFFD}/u],
  ['wrongmodel', /"model":"another-model"/],
  ['echo200', /"type":"error".*Bearer sk-test/],
]

for (const [order, first] of FIRSTS) {
  test(`${order} opens with ${String(first)}`, async () => {
    assert.match((await session(`${WS}/${order}/v1/realtime?model=m`)).messages[0] ?? 'nothing', first)
  })
}

for (const [order, pings] of [
  ['wssilent', 0],
  ['wsping', 3],
] as const) {
  test(`${order} sends ${pings} pings and no message`, async () => {
    const clock = createHandClock()
    const own = await fakeForTests({ clock })
    const socket = new WebSocket(`${own.url.replace('http', 'ws')}/${order}/v1/realtime?model=m`, {
      headers: BEARER,
    })
    const seen: Buffer[] = []
    socket.on('message', () => assert.fail('a message came'))
    socket.on('ping', (data) => seen.push(data))
    await once(socket, 'open')
    while (seen.length < pings) {
      clock.wind(100)
      await new Promise(setImmediate)
    }
    // The server answers our own ping after all it had to send.
    const answered = once(socket, 'pong')
    socket.ping()
    await answered
    assert.equal(seen.length, pings)
    socket.terminate()
  })
}

test('reset breaks the upgrade off', async () => {
  const socket = new WebSocket(`${WS}/reset/v1/realtime?model=m`, { headers: BEARER })
  const [error] = await once(socket, 'error')
  assert.equal(error.code, 'ECONNRESET')
})

test('an open session answers client events, and the journal holds them', async () => {
  fake.clearJournal()
  const socket = new WebSocket(`${WS}/ok/v1/realtime?model=m`, { headers: BEARER })
  const types: unknown[] = []
  await new Promise<void>((resolve) => {
    socket.on('message', (data) => {
      types.push(JSON.parse(textOf(data)).type)
      if (types.length === 1)
        for (const type of ['session.update', 'response.create', 'nonsense'])
          socket.send(JSON.stringify({ type }))
      if (types.length === 6) resolve()
    })
  })
  socket.terminate()
  assert.deepEqual(types, [
    'session.created',
    'session.updated',
    'response.created',
    'response.output_text.delta',
    'response.done',
    'error',
  ])
  assert.deepEqual(
    fake.journal().map(({ method, body }) => [method, body]),
    [
      ['WS', null],
      ['WSMSG', '{"type":"session.update"}'],
      ['WSMSG', '{"type":"response.create"}'],
      ['WSMSG', '{"type":"nonsense"}'],
    ],
  )
})

test('stopping ends open and unanswered sessions', async () => {
  const own = await fakeForTests()
  const base = own.url.replace('http', 'ws')
  const sockets = ['ok', 'hang'].map(
    (order) => new WebSocket(`${base}/${order}/v1/realtime?model=m`, { headers: BEARER }),
  )
  const ends = sockets.map(
    (socket) => new Promise((resolve) => socket.on('error', () => {}).on('close', resolve)),
  )
  while (own.traffic().inFlight < 2) await new Promise(setImmediate)
  await own.stop()
  await Promise.all(ends)
  assert.equal(own.traffic().inFlight, 0)
})
