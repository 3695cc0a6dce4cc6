import type { FaultDomain } from '../../core/depth.ts'

/** Where a deployment lives and with whose key, as small numbers: equal numbers fail together. */
export interface Place {
  readonly host: number
  readonly credential: number
}

/** Hosts and keys: who shares them, and who is looked at in the place of all. */
export interface FaultDomains {
  /** All that share the host or the key of this one, itself included. */
  members(domain: FaultDomain, index: number): readonly number[]
  /** Who is looked at for them all; undefined while nothing is held against the domain. */
  representative(domain: FaultDomain, index: number): number | undefined
  appoint(domain: FaultDomain, index: number): void
  dismiss(domain: FaultDomain, index: number): void
  /** How many different hosts there are. */
  readonly hosts: number
}

const NOBODY = -1

/** Sorts deployments by host and key; `places[i]` is deployment i's. */
export function createFaultDomains(places: readonly Place[]): FaultDomains {
  const hosts = sorted(places.map(({ host }) => host))
  const credentials = sorted(places.map(({ credential }) => credential))
  const tableOf = (domain: FaultDomain): Table | undefined => {
    switch (domain) {
      case 'host':
        return hosts
      case 'credential':
        return credentials
      case 'deployment':
        return undefined
    }
  }
  return {
    hosts: hosts.members.size,
    members: (domain, index) => {
      const table = tableOf(domain)
      return table?.members.get(table.keys[index] ?? NOBODY) ?? [index]
    },
    representative: (domain, index) => {
      const table = tableOf(domain)
      return table?.representatives.get(table.keys[index] ?? NOBODY)
    },
    appoint: (domain, index) => {
      const table = tableOf(domain)
      table?.representatives.set(table.keys[index] ?? NOBODY, index)
    },
    dismiss: (domain, index) => {
      const table = tableOf(domain)
      table?.representatives.delete(table.keys[index] ?? NOBODY)
    },
  }
}

interface Table {
  readonly keys: readonly number[]
  readonly members: ReadonlyMap<number, readonly number[]>
  readonly representatives: Map<number, number>
}

function sorted(keys: readonly number[]): Table {
  const members = new Map<number, number[]>()
  keys.forEach((key, index) => {
    const known = members.get(key)
    if (known === undefined) members.set(key, [index])
    else known.push(index)
  })
  return { keys, members, representatives: new Map() }
}
