import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import { WebSocket } from 'ws'
import { z } from 'zod'

/** What a Node process says of its own memory, MB of 1,000,000 bytes. */
export interface Inside {
  readonly rssMb: number
  readonly heapUsedMb: number
  readonly externalMb: number
}

const listSchema = z.array(z.object({ webSocketDebuggerUrl: z.string() })).min(1)
const answerSchema = z.object({
  id: z.literal(2),
  result: z.object({ result: z.object({ value: z.string() }) }),
})
const usageSchema = z.object({ rss: z.number(), heapUsed: z.number(), external: z.number() })
const OPEN_TRIES = 100
const ANSWER_MS = 10_000

/**
 * Looks into a process that was started with `--inspect-port`: a signal opens its inspector, which until then is not
 * there. It is given back as it was found, and after a collection that the inspector asks for: what is left then is
 * held by somebody.
 */
export async function lookInside(
  pid: number,
  inspectPort: number,
): Promise<{ readonly found: Inside; readonly collected: Inside }> {
  process.kill(pid, 'SIGUSR1')
  const socket = new WebSocket(await inspectorUrl(inspectPort))
  try {
    await once(socket, 'open', { signal: AbortSignal.timeout(ANSWER_MS) })
    const found = await usageOf(socket)
    socket.send(JSON.stringify({ id: 1, method: 'HeapProfiler.collectGarbage' }))
    await once(socket, 'message', { signal: AbortSignal.timeout(ANSWER_MS) })
    return { found, collected: await usageOf(socket) }
  } finally {
    socket.terminate()
  }
}

async function inspectorUrl(port: number): Promise<string> {
  for (let left = OPEN_TRIES; left > 0; left--) {
    try {
      const response = await fetch(`http://127.0.0.1:${port}/json/list`)
      return listSchema.parse(await response.json())[0]?.webSocketDebuggerUrl ?? ''
    } catch {
      // Not open yet: a busy loop hears of its signal late.
      await sleep(50)
    }
  }
  throw new Error(`no inspector on port ${port}`)
}

async function usageOf(socket: WebSocket): Promise<Inside> {
  const params = { expression: 'JSON.stringify(process.memoryUsage())', returnByValue: true }
  socket.send(JSON.stringify({ id: 2, method: 'Runtime.evaluate', params }))
  const [data] = await once(socket, 'message', { signal: AbortSignal.timeout(ANSWER_MS) })
  const { result } = answerSchema.parse(JSON.parse(String(data)))
  const usage = usageSchema.parse(JSON.parse(result.result.value))
  const mb = (bytes: number): number => bytes / 1_000_000
  return { rssMb: mb(usage.rss), heapUsedMb: mb(usage.heapUsed), externalMb: mb(usage.external) }
}
