import type { Connector } from './connect.ts'
import { networkFailure } from './network-failure.ts'
import { destination } from './pools.ts'
import type { ProxyOf } from './proxies.ts'
import type { Transport } from './wire.ts'

/**
 * Looks whether connections come about, at each host once at a time. A host that is there and whose certificate is
 * not accepted counts as reached: a request finds that out at once. Of one behind a proxy that is asked by absolute
 * URLs only the proxy can be looked at.
 */
export function createReach(connector: Connector, proxyOf: ProxyOf): Transport['reach'] {
  const looks = new Map<string, Promise<boolean>>()
  const look = ({ protocol, hostname, port }: URL): Promise<boolean> =>
    new Promise((resolve) => {
      const to = destination(protocol, hostname, port)
      const isForwarded = !to.isSecure && proxyOf(to) !== undefined
      connector.connect({ ...to, isForwarded }, (error, socket) => {
        socket?.destroy()
        resolve(error === null || !networkFailure(error, 'connecting').isUnsent)
      })
    })
  return (url) => {
    const place = new URL(url)
    const running = looks.get(place.origin)
    if (running !== undefined) return running
    const started = look(place)
      .catch(() => true)
      .finally(() => looks.delete(place.origin))
    looks.set(place.origin, started)
    return started
  }
}
