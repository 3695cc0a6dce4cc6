import assert from 'node:assert/strict'
import { appendFile, mkdir, rename, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { setTimeout as later } from 'node:timers/promises'
import type { FakeProvider } from '../../src/fake-provider/server.ts'
import { startFakeProvider } from '../../src/fake-provider/server.ts'
import { ask, at, AUTH, chat, eventually, KEY, listAt, MESSAGES } from './asking.ts'
import { startGateway, withFolder, type Gateway } from './program.ts'
import { readEvents } from './event-reader.ts'
import { connect } from './sessions.ts'

interface Member {
  readonly group: string
  readonly base: string
  readonly key?: string
  readonly model?: string
  readonly more?: string
  readonly mode?: string
}

const SETTINGS = `general_settings:\n  master_key: ${KEY}\n  drain_delay: 0\n`

const configOf = (
  { url }: Pick<FakeProvider, 'url'>,
  members: readonly Member[],
  settings = SETTINGS,
): string =>
  `model_list:\n${members
    .map(
      ({ group, base, key = 'sk-up-first', model = 'openai/gpt-4o', more = '', mode = 'chat' }) =>
        `  - model_name: ${group}\n` +
        `    litellm_params: { model: ${model}, api_base: '${url}/${base}', api_key: ${key}${more} }\n` +
        `    model_info: { id: id-${group}, mode: ${mode} }\n`,
    )
    .join('')}${settings}`

/** What is where, and a way to write the config as editors do: another file in its place. */
interface Reloading {
  readonly gateway: Gateway
  readonly fake: FakeProvider
  readonly folder: string
  readonly write: (members: readonly Member[], settings?: string) => Promise<void>
  readonly writeText: (text: string) => Promise<void>
  /** The log lines about reloads so far. */
  readonly lines: () => readonly unknown[]
  /** Waits for the line of this number, the first being 1. */
  readonly line: (number: number) => Promise<unknown>
}

async function withReloading(
  members: readonly Member[],
  use: (stage: Reloading) => Promise<void>,
  settingsOf: string | ((fake: FakeProvider) => string) = SETTINGS,
): Promise<void> {
  const fake = await startFakeProvider()
  const settings = typeof settingsOf === 'string' ? settingsOf : settingsOf(fake)
  try {
    await withFolder({ 'config.yaml': configOf(fake, members, settings) }, async (folder) => {
      const gateway = await startGateway(['config.yaml', '--host', '127.0.0.1', '--port', '0'], {
        cwd: folder,
      })
      const lines = (): readonly unknown[] => reloadLines(gateway)
      const writeText = async (text: string): Promise<void> => {
        await writeFile(join(folder, '.config.yaml.new'), text)
        await rename(join(folder, '.config.yaml.new'), join(folder, 'config.yaml'))
      }
      try {
        await use({
          gateway,
          fake,
          folder,
          writeText,
          write: (next, more = settings) => writeText(configOf(fake, next, more)),
          lines,
          line: async (number) => (await eventually(lines, (seen) => seen.length >= number))[number - 1],
        })
      } finally {
        await gateway.stop(0)
      }
    })
  } finally {
    await fake.stop()
  }
}

function reloadLines(gateway: Gateway): readonly unknown[] {
  return gateway
    .stderr()
    .split('\n')
    .filter((line) => /"event":"config_(reloaded|refused)"/.test(line))
    .map((line): unknown => JSON.parse(line))
}

/** What a line says that is not a time. */
function countsIn(line: unknown): readonly unknown[] {
  return ['event', 'reason', 'added', 'removed', 'changed', 'unchanged'].map((name) => at(line, name))
}

/** Asks one group after the other without a pause until it is stopped; gives what did not answer 200. */
function startLoad(
  gateway: Gateway,
  groups: readonly string[],
): { stop(): Promise<readonly string[]>; asked(): number } {
  const failures: string[] = []
  let asked = 0
  const state = { isStopped: false }
  const client = async (from: number): Promise<void> => {
    for (let turn = from; !state.isStopped; turn += 1) {
      const model = groups[turn % groups.length]
      asked += 1
      try {
        const { status, text } = await chat(gateway, { model })
        if (status !== 200) failures.push(`${model}: ${status} ${text}`)
      } catch (error) {
        failures.push(String(error))
      }
      await later(15)
    }
  }
  const clients = [0, 1, 2].map(client)
  return {
    asked: () => asked,
    stop: async () => {
      state.isStopped = true
      await Promise.all(clients)
      return failures
    },
  }
}

const A: Member = { group: 'a', base: 'ok/v1' }
const B: Member = { group: 'b', base: 'ok/v1' }
const GONE: Member = { group: 'gone', base: 'ok/v1' }

const get = async (gateway: Gateway, path: string) =>
  (await ask(`${gateway.url}${path}`, { headers: AUTH })).json

const act = async (gateway: Gateway, path: string, body: object = {}): Promise<void> => {
  const url = `${gateway.url}/health/deployments/${path}`
  const { status, text } = await ask(url, { method: 'POST', headers: AUTH, body })
  assert.equal(status, 200, text)
}

/** Of each incident whose it is, when it began, and whether it is over. */
const incidentsIn = (past: unknown): readonly (readonly unknown[])[] =>
  listAt(past, 'incidents').map((each) => [
    at(each, 'model_id'),
    at(each, 'opened_at'),
    at(each, 'closed_at') !== null,
  ])

describe('a config that changes while it is served with', () => {
  test('has one past: incidents of those that stay go on, of those that go they end, and new ones are written', async () => {
    const sick: Member = { group: 'sick', base: 'e500/v1' }
    const moved: Member = { group: 'moved', base: 'e500/v1', key: 'sk-up-other' }
    const gone: Member = { group: 'gone', base: 'e500/v1', key: 'sk-up-third' }
    const settings = `${SETTINGS}  background_health_checks: true\n  health_check_interval: 300\n`
    await withReloading(
      [A, gone, moved, sick],
      async ({ gateway, fake, write, line }) => {
        const past = () => get(gateway, '/health/history')
        const before = await eventually(past, (body) => incidentsIn(body).length === 3, 60_000)
        await write([
          { group: 'new', base: 'e401/v1', key: 'sk-up-fourth' },
          { ...moved, base: 'ok/v1' },
          sick,
          A,
        ])
        assert.deepEqual(countsIn(await line(1)), ['config_reloaded', 'files', 1, 1, 1, 2])
        const after = await eventually(
          past,
          (body) => incidentsIn(body).some(([id]) => id === 'id-new') && incidentsIn(body).length === 4,
          30_000,
        )
        const asBefore = incidentsIn(before).map(([id, openedAt]) => [id, openedAt, id !== 'id-sick'])
        const byId = (one: readonly unknown[], other: readonly unknown[]): number =>
          String(one[0]).localeCompare(String(other[0]))
        assert.deepEqual(
          incidentsIn(after)
            .filter(([id]) => id !== 'id-new')
            .toSorted(byId),
          asBefore.toSorted(byId),
        )
        assert.ok(listAt(after, 'health_checks').some((row) => at(row, 'model_id') === 'id-gone'))
        fake.order('e500', 'ok')
        await eventually(
          past,
          (body) => incidentsIn(body).every(([id, , isOver]) => isOver === (id !== 'id-new')),
          60_000,
        )
      },
      settings,
    )
  })

  test('is told to whoever follows the events: they come back, to a snapshot and to what happens from then on', async () => {
    await withReloading([A], async ({ gateway, write, line }) => {
      const first = await readEvents(gateway.url, AUTH)
      await act(gateway, 'id-a/isolate')
      const last = await eventually(
        () => first.events[1],
        (event) => event !== undefined,
      )
      await write([B, A])
      await line(1)
      await first.ended
      const again = await readEvents(gateway.url, { ...AUTH, 'last-event-id': last?.id ?? '' })
      const steps = () => again.events.map(({ event, data }) => [event, at(data, 'model_id'), at(data, 'to')])
      await eventually(steps, ({ length }) => length === 1)
      assert.deepEqual(
        listAt(again.events[0]?.data, 'deployments').map((each) => [
          at(each, 'model_id'),
          at(each, 'health_state'),
        ]),
        [
          ['id-b', 'UNKNOWN'],
          ['id-a', 'ISOLATED'],
        ],
      )
      await act(gateway, 'id-b/isolate')
      await eventually(steps, ({ length }) => length === 2)
      assert.deepEqual(steps()[1], ['transition', 'id-b', 'ISOLATED'])
      again.close()
    })
  })

  test('leaves out whom an operator has taken out, until he puts them back; and an ETag of before is none', async () => {
    await withReloading([A], async ({ gateway, fake, write, line }) => {
      await act(gateway, 'id-a/isolate', { reason: 'new driver', ttl: 3600 })
      const health = (tag: string) =>
        ask(`${gateway.url}/health`, { headers: { ...AUTH, 'if-none-match': tag } })
      const view = async () => at(await get(gateway, '/health/deployments/id-a'), 'deployments', 0)
      const until = at(await view(), 'until')
      const tag = (await health('')).headers.get('etag') ?? ''
      await write([B, { ...A, more: ', weight: 2' }])
      assert.deepEqual(countsIn(await line(1)), ['config_reloaded', 'files', 1, 0, 1, 0])
      assert.equal((await health(tag)).status, 200)
      assert.equal(at(await view(), 'health_state'), 'ISOLATED')
      assert.match(String(at(await view(), 'why')), /taken it out: new driver/)
      const movedMs = Date.parse(String(at(await view(), 'until'))) - Date.parse(String(until))
      assert.ok(Math.abs(movedMs) < 1000, `${movedMs} ms`)
      // Readers of health look for themselves here.
      fake.clearJournal()
      assert.equal((await chat(gateway, { model: 'a' })).status, 503)
      assert.equal(fake.journal().length, 0)
      await act(gateway, 'id-a/restore')
      assert.equal((await chat(gateway, { model: 'a' })).status, 200)
    })
  })

  test('is added to, taken from, changed, broken and mended under load: nobody notices, and each step is one line', async () => {
    await withReloading([A, B, GONE], async ({ gateway, fake, write, writeText, lines, line }) => {
      const load = startLoad(gateway, ['a', 'b'])
      assert.equal((await chat(gateway, { model: 'gone' })).status, 200)

      await write([A, B, GONE, { group: 'new', base: 'ok/v1' }])
      assert.deepEqual(countsIn(await line(1)), ['config_reloaded', 'files', 1, 0, 0, 3])
      assert.equal((await chat(gateway, { model: 'new' })).status, 200)

      await write([A, B, { group: 'new', base: 'ok/v1' }])
      assert.deepEqual(countsIn(await line(2)), ['config_reloaded', 'files', 0, 1, 0, 3])
      assert.equal((await chat(gateway, { model: 'gone' })).status, 400)
      const models = await ask(`${gateway.url}/v1/models`, { headers: AUTH })
      const health = await ask(`${gateway.url}/health`, { headers: AUTH })
      const metrics = await ask(`${gateway.url}/metrics`, { headers: AUTH })
      for (const { text } of [models, health, metrics]) {
        assert.doesNotMatch(text, /gone/)
        assert.match(text, /\bnew\b/)
      }

      await write([A, { ...B, key: 'sk-up-second' }, { group: 'new', base: 'ok/v1' }])
      assert.deepEqual(countsIn(await line(3)), ['config_reloaded', 'files', 0, 0, 1, 2])
      fake.clearJournal()
      assert.equal(
        (await chat(gateway, { model: 'b', messages: [{ role: 'user', content: 'whose key?' }] })).status,
        200,
      )
      const asked = fake.journal().find(({ body }) => JSON.stringify(body).includes('whose key?'))
      assert.equal(asked?.headers.authorization, 'Bearer sk-up-second')

      await writeText('model_list:\n  - model_name: a\n   litellm_params: [\n')
      const refused = await line(4)
      assert.equal(at(refused, 'event'), 'config_refused')
      assert.match(String(at(refused, 'problem')), /^config\.yaml:3:\d+: not valid YAML/)
      assert.match(String(at(refused, 'message')), /the config before stays in service/)
      const details = await ask(`${gateway.url}/health/readiness/details`, { headers: AUTH })
      assert.equal(details.status, 200)
      assert.equal(at(details.json, 'config', 'last_reload', 'result'), 'refused')
      const page = (await ask(`${gateway.url}/metrics`, { headers: AUTH })).text
      assert.match(page, /^pulsegate_config_reloads_total\{result="taken"\} 3$/m)
      assert.match(page, /^pulsegate_config_reloads_total\{result="refused"\} 1$/m)
      assert.match(page, /^pulsegate_config_last_reload_successful 0$/m)

      await write([A, { ...B, key: 'sk-up-second' }])
      assert.deepEqual(countsIn(await line(5)), ['config_reloaded', 'files', 0, 1, 0, 2])
      assert.ok(load.asked() > 50)
      assert.deepEqual(await load.stop(), [])
      assert.equal(lines().length, 5)
      assert.doesNotMatch(gateway.stderr() + gateway.stdout(), /sk-up-(first|second)/)
    })
  })

  test('may have a provider in it whose words no deployment had needed until then', async () => {
    await withReloading([A], async ({ gateway, write, line }) => {
      await write([A, { group: 'claude', base: 'ok/as-anthropic', model: 'anthropic/claude-sonnet-4-5' }])
      assert.equal(at(await line(1), 'event'), 'config_reloaded')
      const { status, text } = await chat(gateway, { model: 'claude' })
      assert.equal(status, 200, text)
    })
  })

  test('is read again on SIGHUP, and where it says the same nothing starts afresh', async () => {
    await withReloading([A, B], async ({ gateway, line }) => {
      gateway.signal('SIGHUP')
      assert.deepEqual(countsIn(await line(1)), ['config_reloaded', 'SIGHUP', 0, 0, 0, 2])
      const page = (await ask(`${gateway.url}/metrics`, { headers: AUTH })).text
      assert.match(page, /^pulsegate_config_reloads_total\{result="unchanged"\} 1$/m)
    })
  })

  test('keeps what is known of deployments that are called as before, and forgets what is known of others', async () => {
    const sick: Member = { group: 'sick', base: 'e401/v1' }
    const moved: Member = { group: 'moved', base: 'e401/v1', key: 'sk-up-other' }
    const settings = `${SETTINGS}  background_health_checks: true\n  health_check_interval: 300\n`
    await withReloading(
      [A, sick, moved],
      async ({ gateway, fake, write, line }) => {
        const stateOf = async (group: string): Promise<unknown> => {
          const { json } = await ask(`${gateway.url}/health`, { headers: AUTH })
          const all = ['healthy_endpoints', 'unhealthy_endpoints', 'unknown_endpoints'].flatMap((name) =>
            listAt(json, name),
          )
          const found = all.find((entry) => at(entry, 'model_id') === `id-${group}`)
          return [at(found, 'health_state'), at(found, 'state_since') ?? at(found, 'since')]
        }
        const isOut = ([state]: readonly unknown[]): boolean => state === 'MISCONFIGURED'
        const listed = async (group: string): Promise<readonly unknown[]> => {
          const state = await stateOf(group)
          return Array.isArray(state) ? state : []
        }
        await eventually(() => listed('moved'), isOut)
        const before = await eventually(() => listed('sick'), isOut)
        await eventually(
          () => listed('a'),
          ([state]) => state === 'HEALTHY',
        )
        fake.clearJournal()
        await write([
          { group: 'first', base: 'ok/v1', key: 'sk-up-third' },
          sick,
          { ...A, more: ', rpm: 1000' },
          { ...moved, base: 'ok/v1' },
        ])
        assert.deepEqual(countsIn(await line(1)), ['config_reloaded', 'files', 1, 0, 2, 1])
        const after = await listed('sick')
        assert.equal(after[0], before[0])
        const movedMs = Date.parse(String(after[1])) - Date.parse(String(before[1]))
        // Times are those of a clock that nobody sets, shown by the one on the wall.
        assert.ok(Math.abs(movedMs) < 1000, `${movedMs} ms`)
        assert.equal((await listed('a'))[0], 'HEALTHY')
        await eventually(
          () => listed('moved'),
          ([state]) => state === 'HEALTHY',
        )
        assert.deepEqual(
          fake
            .journal()
            .filter(
              ({ url, headers }) =>
                url.includes('e401') || (headers.authorization?.endsWith('first') && url.includes('chat')),
            ),
          [],
          'whoever is known is not asked again',
        )
      },
      settings,
    )
  })

  test('lets streams and sessions that are open go on, and the limits of before go on counting', async () => {
    const streaming: Member = { group: 's', base: 'drip20/v1', more: ', max_parallel_requests: 1' }
    const voice: Member = { group: 'voice', base: 'ok/v1', model: 'openai/gpt-realtime', mode: 'realtime' }
    await withReloading([streaming, voice], async ({ gateway, write, line }) => {
      const session = await connect(gateway, '/v1/realtime?model=voice', { headers: AUTH })
      assert.ok('socket' in session)
      await session.next()
      const response = await fetch(`${gateway.url}/v1/chat/completions`, {
        method: 'POST',
        headers: AUTH,
        body: JSON.stringify({ model: 's', messages: MESSAGES, stream: true }),
      })
      assert.equal(response.status, 200)
      await write([{ group: 'new', base: 'ok/v1' }, streaming])
      assert.deepEqual(countsIn(await line(1)), ['config_reloaded', 'files', 1, 1, 0, 1])
      assert.equal((await chat(gateway, { model: 's' })).status, 429, 'the one that streams still counts')
      assert.match(await response.text(), /data: \[DONE\]\n\n$/)
      session.socket.send(JSON.stringify({ type: 'session.update', session: {} }))
      assert.match(await session.next(), /session\.updated/)
      session.socket.close()
      await session.closed
    })
  })

  test('that is replaced over and over ends what outlives the drain timeout, and nothing else', async () => {
    const voice: Member = { group: 'voice', base: 'ok/v1', model: 'openai/gpt-realtime', mode: 'realtime' }
    await withReloading(
      [A, voice],
      async ({ gateway, line }) => {
        const open = async () => {
          const session = await connect(gateway, '/v1/realtime?model=voice', { headers: AUTH })
          assert.ok('socket' in session)
          await session.next()
          return session
        }
        const sessions = [await open()]
        for (let times = 1; times <= 4; times += 1) {
          gateway.signal('SIGHUP')
          await line(times)
          sessions.push(await open())
        }
        const isOpen = (): readonly boolean[] =>
          sessions.map(({ socket }) => socket.readyState === socket.OPEN)
        assert.deepEqual(isOpen(), [true, true, true, true, true])
        gateway.signal('SIGHUP')
        await line(5)
        await eventually(isOpen, ([oldest]) => oldest === false)
        assert.deepEqual(isOpen(), [false, true, true, true, true])
        for (const { socket } of sessions) socket.terminate()
        assert.equal((await chat(gateway, { model: 'a' })).status, 200)
      },
      `${SETTINGS}environment_variables: { GRACEFUL_SHUTDOWN_TIMEOUT: '0.2' }\n`,
    )
  })

  test('keeps the tokens that were fetched, as it keeps those of keys that clients bring along', async () => {
    const ibm = { base: 'ok/as-watsonx', model: 'watsonx/ibm/granite-3-8b-instruct', key: 'ibm-key-1' }
    const open = { ...ibm, more: ', project_id: p, configurable_clientside_auth_params: [api_key]' }
    const members: readonly Member[] = [
      { ...open, group: 'one' },
      { ...open, group: 'two' },
    ]
    const settingsOf = ({ url }: FakeProvider): string =>
      `${SETTINGS}environment_variables: { WATSONX_IAM_URL: '${url}/ok/as-watsonx/identity/token' }\n`
    await withReloading(
      members,
      async ({ gateway, fake, write, line }) => {
        const served = async (...asked: readonly object[]): Promise<void> => {
          for (const body of asked) assert.equal((await chat(gateway, body)).status, 200)
        }
        const tokens = (): number =>
          fake.journal().filter(({ url }) => url.endsWith('/identity/token')).length
        await served({ model: 'one' }, { model: 'two' }, { model: 'one' })
        assert.equal(tokens(), 1)
        const mine = { model: 'one', api_key: 'ibm-of-a-client' }
        await served(mine, { model: 'one', api_key: 'ibm-of-another' }, mine)
        assert.equal(tokens(), 3)
        await write([...members, { ...ibm, group: 'three', more: ', project_id: q' }])
        await line(1)
        await served({ model: 'one' }, { model: 'two' }, { model: 'three' }, { ...mine, model: 'two' })
        assert.equal(tokens(), 3)
      },
      settingsOf,
    )
  })

  test('is noticed where a link is led elsewhere, as a mounted ConfigMap does it', async () => {
    const fake = await startFakeProvider()
    try {
      await withFolder({}, async (folder) => {
        for (const [name, members] of [
          ['one', [A]],
          ['two', [A, B]],
        ] as const) {
          await mkdir(join(folder, name))
          await writeFile(join(folder, name, 'config.yaml'), configOf(fake, members))
        }
        await symlink('one', join(folder, '..data'))
        await symlink('..data/config.yaml', join(folder, 'config.yaml'))
        const gateway = await startGateway(['config.yaml', '--host', '127.0.0.1', '--port', '0'], {
          cwd: folder,
        })
        try {
          await symlink('two', join(folder, '..data_tmp'))
          await rename(join(folder, '..data_tmp'), join(folder, '..data'))
          await gateway.seen(/"event":"config_reloaded"/)
          assert.deepEqual(countsIn(reloadLines(gateway)[0]), ['config_reloaded', 'files', 1, 0, 0, 1])
          assert.equal((await chat(gateway, { model: 'b' })).status, 200)
        } finally {
          await gateway.stop(0)
        }
      })
    } finally {
      await fake.stop()
    }
  })

  test('is taken when it is whole: half a file changes nothing, and what it includes counts as it does', async () => {
    const fake = await startFakeProvider()
    const part = configOf(fake, [B], '')
    try {
      const files = { 'config.yaml': `include: [part.yaml]\n${configOf(fake, [A])}`, 'part.yaml': part }
      await withFolder(files, async (folder) => {
        const gateway = await startGateway(['config.yaml', '--host', '127.0.0.1', '--port', '0'], {
          cwd: folder,
        })
        try {
          const whole = configOf(fake, [B, GONE], '')
          const half = whole.indexOf('api_base', part.length)
          await writeFile(join(folder, 'part.yaml'), whole.slice(0, half))
          await gateway.seen(/"event":"config_refused"/)
          assert.match(String(at(reloadLines(gateway)[0], 'problem')), /part\.yaml:\d+:\d+: not valid YAML/)
          assert.equal((await chat(gateway, { model: 'b' })).status, 200)
          await appendFile(join(folder, 'part.yaml'), whole.slice(half))
          await gateway.seen(/"event":"config_reloaded"/)
          assert.deepEqual(countsIn(reloadLines(gateway)[1]), ['config_reloaded', 'files', 1, 0, 0, 2])
          assert.equal((await chat(gateway, { model: 'gone' })).status, 200)
        } finally {
          await gateway.stop(0)
        }
      })
    } finally {
      await fake.stop()
    }
  })
})
