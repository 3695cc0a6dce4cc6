import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import http from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after } from 'node:test'
import { createTransport } from '../../transport/transport.ts'
import { awsKeys } from './aws-keys.ts'
import type { AwsIdentity } from './aws-settings.ts'
import { groundOn } from './ground.fixture.ts'
import type { AuthGround } from './ground.ts'

/** What arrived at the server that stands for all of AWS that hands out keys. */
interface Arrived {
  readonly method: string
  readonly url: string
  readonly headers: http.IncomingHttpHeaders
  readonly form: URLSearchParams
  readonly body: string
}

/** What it answers. */
interface Answer {
  readonly status?: number
  readonly text: string
}

type Texts = Readonly<Record<string, string>>

/** That server, a folder for AWS's files, and a clock. */
export interface AwsWorld {
  readonly url: string
  readonly folder: string
  readonly arrived: Arrived[]
  answer: (request: Arrived) => Answer
  now: number
  ground: AuthGround
  /** Back to the start, with nothing fetched. */
  readonly reset: (answer?: (request: Arrived) => Answer) => void
  readonly identity: (settings: Texts, env: Texts) => AwsIdentity
  /** The id of the keys that these lead to, fetched by somebody who knows none yet. */
  readonly keyOf: (settings: Texts, env?: Texts) => Promise<string>
  /** STS's answer (https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html), good for an hour. */
  readonly granted: (name: string) => Answer
  /** What an instance and a container say of their keys. */
  readonly told: (name: string) => Answer
}

/** Starts it for the tests of a file. */
export async function startAwsWorld(): Promise<AwsWorld> {
  const transport = createTransport()
  const server = http.createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  assert.ok(address !== null && typeof address === 'object')
  const folder = await mkdtemp(join(tmpdir(), 'pulsegate-aws-'))
  after(async () => {
    await transport.close()
    server.closeAllConnections()
    await new Promise((resolve) => server.close(resolve))
    await rm(folder, { recursive: true, force: true })
  })
  const start = Date.UTC(2026, 10, 27)
  const fresh = (): AuthGround => groundOn(transport, () => world.now)
  const inAnHour = (): string => new Date(world.now + 3_600_000).toISOString()
  const world: AwsWorld = {
    url: `http://127.0.0.1:${address.port}`,
    folder,
    arrived: [],
    answer: () => ({ text: '' }),
    now: start,
    ground: groundOn(transport, () => world.now),
    reset: (answer = () => ({ text: '' })) => {
      world.arrived.length = 0
      world.now = start
      world.ground = fresh()
      world.answer = answer
    },
    identity: (settings, env) => ({ setting: (name) => settings[name], env, region: 'eu-west-1' }),
    keyOf: async (settings, env = {}) =>
      (await awsKeys(world.identity(settings, env)).get(fresh())).accessKeyId,
    granted: (name) => ({
      text: `<AssumeRoleResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><AssumeRoleResult><AssumedRoleUser><Arn>a</Arn></AssumedRoleUser><Credentials><AccessKeyId>ASIA${name}</AccessKeyId><SecretAccessKey>secret-${name}</SecretAccessKey><SessionToken>token-${name}</SessionToken><Expiration>${inAnHour()}</Expiration></Credentials></AssumeRoleResult></AssumeRoleResponse>`,
    }),
    told: (name) => {
      const keys = { AccessKeyId: `ASIA${name}`, SecretAccessKey: `secret-${name}`, Token: `token-${name}` }
      return { text: JSON.stringify({ Code: 'Success', ...keys, Expiration: inAnHour() }) }
    },
  }
  serve(server, world)
  return world
}

function serve(server: http.Server, world: AwsWorld): void {
  server.on('request', (request: http.IncomingMessage, response: http.ServerResponse) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => {
      const { method = '', url = '', headers } = request
      const body = Buffer.concat(chunks).toString()
      const one = { method, url, headers, body, form: new URLSearchParams(body) }
      world.arrived.push(one)
      const { status = 200, text } = world.answer(one)
      response.writeHead(status).end(text)
    })
  })
}
