import { spawn } from 'node:child_process'
import { connect, type Socket } from 'node:net'

/** An address that swallows connections: nothing accepts them, nothing refuses them. */
export interface BlackHole {
  /** `http://host:port`. */
  readonly url: string
  /** From now on it accepts them, and answers every request with the words that it was opened with. */
  revive(): void
  stop(): void
}

/** Listens with the shortest queue there is, says where, and is halted before it accepts anybody. */
const LISTENER = `
const server = require('node:http').createServer((request, response) => {
  request.resume().on('end', () => {
    response.setHeader('content-type', 'application/json')
    response.end(process.argv[1])
  })
})
server.listen({ port: 0, host: '127.0.0.1', backlog: 1 }, () => process.stdout.write(server.address().port + '\\n'))
`
/** More than its queue holds. From then on the kernel drops who knocks (tcp(7), tcp_abort_on_overflow). */
const CALLERS = 8
const FULL_MS = 300

/** Opens one: a listener that is halted, and enough callers to fill its queue. Linux and macOS. */
export async function openBlackHole(answer = '{}'): Promise<BlackHole> {
  const child = spawn(process.execPath, ['-e', LISTENER, answer], { stdio: ['ignore', 'pipe', 'inherit'] })
  const port = await new Promise<number>((resolve, reject) => {
    child.once('error', reject)
    child.stdout.once('data', (chunk: Buffer) => resolve(Number(chunk.toString())))
  })
  child.kill('SIGSTOP')
  const callers = Array.from({ length: CALLERS }, () => connect(port, '127.0.0.1'))
  for (const caller of callers) caller.on('error', () => {})
  await new Promise((resolve) => setTimeout(resolve, FULL_MS))
  const stop = (): void => {
    for (const caller of callers) caller.destroy()
    child.kill('SIGKILL')
  }
  if (callers.every(isConnected)) {
    stop()
    throw new Error('this machine lets every caller in: it has no black hole to offer')
  }
  const revive = (): void => {
    for (const caller of callers) caller.destroy()
    child.kill('SIGCONT')
  }
  return { url: `http://127.0.0.1:${port}`, revive, stop }
}

function isConnected(caller: Socket): boolean {
  return !caller.connecting
}
