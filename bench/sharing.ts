import { setTimeout as later } from 'node:timers/promises'
import { chat, eventually, at } from '../test/e2e/asking.ts'
import { sharedConfig, sharedStatus, withFleet } from '../test/e2e/replicas.ts'
import { noRedis, startRedis } from '../test/e2e/stores.ts'

/**
 * What clients notice of a Redis that freezes: requests at a steady pace through one of two gateways that share their
 * checks, before, in the first seconds of the freeze, later in it, and after. `npm run bench:sharing`.
 */

const PER_SECOND = 100
const SECONDS = 8

interface Figures {
  readonly requests: number
  readonly failed: number
  readonly p50Ms: number
  readonly p99Ms: number
  readonly mostMs: number
}

/** Open loop: a request that is late is counted from when it should have been sent. */
async function paced(send: () => Promise<boolean>, seconds: number): Promise<Figures> {
  const startedAt = performance.now()
  const took: number[] = []
  let failed = 0
  const running: Promise<void>[] = []
  for (let sent = 0; sent < seconds * PER_SECOND; sent += 1) {
    const dueAt = startedAt + (sent * 1000) / PER_SECOND
    await later(Math.max(dueAt - performance.now(), 0))
    const one = async (): Promise<void> => {
      if (!(await send())) failed += 1
      took.push(performance.now() - dueAt)
    }
    running.push(one())
  }
  await Promise.all(running)
  took.sort((a, b) => a - b)
  const share = (part: number): number => took[Math.min(Math.floor(took.length * part), took.length - 1)] ?? 0
  return { requests: took.length, failed, p50Ms: share(0.5), p99Ms: share(0.99), mostMs: share(1) }
}

function row(name: string, { requests, failed, p50Ms, p99Ms, mostMs }: Figures): string {
  const ms = (value: number): string => value.toFixed(1).padStart(8)
  return `${name.padEnd(28)}${String(requests).padStart(6)}${String(failed).padStart(8)}${ms(p50Ms)}${ms(p99Ms)}${ms(mostMs)}`
}

if (noRedis !== false) throw new Error(noRedis)
const redis = await startRedis()
try {
  const members = [{ group: 'g', id: 'd', base: 'ok/v1' }]
  await withFleet(
    2,
    sharedConfig(members, { intervalS: 5 }),
    { REDIS_URL: redis.url },
    async ({ gateways }) => {
      const [gateway] = gateways
      if (gateway === undefined) return
      await eventually(
        () => sharedStatus(gateway),
        (status) => at(status, 'status', 'replicas') === 2,
        20_000,
      )
      const send = async (): Promise<boolean> => (await chat(gateway, { model: 'g' })).status === 200
      await paced(send, 3)
      const lines = [`${''.padEnd(28)}requests  failed  p50 ms  p99 ms     max`]
      lines.push(row('Redis answers', await paced(send, SECONDS)))
      await redis.signal('SIGSTOP')
      lines.push(row('frozen, the first seconds', await paced(send, SECONDS)))
      lines.push(row('frozen, later', await paced(send, SECONDS)))
      await redis.signal('SIGCONT')
      lines.push(row('back', await paced(send, SECONDS)))
      process.stdout.write(`${lines.join('\n')}\n`)
    },
  )
} finally {
  await redis.signal('SIGCONT')
  await redis.stop()
}
