import { lookup } from 'node:dns/promises'
import { once } from 'node:events'
import { createServer } from 'node:net'
import type { Server } from 'node:net'
import type { FastifyInstance } from 'fastify'
import type { AddressesOf, Gateway } from './gateway.ts'

/** As the system says. */
export const systemAddresses: AddressesOf = async (host) =>
  (await lookup(host, { all: true })).map(({ address }) => address)

/**
 * Listens where it is told to. `localhost` is every address of that name, for clients choose either; the connections
 * of the others are handed to the one server that there is, so that all meet the same door. (Left to itself, Fastify
 * makes a server of its own for each: https://fastify.dev/docs/latest/Reference/Server/#listen, read 2026-11-26.)
 */
export function createListen(app: FastifyInstance, addressesOf: AddressesOf): Gateway['listen'] {
  const others: Server[] = []
  app.addHook('preClose', (done) => {
    for (const other of others) other.close()
    done()
  })
  const openOther = async (host: string, port: number): Promise<void> => {
    // As Node's own server for HTTP makes its sockets.
    const other = createServer({ allowHalfOpen: true, noDelay: true }, (socket) =>
      app.server.emit('connection', socket),
    )
    try {
      await once(other.listen({ host, port }), 'listening')
      others.push(other)
    } catch {
      // A name may have addresses that this machine has not, as ::1 in many containers; the first one counts.
    }
  }
  return async (host, port) => {
    const [first = host, ...more] = host === 'localhost' ? await addressesOf(host) : [host]
    const url = await app.listen({ host: first, port })
    for (const address of new Set(more)) {
      if (address !== first) await openOther(address, Number(new URL(url).port))
    }
    return { url }
  }
}
