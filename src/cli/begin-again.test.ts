import assert from 'node:assert/strict'
import { test } from 'node:test'
import { beginAgain } from './begin-again.ts'

/** How a process is replaced, and what of it counts for that. */
type Began = readonly [string, readonly string[], NodeJS.ProcessEnv]

/** A process that notes what it is replaced by. `own`: members that it has instead of ours. */
function standIn(own: Readonly<Record<string, unknown>>): {
  readonly target: NodeJS.Process
  readonly began: Began[]
} {
  const began: Began[] = []
  const target: NodeJS.Process = Object.create(process, {
    platform: { value: 'linux' },
    execArgv: { value: [] },
    argv: { value: ['node', '/app/pulsegate.js', 'config.yaml'] },
    env: { value: { PATH: '/bin' } },
    execve: { value: (...asked: Began) => void began.push(asked) },
    ...Object.fromEntries(Object.entries(own).map(([name, value]) => [name, { value }])),
  })
  return { target, began }
}

test('a gateway begins again with what V8 and the C library take only at the start, and with all it had', () => {
  const { target, began } = standIn({ execArgv: ['--max-old-space-size=512'] })
  beginAgain(target)
  const [[file, args, env] = []] = began
  assert.equal(file, process.execPath)
  assert.deepEqual(args?.slice(0, 3), [process.execPath, '--no-memory-reducer', '--min-semi-space-size=2'])
  // What the user says comes last, and so holds.
  assert.deepEqual(args?.slice(-3), ['--max-old-space-size=512', '/app/pulsegate.js', 'config.yaml'])
  assert.deepEqual(env, { MALLOC_ARENA_MAX: '2', PATH: '/bin' })
})

test('a word that only one version of V8 knows is said to no other: it would not start', () => {
  for (const [v8, knows] of [
    ['12.4.254.21-node.33', false],
    ['13.6.233.17-node.37', true],
    ['14.1.146.11-node.14', false],
  ] as const) {
    const { target, began } = standIn({ versions: { ...process.versions, v8 } })
    beginAgain(target)
    assert.equal(began[0]?.[1].includes('--external-memory-accounted-in-global-limit'), knows, v8)
  }
})

test('what the environment says of arenas of memory stands', () => {
  const { target, began } = standIn({ env: { MALLOC_ARENA_MAX: '8' } })
  beginAgain(target)
  assert.deepEqual(began[0]?.[2], { MALLOC_ARENA_MAX: '8' })
})

test('it goes on as it is where it was started so, and where a process cannot be replaced', () => {
  const started = { execArgv: ['--no-memory-reducer'] }
  const here = [started, { platform: 'darwin' }, { execPath: '/gone/node' }]
  for (const own of here) {
    const { target, began } = standIn(own)
    beginAgain(target)
    assert.deepEqual(began, [], JSON.stringify(own))
  }
  beginAgain(standIn({ execve: undefined }).target)
})

test('it goes on as it is where Node may start no process, and any other trouble is told', () => {
  const failing = (code: string) => () => {
    throw Object.assign(new Error(code), { code })
  }
  beginAgain(standIn({ execve: failing('ERR_ACCESS_DENIED') }).target)
  assert.throws(() => beginAgain(standIn({ execve: failing('ERR_INVALID_ARG_TYPE') }).target), /ERR_INVALID/)
})
