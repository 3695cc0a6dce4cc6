import { Agent as PlainAgent, type Agent } from 'node:http'
import { Agent as SecureAgent } from 'node:https'
import { Socket } from 'node:net'
import type { Connector } from './connect.ts'
import { destination } from './pools.ts'

/** Agents of Node's HTTP client, which WebSockets begin with, that connect as everything else here does. */
export function createAgentOf(connector: Connector): (url: string) => Agent {
  const plain = connecting(new PlainAgent(), 'ws:', connector)
  const secure = connecting(new SecureAgent(), 'wss:', connector)
  return (url) => (/^(?:wss|https):/i.test(url) ? secure : plain)
}

function connecting<Made extends Agent>(agent: Made, protocol: string, connector: Connector): Made {
  agent.createConnection = ({ host, port }, done) => {
    const to = destination(protocol, host ?? '', String(port ?? ''))
    // Node takes no notice of a socket beside an error, but its type wants one.
    connector.connect(to, (error, socket) => done?.(error, socket ?? new Socket()))
    return undefined
  }
  return agent
}
