import { systemClock } from '../../src/core/clock.ts'
import { silentLog } from '../../src/core/log.ts'
import { createSqliteStore } from '../../src/store/sqlite.ts'

// Writes rows to the file of its argument until it is killed, and says after each which one the store has taken.

const [path = '', writer = '', first = '0'] = process.argv.slice(2)
const store = createSqliteStore({ path, clock: systemClock, log: silentLog })
await store.open()
for (let number = Number(first) + 1; ; number += 1) {
  const failure = {
    identity: 'aa',
    at: Date.now(),
    reason: 'server_error',
    status: 500,
    error: String(number),
    tookMs: 1,
  } as const
  await store.write({
    writer,
    number,
    deployments: [{ identity: 'aa', id: 'id-a', group: 'chat', model: 'openai/a' }],
    folds: [],
    failures: [failure],
    transitions: [],
    openings: [],
    closings: [],
    standings: [{ identity: 'aa', at: Date.now(), plain: JSON.stringify({ number }) }],
  })
  process.stdout.write(`${number}\n`)
}
