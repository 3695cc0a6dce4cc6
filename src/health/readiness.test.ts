import assert from 'node:assert/strict'
import { test } from 'node:test'
import { readinessBody, readinessDetails } from './readiness.ts'
import type { ReadinessFacts } from './readiness.ts'

const SERVING: ReadinessFacts = {
  phase: 'serving',
  database: { kind: 'none' },
  cache: null,
  successCallbacks: [],
}
const CONNECTED = { kind: 'connected', checkedAt: Date.parse('2024-07-10T18:59:10.616Z') } as const
const FULL = {
  status: 'connected',
  db: 'Not connected',
  cache: null,
  litellm_version: '1.100.5',
  success_callbacks: [],
}

const ANSWERS: readonly (readonly [string, Partial<ReadinessFacts>, number, object])[] = [
  ['without a database', {}, 200, FULL],
  [
    'with a live database and callbacks',
    { database: CONNECTED, successCallbacks: ['langfuse'] },
    200,
    { ...FULL, db: 'connected', success_callbacks: ['langfuse'], last_updated: '2024-07-10T18:59:10.616000' },
  ],
  ['with a database that cannot be reached', { database: { kind: 'unreachable' } }, 200, FULL],
  [
    'with one that must be reached',
    { database: { kind: 'unreachable' }, serveWithoutDatabase: false },
    503,
    FULL,
  ],
  ['with details hidden', { publicDetails: false }, 200, { status: 'healthy', db: 'Not connected' }],
  ['with details shown by a written true', { publicDetails: true }, 200, FULL],
  ['before the listener is bound', { phase: 'starting' }, 503, { status: 'starting' }],
  ['while it drains', { phase: 'draining' }, 503, { status: 'shutting_down' }],
]

for (const [name, facts, status, body] of ANSWERS) {
  test(`readiness ${name}`, () => {
    assert.deepEqual(readinessBody({ ...SERVING, ...facts }), { status, body })
  })
}

test('the details are shown behind a key even where the open answer hides them', () => {
  assert.deepEqual(readinessDetails({ ...SERVING, publicDetails: false }, '0.1.0'), {
    status: 200,
    body: { ...FULL, pulsegate_version: '0.1.0' },
  })
})
