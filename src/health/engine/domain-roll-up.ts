import { DEPTH } from '../../core/depth.ts'
import type { Depth, FaultDomain } from '../../core/depth.ts'
import { isLook } from '../../core/evidence.ts'
import type { Evidence } from '../../core/evidence.ts'
import { evidenceRow } from './blame.ts'
import type { FaultDomains } from './fault-domains.ts'
import { isUnhealthy } from './eligibility.ts'
import { askWitness, isAttested, isNarrowedBy, isOwnOfKey, RELEASE_MS, shareLimit } from './key-blame.ts'
import type { Command, Standing } from './standing.ts'

/** Carries verdicts of hosts and keys from the deployment that found them to all that share them, and back. */
export interface DomainRollUp {
  /** Whom a failure is held against: that of a host, against whoever is looked at for the host. */
  addressee(index: number, evidence: Evidence): number
  /** A failure as it counts once it is known whether the key is to blame for it. */
  attested(index: number, evidence: Evidence): Evidence
  /** What an answer of one proves of the host and the key that others share. */
  share(index: number, evidence: Evidence, now: number): void
  /** One has moved to another state. */
  changed(index: number, before: Standing, after: Standing, now: number): void
}

/** What the roll-up needs of the book. */
export interface DomainRollUpDeps {
  readonly domains: FaultDomains
  readonly get: (index: number) => Standing
  readonly step: (index: number, input: Evidence | Command, now: number) => void
  /** Somebody should find out by an answer there whether a key is to blame. */
  readonly ask: (index: number, now: number) => void
}

const SHARED = ['host', 'credential'] as const
/** How much of an answer's proof concerns everybody of the same domain. */
const PROVES: Readonly<Record<(typeof SHARED)[number], Depth>> = {
  host: DEPTH.reach,
  credential: DEPTH.front,
}

/** Makes the roll-up. */
export function createDomainRollUp(deps: DomainRollUpDeps): DomainRollUp {
  const { domains } = deps
  return {
    addressee: (index, { kind, source }) => {
      const row = evidenceRow(kind)
      if (source !== 'traffic' || row?.domain !== 'host' || row.effect !== 'suspects') return index
      return domains.representative('host', index) ?? index
    },
    attested: (index, evidence) => {
      const isOfAll = evidence.isKeyWide !== true && isAttested(deps, index, evidence)
      return isOfAll ? { ...evidence, isKeyWide: true } : evidence
    },
    share: (index, evidence, now) => {
      if (evidence.isKeyWide === true) shareLimit(deps, index, evidence, now)
      const proof = proofOf(evidence)
      for (const domain of SHARED) if (proof >= PROVES[domain]) shareProof(deps, domain, index, evidence, now)
      shareFront(deps, index, evidence, now)
    },
    changed: (index, before, after, now) => {
      if (isOwnOfKey(after) && before.state !== 'MISCONFIGURED') askWitness(deps, index, now)
      for (const domain of SHARED) {
        const isLooked = domains.representative(domain, index) === index
        const condemns = isVerdictOf(domain, after)
        const condemned = isLooked && isVerdictOf(domain, before)
        if (condemns && !condemned) condemn(deps, domain, index, after, now)
        else if (condemned && !condemns) release(deps, domain, index, now)
        else if (domain === 'host' && isDoubtOfHost(after)) {
          if (domains.representative(domain, index) === undefined) domains.appoint(domain, index)
        } else if (isLooked && !condemns) domains.dismiss(domain, index)
      }
    },
  }
}

function condemn(
  { domains, step }: DomainRollUpDeps,
  domain: FaultDomain,
  index: number,
  { state, reason }: Standing,
  now: number,
): void {
  domains.appoint(domain, index)
  if (reason === undefined || (state !== 'DOWN' && state !== 'MISCONFIGURED')) return
  for (const member of domains.members(domain, index))
    if (member !== index) step(member, { kind: 'condemned', domain, state, reason }, now)
}

function release(
  { domains, get, step }: DomainRollUpDeps,
  domain: FaultDomain,
  index: number,
  now: number,
): void {
  domains.dismiss(domain, index)
  const members = domains.members(domain, index)
  members.forEach((member, position) => {
    const { isFollower, domain: followed } = get(member)
    const at = now + (RELEASE_MS * position) / members.length
    if (isFollower && followed === domain) step(member, { kind: 'released', at }, now)
  })
}

function proofOf({ kind, depth }: Evidence): Depth {
  return kind === 'ok' ? depth : (evidenceRow(kind)?.proves ?? 0)
}

/** Tells whoever is looked at for a host or a key what an answer of another one proves of it. */
function shareProof(
  deps: DomainRollUpDeps,
  domain: (typeof SHARED)[number],
  index: number,
  evidence: Evidence,
  now: number,
): void {
  const { domains, get, step } = deps
  const representative = domains.representative(domain, index)
  if (representative === undefined || representative === index) return
  step(representative, { ...evidence, kind: 'ok', depth: PROVES[domain], source: 'peer' }, now)
  if (domain !== 'credential' || !isNarrowedBy(get(representative), evidence)) return
  step(representative, { kind: 'narrowed' }, now)
  release(deps, domain, representative, now)
}

/** A free look at one model has seen the front of all that share its key and its host. */
function shareFront(
  { domains, step }: DomainRollUpDeps,
  index: number,
  evidence: Evidence,
  now: number,
): void {
  const { source, kind, depth } = evidence
  if (!isLook(source) || kind !== 'ok' || depth !== DEPTH.front) return
  const atHost = new Set(domains.members('host', index))
  for (const member of domains.members('credential', index))
    if (member !== index && atHost.has(member)) step(member, { ...evidence, source: 'peer' }, now)
}

function isVerdictOf(domain: FaultDomain, { state, domain: own, isFollower }: Standing): boolean {
  return isUnhealthy(state) && own === domain && !isFollower
}

function isDoubtOfHost({ state, reason }: Standing): boolean {
  return state === 'SUSPECT' && reason !== undefined && evidenceRow(reason)?.domain === 'host'
}
