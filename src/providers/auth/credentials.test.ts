import assert from 'node:assert/strict'
import { generateKeyPairSync } from 'node:crypto'
import { describe, test } from 'node:test'
import { createHandClock } from '../../core/clock.ts'
import { GatewayError } from '../../core/failure.ts'
import { Secret } from '../../core/secret.ts'
import type { Transport, WireRequest, WireResponse } from '../../transport/wire.ts'
import { deploymentOf } from '../adapter.contract.ts'
import { openLine } from '../call.ts'
import { allAdapters } from '../registry.ts'
import { createCredentials, createCredentialsByTransport, sharedTokens } from './credentials.ts'
import { groundOn } from './ground.fixture.ts'
import type { AuthGround, Credentials, Fetch } from './ground.ts'
import { granted } from './token-request.ts'

await allAdapters()

const WIRE: WireRequest = { method: 'POST', url: 'http://upstream.test/', headers: {}, body: '{}' }
const unused = (): never => assert.fail('only tokens are asked for')

/** A transport on which every question is answered by a token, a number one higher each time. */
function tokenServer(): { readonly transport: Transport; readonly asked: WireRequest[] } {
  const asked: WireRequest[] = []
  const send = async (wire: WireRequest): Promise<WireResponse> => {
    asked.push(wire)
    await Promise.resolve()
    const body = { access_token: `token-${asked.length}`, expires_in: 3_600 }
    return { status: 200, headers: {}, body: Buffer.from(JSON.stringify(body)) }
  }
  return {
    asked,
    transport: { send, stream: unused, dial: unused, openSocket: unused, reach: unused, close: unused },
  }
}

const account = (email: string): Secret => {
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
  return new Secret(
    JSON.stringify({
      type: 'service_account',
      project_id: 'p',
      client_email: email,
      private_key: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
    }),
  )
}
const ACCOUNT = account('robot@p.iam.gserviceaccount.com')

/** Each deployment's `authorization`, all asked at once, on lines of their own. */
async function headersOf(
  accounts: readonly Secret[],
  transport: Transport,
  credentials: Credentials,
): Promise<readonly (string | undefined)[]> {
  const lines = accounts.map((secret, index) => {
    const connection = {
      headers: {},
      secrets: { vertex_credentials: secret },
      settings: { vertex_location: index % 2 === 0 ? 'europe-west4' : 'us-east1' },
    }
    const deployment = deploymentOf('vertex_ai', { connection, upstreamModel: `gemini-${index}` })
    const opened = openLine(deployment, { transport, env: {}, redact: (text) => text, credentials })
    assert.ok('line' in opened, JSON.stringify(opened))
    return opened.line
  })
  const sent = await Promise.all(lines.map(async (line) => line.authorize(WIRE)))
  return sent.map(({ headers }) => headers['authorization'])
}

describe('a credential', () => {
  test('of a hundred deployments fetches one token, and another credential its own', async () => {
    const { transport, asked } = tokenServer()
    const credentials = createCredentials()
    const same = Array.from({ length: 100 }, () => ACCOUNT)
    const headers = await headersOf(same, transport, credentials)
    assert.deepEqual(new Set(headers), new Set(['Bearer token-1']))
    assert.equal(asked.length, 1)
    const others = await headersOf([ACCOUNT, account('other@p.iam')], transport, credentials)
    assert.deepEqual(others, ['Bearer token-1', 'Bearer token-2'])
    assert.equal(asked.length, 2)
  })

  test('is not shared between transports, which may trust other certificates', async () => {
    const byTransport = createCredentialsByTransport(createHandClock())
    const [one, other] = [tokenServer(), tokenServer()]
    await headersOf([ACCOUNT], one.transport, byTransport.of(one.transport))
    await headersOf([ACCOUNT], other.transport, byTransport.of(other.transport))
    await headersOf([ACCOUNT], one.transport, byTransport.of(one.transport))
    assert.deepEqual([one.asked.length, other.asked.length], [1, 1])
  })

  test('is remembered by a name that shows nothing of it', async () => {
    const { transport } = tokenServer()
    const names: string[] = []
    const real = createCredentials()
    const spied: Credentials = {
      ...real,
      tokens: {
        of: (id, fetch) => {
          names.push(id)
          return real.tokens.of(id, fetch)
        },
      },
    }
    await headersOf([ACCOUNT], transport, spied)
    assert.match(names[0] ?? '', /^[\w-]{43}$/)
  })

  test('that was needed longest ago is forgotten first, where there are too many', async () => {
    const { asked, ground } = counting(createCredentials(createHandClock(), 2))
    for (const who of ['a', 'b', 'a', 'c', 'a', 'b']) await tokenOf(who, ground, asked)
    assert.deepEqual(asked, ['a', 'b', 'c', 'b'])
  })

  test('whose source is held is not fetched again, though it is forgotten', async () => {
    const { asked, ground } = counting(createCredentials(createHandClock(), 1))
    const held = sharedTokens(['a'], fetchOf('a', asked))
    await held.get(ground)
    await tokenOf('b', ground, asked)
    await held.get(ground)
    assert.deepEqual(asked, ['a', 'b'])
  })
})

function counting(credentials: Credentials): { readonly asked: string[]; readonly ground: AuthGround } {
  return { asked: [], ground: { transport: { send: unused }, now: () => 0, credentials } }
}

function fetchOf(who: string, asked: string[]): Fetch<string> {
  return async () => {
    asked.push(who)
    return granted(`of ${who}`, 0, 3_600_000)
  }
}

/** As a line does that is opened for one request. */
async function tokenOf(who: string, ground: AuthGround, asked: string[]): Promise<void> {
  assert.equal(await sharedTokens([who], fetchOf(who, asked)).get(ground), `of ${who}`)
}

describe('a fetch', () => {
  test('that never ends is given up, holds nobody else up, and the next one may be good', async () => {
    const clock = createHandClock(0)
    const ground = groundOn({ send: unused }, () => clock.now(), clock)
    let times = 0
    const source = sharedTokens(['slow'], () => {
      times += 1
      return times === 1 ? new Promise(() => {}) : Promise.resolve(granted('late', clock.now(), 3_600_000))
    })
    const waiting = [source.get(ground), source.get(ground)].map(async (token) =>
      assert.rejects(async () => token, { kind: 'timeout', message: /no credentials came within 30000 ms/ }),
    )
    const other = sharedTokens(['other'], () => Promise.resolve(granted('at once', 0, 3_600_000)))
    assert.equal(await other.get(ground), 'at once')
    clock.wind(30_000)
    await Promise.all(waiting)
    clock.wind(1_000)
    assert.equal(await source.get(ground), 'late')
    assert.equal(times, 2)
    assert.equal(clock.pending(), 0)
  })

  test('that fails is told to all who ask within a second, and to no service again', async () => {
    let now = 0
    const ground = groundOn({ send: unused }, () => now)
    let times = 0
    const source = sharedTokens(['bad'], async () => {
      times += 1
      throw new GatewayError('auth', `refused ${times}`)
    })
    const refusedAs = (message: string): Promise<void> =>
      assert.rejects(async () => source.get(ground), { message })
    await Promise.all([refusedAs('refused 1'), refusedAs('refused 1')])
    now = 999
    await refusedAs('refused 1')
    now = 1_000
    await refusedAs('refused 2')
    assert.equal(times, 2)
  })

  test('is not repeated before the service says so, but for a service that says a very long time', async () => {
    for (const [retryAfterMs, againMs] of [
      [5_000, 5_000],
      [3_600_000, 60_000],
    ] as const) {
      let now = 0
      const ground = groundOn({ send: unused }, () => now)
      let times = 0
      const source = sharedTokens(['busy'], async () => {
        times += 1
        throw new GatewayError('overloaded', 'later', { retryAfterMs })
      })
      for (const at of [0, againMs - 1, againMs]) {
        now = at
        await assert.rejects(async () => source.get(ground))
      }
      assert.equal(times, 2)
    }
  })

  test('of what has ended by our clock already is tried for a while, not repeated at each request', async () => {
    let now = 1_000_000
    const ground = groundOn({ send: unused }, () => now)
    let times = 0
    const source = sharedTokens(['skewed'], async () => granted(`token ${(times += 1)}`, now, now - 60_000))
    assert.equal(await source.get(ground), 'token 1')
    now += 5_000
    assert.equal(await source.get(ground), 'token 1')
    now += 5_000
    assert.equal(await source.get(ground), 'token 2')
  })
})
